#include "observe.h"

#include <xgrad/core/errors.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "../rules.h"
#include "../training.h"

namespace lab::step {

using namespace xgrad;

namespace {

constexpr std::size_t width = 32, side = 28;

struct Seen {
  std::string parameter;
  std::size_t index;
  double squares = 0, times = 0;
};

// All numbers, with what their gradients were while Adam trained.
std::vector<Seen> look_at_all(const Context& context, std::size_t steps) {
  nn::Sequential model = mlp({width}, context.seed);
  const NamedVariables parameters = model.parameters();
  const auto optimizer = rule("adam").make(parameters, {.lr = rule("adam").lr});
  std::vector<Seen> all;
  for (const auto& [name, parameter] : parameters)
    for (std::size_t i = 0; i < parameter.size(); ++i) all.push_back({name, i});
  const auto look = [&](std::size_t) {
    auto seen = all.begin();
    for (const auto& [name, parameter] : parameters)
      for (const Scalar g : parameter.grad()) {
        seen->squares += static_cast<double>(g) * static_cast<double>(g);
        seen++->times += g != 0;
      }
  };
  train(model, *optimizer, context.data.train, {.steps = steps, .seed = context.seed, .before_step = look});
  return all;
}

// Parameters are named by their place: Flatten, Linear, ReLU, Linear.
std::string described(const Seen& seen) {
  if (seen.parameter == "1.bias") return message("the bias of hidden unit ", seen.index);
  if (seen.parameter == "3.bias") return message("the bias of class ", seen.index);
  if (seen.parameter == "3.weight")
    return message("the weight from hidden unit ", seen.index % width, " to class ", seen.index / width);
  const std::size_t pixel = seen.index % (side * side);
  return message("the weight from the pixel in row ", pixel / side + 1, ", column ", pixel % side + 1,
                 " to hidden unit ", seen.index / (side * side));
}

}  // namespace

std::vector<Watched> choose(const Context& context, std::size_t steps) {
  const std::vector<Seen> all = look_at_all(context, steps);
  const auto count = static_cast<double>(steps);
  // The number of those that count for which `distance` is least.
  const auto least = [&](const char* id, const char* what, auto counts, auto distance) {
    const Seen* best = nullptr;
    for (const Seen& seen : all)
      if (counts(seen) && (!best || distance(seen) < distance(*best))) best = &seen;
    return Watched{id,
                   what,
                   described(*best),
                   best->parameter,
                   best->index,
                   std::sqrt(best->squares / count),
                   best->times / count};
  };
  const auto in = [](const char* name) { return [name](const Seen& seen) { return seen.parameter == name; }; };
  std::vector<double> outputs;
  for (const Seen& seen : all)
    if (seen.parameter == "3.weight") outputs.push_back(seen.squares);
  const double middle = median(outputs);
  return {
      least(
          "large", "Large gradients", [](const Seen&) { return true; }, [](const Seen& s) { return -s.squares; }),
      least(
          "tiny", "Tiny gradients", [&](const Seen& s) { return s.times >= 0.9 * count; },
          [](const Seen& s) { return s.squares; }),
      least(
          "rare", "Rare gradients", [](const Seen& s) { return s.parameter == "1.weight" && s.times > 0; },
          [&](const Seen& s) { return std::abs(s.times / count - 0.05); }),
      least("bias", "A bias", in("3.bias"), [](const Seen& s) { return static_cast<double>(s.index); }),
      least("output", "An output weight", in("3.weight"), [&](const Seen& s) { return std::abs(s.squares - middle); }),
  };
}

Observed observe(const Context& context, std::string_view id, bool corrected, std::size_t steps,
                 const std::vector<Watched>& all) {
  nn::Sequential model = mlp({width}, context.seed);
  const NamedVariables parameters = model.parameters();
  const auto optimizer = rule(id).make(parameters, {.lr = rule(id).lr, .bias_correction = corrected});
  Observed result = {id, corrected, std::vector<Trace>(all.size())};
  // Calls each(trace, the number as it is in this tensor) for every watched number.
  const auto read = [&](auto tensor_of, auto each) {
    for (std::size_t w = 0; w < all.size(); ++w)
      for (const auto& [name, parameter] : parameters)
        if (name == all[w].parameter)
          each(result.traces[w], static_cast<double>(tensor_of(name, parameter).data()[all[w].index]));
  };
  const auto gradient = [](const auto&, const Variable& p) -> const Tensor& { return p.grad(); };
  const auto value = [](const auto&, const Variable& p) -> const Tensor& { return p.value(); };
  const auto state = [&](const char* slot) {
    return
        [&optimizer, slot](const auto& name, const Variable&) -> const Tensor& { return optimizer->state(name, slot); };
  };
  train(model, *optimizer, context.data.train,
        {.steps = steps,
         .seed = context.seed,
         .before_step =
             [&](std::size_t) {
               read(gradient, [](Trace& trace, double g) { trace.gradient.push_back(g); });
               read(value, [](Trace& trace, double before) { trace.change.push_back(-before); });
             },
         .after_step =
             [&](std::size_t) {
               read(value, [](Trace& trace, double after) { trace.change.back() += after; });
               read(state("exp_avg"), [](Trace& trace, double m) { trace.first.push_back(m); });
               read(state(id == "adam" ? "exp_avg_sq" : "exp_inf"),
                    [](Trace& trace, double s) { trace.second.push_back(s); });
             }});
  return result;
}

Divisors corrections(std::string_view id, std::size_t t) {
  const optim::Corrections all = id == "adam" ? optim::AdamRule().corrections(static_cast<double>(t))
                                              : optim::AdamaxRule().corrections(static_cast<double>(t));
  return {all[0], all[1]};
}

double effective_rate(const Observed& run, const Trace& trace, std::size_t t) {
  const double second = trace.second[t - 1], lr = rule(run.rule).lr;
  if (trace.first[t - 1] == 0) return std::numeric_limits<double>::quiet_NaN();
  if (run.rule == "adamax") return lr / second;
  return lr / (std::sqrt(run.corrected ? second / corrections(run.rule, t).second : second) + optim::AdamOptions{}.eps);
}

double direction(const Observed& run, const Trace& trace, std::size_t t) {
  return run.corrected ? trace.first[t - 1] / corrections(run.rule, t).first : trace.first[t - 1];
}

}  // namespace lab::step
