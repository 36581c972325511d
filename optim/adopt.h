// ADOPT: Adam, divided by the second moment of the gradients before.
#pragma once

#include <xgrad/optim/rule_groups.h>

namespace xgrad::optim {

struct AdoptOptions {
  double lr = 1e-3;         ///< above 0
  double beta1 = 0.9;       ///< in [0, 1): how much of the first moment each step keeps
  double beta2 = 0.9999;    ///< in [0, 1): of the second
  double eps = 1e-6;        ///< above 0: the least that a gradient is divided by
  double weight_decay = 0;  ///< at least 0; added to the gradient
  bool clip = true;         ///< what enters m is cut off at ±(t - 1)^(1/4)
};

/// Taniguchi et al. 2024, with the clipping of their revised paper. It converges for every beta2, where Adam needs one
/// that suits the problem (Reddi et al. 2018): a gradient is not in the v that divides it. In the first step v = g^2,
/// and theta stays. Then
///
///   m = beta1 m + (1 - beta1) clip(g / max(sqrt(v), eps)),  theta -= lr m,  v = beta2 v + (1 - beta2) g^2
///
/// State: "exp_avg" (m), "exp_avg_sq" (v).
class AdoptRule : public RuleOf<AdoptOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "ADOPT"; }
  void check() const override;
  Slots slots() const override { return {"exp_avg", "exp_avg_sq"}; }
  OptionValues values() const override {
    return {{"beta1", options.beta1}, {"beta2", options.beta2}, {"eps", options.eps}, {"clip", options.clip}};
  }
  void update(const Elements& elements) const override;
};
using Adopt = OptimizerOf<AdoptRule>;

}  // namespace xgrad::optim
