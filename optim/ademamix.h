// AdEMAMix: Adam with a second mean of gradients that reaches far back.
#pragma once

#include <xgrad/optim/rule_groups.h>

namespace xgrad::optim {

struct AdEMAMixOptions {
  double lr = 1e-3;          ///< above 0
  double beta1 = 0.9;        ///< in [0, 1): how much of the fast mean each step keeps
  double beta2 = 0.999;      ///< in [0, 1): of the second moment
  double beta3 = 0.9999;     ///< in [beta1, 1): of the slow mean
  double alpha = 5;          ///< at least 0: the slow mean's weight; the paper has 4 to 10
  std::int64_t warm_up = 0;  ///< at least 0: the steps in which alpha grows from 0, and beta3 from beta1
  double eps = 1e-8;         ///< at least 0; added to the root
  double weight_decay = 0;   ///< at least 0; theta *= 1 - lr * weight_decay before the step
};

/// Pagliardini et al. 2024, Algorithm 1:
///
///   m1 = beta1 m1 + (1 - beta1) g,  m2 = b3 m2 + (1 - b3) g,  v = beta2 v + (1 - beta2) g^2
///   theta -= lr (m1 / (1 - beta1^t) + a m2) / (sqrt(v / (1 - beta2^t)) + eps)
///
/// a is alpha, and b3 beta3, from step warm_up on. Before, with s = t / warm_up, a = alpha s, and b3 is such that the
/// half-life of m2 grows in a straight line: ln(b3) = ln(beta1) ln(beta3) / ((1 - s) ln(beta3) + s ln(beta1)). Without
/// a warm-up the slow mean can make the first steps diverge. State: "exp_avg" (m1), "exp_avg_slow" (m2), "exp_avg_sq"
/// (v).
class AdEMAMixRule : public RuleOf<AdEMAMixOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "AdEMAMix"; }
  void check() const override;
  Slots slots() const override { return {"exp_avg", "exp_avg_slow", "exp_avg_sq"}; }
  OptionValues values() const override {
    return {{"beta1", options.beta1}, {"beta2", options.beta2}, {"beta3", options.beta3},
            {"alpha", options.alpha}, {"eps", options.eps},     {"warm_up", static_cast<double>(options.warm_up)}};
  }
  bool decouples() const override { return true; }
  Corrections corrections(double t) const override;
  void update(const Elements& elements) const override;
};
using AdEMAMix = OptimizerOf<AdEMAMixRule>;

}  // namespace xgrad::optim
