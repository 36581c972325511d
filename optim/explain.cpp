#include <xgrad/core/errors.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/explain.h>
#include <xgrad/optim/norms.h>
#include <xgrad/optim/rule_groups.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

namespace xgrad::optim {
namespace {

double norm(const Tensor& x) { return std::sqrt(sum_of_squares({x.data(), x.size()})); }

std::size_t subnormals(const Tensor& x) {
  return static_cast<std::size_t>(
      std::count_if(x.begin(), x.end(), [](Scalar value) { return std::fpclassify(value) == FP_SUBNORMAL; }));
}

std::optional<Quantiles> quantiles(std::vector<double> values) {
  if (values.empty()) return {};
  const auto at = [&](double share) {
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), place, values.end());
    return *place;
  };
  return Quantiles{at(0), at(0.25), at(0.5), at(0.75), at(1)};
}

// What a step changes: before it, or after.
struct Side {
  const Tensor& theta;
  const std::array<std::optional<Tensor>, max_slots>& slots;
};

void compare(const Elements& elements, const Side& before, const Side& after, const Tensor& gradient,
             Explanation& one) {
  const Rule& rule = *elements.rule;
  const Slots names = rule.slots();
  one.subnormals = subnormals(before.theta) + subnormals(gradient);
  for (const std::optional<Tensor>& slot : before.slots) one.subnormals += slot ? subnormals(*slot) : 0;

  const Corrections corrections = rule.corrections(elements.t);
  for (std::size_t slot = 0; slot < max_slots; ++slot)
    if (elements.state[slot])
      one.moments.emplace_back(names[slot].name, norm(*after.slots[slot]) / corrections[slot] /
                                                     std::sqrt(static_cast<double>(after.slots[slot]->size())));
  const bool has_mean = names[0].name == "exp_avg";
  const Tensor& direction = has_mean ? *after.slots[0] : gradient;
  const double bound = rule.bound();
  std::vector<double> rates;
  double update = 0, far = 0;
  for (std::size_t k = 0; k < before.theta.size(); ++k) {
    const double from = double(before.theta.data()[k]), to = double(after.theta.data()[k]);
    const double step = std::abs(to - double(elements.shrink) * from);
    const double along = std::abs(double(direction.data()[k])) / (has_mean ? corrections[0] : 1);
    update += (to - from) * (to - from);
    far += step >= 0.99 * bound;
    if (along > 0) rates.push_back(step / along);
  }
  one.gradient_norm = norm(gradient), one.weight_norm = norm(before.theta), one.update_norm = std::sqrt(update);
  one.update_ratio = one.update_norm / one.weight_norm;
  one.rate = quantiles(std::move(rates));
  if (std::isfinite(bound)) one.at_bound = far / static_cast<double>(before.theta.size());
}

}  // namespace

std::vector<Explanation> explain(const Optimizer& optimizer) {
  const RuleGroups* const groups = optimizer.rule_groups();
  if (!groups) throw ValueError(message("[explain] the steps of ", optimizer.rule(), " are not those of a rule"));
  optimizer.require_trained_weights("explain", "a step foretold");
  // The step is made, on copies of everything that it changes.
  struct Copies {
    Tensor after, gradient;
    SlotTensors slots;
    Numbers numbers;
  };
  std::vector<Copies> copies(groups->parameters_.size());
  std::vector<Numbers> numbers;
  for (const RuleGroups::Applied& group : groups->groups_) {
    if (group.rule->needs(1) == Needs::loss)
      throw ValueError(message("[explain] a step of ", group.rule->name(), " depends on the loss, which it brings"));
    numbers.push_back(group.numbers);
  }
  std::vector<Elements> work;
  for (std::size_t i = 0; i < copies.size(); ++i) {
    const Variable& variable = groups->parameters_[i].second;
    if (!variable.has_grad()) continue;
    const RuleGroups::State& state = groups->states_[i];
    const RuleGroups::Plan plan = groups->plan(state.group);
    groups->check_shapes(i, plan);
    copies[i] = {variable.value(), variable.grad(), state.slots, state.numbers};
    Elements& elements = work.emplace_back(groups->elements(plan, i, copies[i].slots));
    elements.theta = copies[i].after.data(), elements.gradient = copies[i].gradient.data();
    elements.t = static_cast<double>(state.steps + 1);
    elements.numbers = elements.rule->over() == Over::group ? &numbers[state.group] : &copies[i].numbers;
  }
  std::vector<Elements> done = work;
  groups->run(done, std::numeric_limits<double>::quiet_NaN());

  std::vector<Explanation> result;
  for (const Elements& elements : work) {
    const std::size_t i = elements.parameter;
    const auto& [name, variable] = groups->parameters_[i];
    Explanation& one = result.emplace_back();
    one.parameter = name, one.shape = variable.shape(), one.step = groups->states_[i].steps + 1;
    compare(elements, {variable.value(), groups->states_[i].slots}, {copies[i].after, copies[i].slots},
            copies[i].gradient, one);
  }
  return result;
}

