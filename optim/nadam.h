// NAdam and RAdam: Adam with Nesterov's momentum, and with a rate that allows for few gradients.
#pragma once

#include <xgrad/optim/rule_groups.h>

namespace xgrad::optim {

struct NAdamOptions {
  double lr = 2e-3;              ///< above 0
  double beta1 = 0.9;            ///< in [0, 1): how much of the first moment each step keeps, in the end
  double beta2 = 0.999;          ///< in [0, 1): of the second
  double eps = 1e-8;             ///< at least 0; added to the root
  double weight_decay = 0;       ///< at least 0; added to the gradient
  double momentum_decay = 4e-3;  ///< at least 0: psi
  bool pytorch_1 = false;        ///< repeat PyTorch 1.10 to 1.13, which put mu_t twice into the product up to mu_{t+1}
};

/// Dozat 2016, Algorithm 2, with the momenta mu_t = beta1 (1 - 0.96^(psi t) / 2) of its section 2:
/// theta -= lr (mu_{t+1} m / (1 - prod mu_1 … mu_{t+1}) + (1 - mu_t) g / (1 - prod mu_1 … mu_t)) / (sqrt(v / (1 -
/// beta2^t)) + eps). State: "exp_avg" (m), "exp_avg_sq" (v), and the number "mu_product".
class NAdamRule : public RuleOf<NAdamOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "NAdam"; }
  void check() const override;
  Slots slots() const override { return {"exp_avg", "exp_avg_sq"}; }
  OptionValues values() const override {
    return {{"beta1", options.beta1},
            {"beta2", options.beta2},
            {"eps", options.eps},
            {"momentum_decay", options.momentum_decay},
            {"pytorch_1", options.pytorch_1}};
  }
  NumberNames numbers() const override { return {Number{"mu_product", 1}}; }
  void conclude(Numbers& numbers, const Sums&, double t, double loss) const override;
  Corrections corrections(double t) const override;
  void update(const Elements& elements) const override;
};
using NAdam = OptimizerOf<NAdamRule>;

struct RAdamOptions {
  double lr = 1e-3;         ///< above 0
  double beta1 = 0.9;       ///< in [0, 1): how much of the first moment each step keeps
  double beta2 = 0.999;     ///< in [0, 1): of the second
  double eps = 1e-8;        ///< at least 0; added to the root of the uncorrected v, as PyTorch does
  double weight_decay = 0;  ///< at least 0; added to the gradient
};

/// Liu et al. 2020, Algorithm 2: as long as too few gradients make the variance of 1 / sqrt(v) intractable (rho_t <=
/// 5), theta -= lr m / (1 - beta1^t); then Adam's step times the rectification r_t. State: "exp_avg" (m), "exp_avg_sq"
/// (v).
class RAdamRule : public RuleOf<RAdamOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "RAdam"; }
  void check() const override;
  Slots slots() const override { return {"exp_avg", "exp_avg_sq"}; }
  OptionValues values() const override {
    return {{"beta1", options.beta1}, {"beta2", options.beta2}, {"eps", options.eps}};
  }
  Corrections corrections(double t) const override;
  void update(const Elements& elements) const override;
};
using RAdam = OptimizerOf<RAdamRule>;

}  // namespace xgrad::optim
