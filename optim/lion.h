// Lion: the sign of momentum.
#pragma once

#include <xgrad/optim/optimizer.h>

namespace xgrad::optim {

struct LionOptions {
  double lr = 1e-4;         ///< above 0; every element moves by it
  double beta1 = 0.9;       ///< in [0, 1): how much of the momentum the step's direction keeps
  double beta2 = 0.99;      ///< in [0, 1): how much of it the next step sees
  double weight_decay = 0;  ///< at least 0; theta *= 1 - lr * weight_decay before the step
  bool maximize = false;
};

/// Chen et al. 2023, Algorithm 2: theta -= lr sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g. State:
/// "exp_avg" (m).
class Lion : public Rule<Lion, LionOptions> {
 public:
  using Rule::Rule;
  static constexpr std::string_view name = "Lion";
  static void check(const LionOptions& options);
  static Slots slots(const LionOptions&) { return {"exp_avg"}; }
  static OptionValues values(const LionOptions& o) { return {{"beta1", o.beta1}, {"beta2", o.beta2}}; }
  static bool decouples(const LionOptions&) { return true; }
  static double bound(const LionOptions& options) { return options.lr; }
  static void update(const Elements& elements, const LionOptions& options);
};

}  // namespace xgrad::optim