namespace {

std::string shown(double value) {
  if (std::isnan(value)) return "-";
  char text[16];
  std::snprintf(text, sizeof text, "%.2e", value);
  return text;
}

std::string padded(const std::string& text, std::size_t width, bool left = false) {
  const std::string space(width - std::min(width, text.size()), ' ');
  return left ? text + space : space + text;
}

std::string json(double value) { return std::isfinite(value) ? message(value) : "null"; }
std::string json(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
    result += c == '"' || c == '\\'                 ? std::string{'\\', c}
              : static_cast<unsigned char>(c) < ' ' ? escaped
                                                    : std::string{c};
  }
  return result + '"';
}

}  // namespace

std::string table(const std::vector<Explanation>& explanations) {
  std::vector<std::vector<std::string>> rows = {{"parameter", "step", "gradient", "weight", "update", "ratio",
                                                 "rate min", "median", "max", "at bound", "subnormal"}};
  for (const Explanation& one : explanations) {
    const auto rate = [&](double Quantiles::*part) { return one.rate ? shown(*one.rate.*part) : "-"; };
    std::string bound = "-";
    if (one.at_bound) bound = message(std::round(*one.at_bound * 1000) / 10, " %");
    rows.push_back({one.parameter, message(one.step), shown(one.gradient_norm), shown(one.weight_norm),
                    shown(one.update_norm), shown(one.update_ratio), rate(&Quantiles::minimum),
                    rate(&Quantiles::median), rate(&Quantiles::maximum), bound, message(one.subnormals)});
  }
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      std::size_t width = 0;
      for (const auto& other : rows) width = std::max(width, other[column].size());
      text += (column > 0 ? "  " : "") + padded(row[column], width, column == 0);
    }
    text += '\n';
  }
  return text;
}

std::string json_lines(const std::vector<Explanation>& explanations) {
  std::string text;
  for (const Explanation& one : explanations) {
    std::string moments, rate = "null";
    for (const auto& [name, value] : one.moments)
      moments += message(moments.empty() ? "" : ",", json(name), ":", json(value));
    if (const auto& q = one.rate)
      rate = message("{\"minimum\":", json(q->minimum), ",\"lower\":", json(q->lower), ",\"median\":", json(q->median),
                     ",\"upper\":", json(q->upper), ",\"maximum\":", json(q->maximum), "}");
    text += message(
        "{\"parameter\":", json(one.parameter), ",\"step\":", one.step, ",\"gradient_norm\":", json(one.gradient_norm),
        ",\"weight_norm\":", json(one.weight_norm), ",\"update_norm\":", json(one.update_norm),
        ",\"update_ratio\":", json(one.update_ratio), ",\"moments\":{", moments, "},\"rate\":", rate,
        ",\"at_bound\":", one.at_bound ? json(*one.at_bound) : "null", ",\"subnormals\":", one.subnormals, "}\n");
  }
  return text;
}

}  // namespace xgrad::optim
