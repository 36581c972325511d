// Adan: Adam with Nesterov's momentum, by the differences of gradients.
#pragma once

#include <xgrad/optim/rule_groups.h>

namespace xgrad::optim {

struct AdanOptions {
  double lr = 1e-3;         ///< above 0
  double beta1 = 0.98;      ///< in [0, 1): how much of the mean gradient each step keeps; the paper's 1 - beta1
  double beta2 = 0.92;      ///< in [0, 1): of the mean difference of gradients
  double beta3 = 0.99;      ///< in [0, 1): of the second moment
  double eps = 1e-8;        ///< at least 0; added to the root
  double weight_decay = 0;  ///< at least 0; theta *= 1 - lr * weight_decay before the step
};

/// Xie et al. 2022, Algorithm 1, with the bias corrections of its authors' program. With d = g - the gradient before,
/// which is 0 in the first step:
///
///   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) d,  n = beta3 n + (1 - beta3) (g + beta2 d)^2
///   theta -= lr (m / (1 - beta1^t) + beta2 v / (1 - beta2^t)) / (sqrt(n / (1 - beta3^t)) + eps)
///
/// The paper divides theta by 1 + lr weight_decay after the step, where this multiplies it before. State: "exp_avg"
/// (m), "exp_avg_diff" (v), "exp_avg_sq" (n), "previous_grad".
class AdanRule : public RuleOf<AdanOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "Adan"; }
  void check() const override;
  Slots slots() const override { return {"exp_avg", "exp_avg_diff", "exp_avg_sq", "previous_grad"}; }
  OptionValues values() const override {
    return {{"beta1", options.beta1}, {"beta2", options.beta2}, {"beta3", options.beta3}, {"eps", options.eps}};
  }
  bool decouples() const override { return true; }
  Corrections corrections(double t) const override;
  void update(const Elements& elements) const override;
};
using Adan = OptimizerOf<AdanRule>;

}  // namespace xgrad::optim
