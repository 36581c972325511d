#include <xgrad/core/errors.h>
#include <xgrad/optim/plateau.h>
#include <xgrad/optim/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace xgrad::optim {

static constexpr std::string_view owner = "ReduceLROnPlateau";

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, ReduceLROnPlateauOptions options)
    : optimizer_(optimizer), options_(options), best_(std::numeric_limits<double>::infinity()) {
  check_positive(owner, "factor", options.factor);
  check_below_one(owner, "factor", options.factor);
  check_not_negative(owner, "patience", static_cast<double>(options.patience));
  check_not_negative(owner, "threshold", options.threshold);
  check_not_negative(owner, "cooldown", static_cast<double>(options.cooldown));
  check_not_negative(owner, "min_lr", options.min_lr);
  if (options.maximize) best_ = -best_;
}

void ReduceLROnPlateau::step(double metric) {
  if (!std::isfinite(metric)) throw ValueError(message("[", owner, "] the metric must be finite, got ", metric));
  const double needed = options_.threshold * (options_.relative ? std::abs(best_) : 1);
  const bool better = std::isinf(best_) || (options_.maximize ? metric > best_ + needed : metric < best_ - needed);
  if (better) best_ = metric;
  bad_steps_ = better || cooldown_left_ > 0 ? 0 : bad_steps_ + 1;
  cooldown_left_ = std::max<std::int64_t>(cooldown_left_ - 1, 0);
  if (bad_steps_ <= options_.patience) return;
  bad_steps_ = 0;
  cooldown_left_ = options_.cooldown;
  for (std::size_t group = 0; group < optimizer_.group_count(); ++group) {
    double& lr = optimizer_.lr(group);
    lr = std::min(lr, std::max(lr * options_.factor, options_.min_lr));
  }
}

StateDict ReduceLROnPlateau::state_dict() const {
  StateDict dict{.tensors = {},
                 .scalars = {{"best", best_},
                             {"bad_steps", static_cast<double>(bad_steps_)},
                             {"cooldown_left", static_cast<double>(cooldown_left_)}}};
  for (std::size_t group = 0; group < optimizer_.group_count(); ++group)
    dict.scalars.emplace_back(message("lr.", group), optimizer_.lr(group));
  return dict;
}

void ReduceLROnPlateau::load_state_dict(const StateDict& dict) {
  std::string problems;
  std::map<std::string, double> values(dict.scalars.begin(), dict.scalars.end());
  if (values.size() != dict.scalars.size()) problems += "\n  a name comes twice";
  for (const auto& [name, value] : dict.tensors) problems += "\n  unexpected: " + name;
  std::map<std::string, double> loaded;
  for (const auto& [name, now] : state_dict().scalars) {
    const auto value = values.extract(name);
    if (value.empty()) {
      problems += "\n  missing: " + name;
      continue;
    }
    const double number = loaded[name] = value.mapped();
    const bool is_rate = name.starts_with("lr."), is_count = !is_rate && name != "best";
    if (std::isnan(number) || ((is_rate || is_count) && !(number >= 0 && number <= 0x1p53)) ||
        (is_count && number != std::floor(number)))
      problems += message("\n  ", name, ": expected a ",
                          is_count  ? "count"
                          : is_rate ? "rate"
                                    : "number",
                          ", got ", number);
  }
  for (const auto& [name, value] : values) problems += "\n  unexpected: " + name;
  if (!problems.empty()) throw DataError(message("[", owner, "] the state is not that of this schedule:", problems));
  best_ = loaded["best"];
  bad_steps_ = static_cast<std::int64_t>(loaded["bad_steps"]);
  cooldown_left_ = static_cast<std::int64_t>(loaded["cooldown_left"]);
  for (std::size_t group = 0; group < optimizer_.group_count(); ++group)
    optimizer_.lr(group) = loaded[message("lr.", group)];
}

}  // namespace xgrad::optim
