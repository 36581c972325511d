// NAdam and RAdam: Adam with Nesterov's momentum, and with a rate that allows for few gradients.
#pragma once

#include <xgrad/optim/optimizer.h>

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
/// beta2^t)) + eps). State: "exp_avg" (m), "exp_avg_sq" (v), "mu_product".
class NAdam : public Rule<NAdam, NAdamOptions> {
 public:
  using Rule::Rule;
  static constexpr std::string_view name = "NAdam", product = "mu_product";
  static void check(const NAdamOptions& options);
  static Slots slots(const NAdamOptions&) { return {"exp_avg", "exp_avg_sq"}; }
  static OptionValues values(const NAdamOptions& o) {
    return {{"beta1", o.beta1},
            {"beta2", o.beta2},
            {"eps", o.eps},
            {"momentum_decay", o.momentum_decay},
            {"pytorch_1", o.pytorch_1}};
  }
  static double factor(const NAdamOptions& options, double t);
  static Corrections corrections(const NAdamOptions& options, double t);
  static void update(const Elements& elements, const NAdamOptions& options);
};

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
class RAdam : public Rule<RAdam, RAdamOptions> {
 public:
  using Rule::Rule;
  static constexpr std::string_view name = "RAdam";
  static void check(const RAdamOptions& options);
  static Slots slots(const RAdamOptions&) { return {"exp_avg", "exp_avg_sq"}; }
  static OptionValues values(const RAdamOptions& o) { return {{"beta1", o.beta1}, {"beta2", o.beta2}, {"eps", o.eps}}; }
  static Corrections corrections(const RAdamOptions& options, double t);
  static void update(const Elements& elements, const RAdamOptions& options);
};

}  // namespace xgrad::optim
