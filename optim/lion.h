// Lion: the sign of momentum.
#pragma once

#include <xgrad/optim/rule_groups.h>

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
class LionRule : public RuleOf<LionOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "Lion"; }
  void check() const override;
  Slots slots() const override { return {"exp_avg"}; }
  OptionValues values() const override { return {{"beta1", options.beta1}, {"beta2", options.beta2}}; }
  bool decouples() const override { return true; }
  double bound() const override { return options.lr; }
  void update(const Elements& elements) const override;
};
using Lion = OptimizerOf<LionRule>;

}  // namespace xgrad::optim
