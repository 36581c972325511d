// LAMB and LARS: steps as long as the weights allow, layer by layer, for large batches.
#pragma once

#include <xgrad/optim/rule_groups.h>

namespace xgrad::optim {

struct LambOptions {
  double lr = 1e-3;         ///< above 0: a step of 1e-3 moves a parameter by a thousandth of its norm
  double beta1 = 0.9;       ///< in [0, 1): how much of the first moment each step keeps
  double beta2 = 0.999;     ///< in [0, 1): of the second
  double eps = 1e-6;        ///< at least 0; added to the root
  double weight_decay = 0;  ///< at least 0: lambda
};

/// You et al. 2020, Algorithm 2. With Adam's m and v, their bias corrected, and Euclidean norms over a parameter:
///
///   r = m / (sqrt(v) + eps) + lambda theta,  theta -= lr norm(theta) / norm(r) r
///
/// Where one of the norms is 0, their ratio is taken for 1. State: "exp_avg" (m), "exp_avg_sq" (v).
class LambRule : public RuleOf<LambOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "LAMB"; }
  void check() const override;
  Slots slots() const override { return {"exp_avg", "exp_avg_sq"}; }
  bool decays_itself() const override { return true; }
  OptionValues values() const override {
    return {{"beta1", options.beta1}, {"beta2", options.beta2}, {"eps", options.eps}};
  }
  Corrections corrections(double t) const override;
  std::size_t sum_count() const override { return 2; }
  void sum(const Elements& elements, Sums& sums) const override;
  void update(const Elements& elements) const override;
};
using Lamb = OptimizerOf<LambRule>;

struct LarsOptions {
  double lr = 1;            ///< above 0: the global rate, gamma
  double momentum = 0.9;    ///< in [0, 1)
  double trust = 1e-3;      ///< above 0: eta, the share of a parameter's norm that a step of rate 1 moves it by
  double weight_decay = 0;  ///< at least 0: beta
};

/// You, Gitman & Ginsburg 2017, Algorithm 1, with Euclidean norms over a parameter:
///
///   b = momentum b + lr trust norm(theta) / (norm(g) + beta norm(theta)) (g + beta theta),  theta -= b
///
/// Where one of the norms is 0, their ratio is taken for 1. State: "momentum_buffer" (b).
class LarsRule : public RuleOf<LarsOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "LARS"; }
  void check() const override;
  Slots slots() const override { return {"momentum_buffer"}; }
  bool decays_itself() const override { return true; }
  OptionValues values() const override { return {{"momentum", options.momentum}, {"trust", options.trust}}; }
  std::size_t sum_count() const override { return 2; }
  void sum(const Elements& elements, Sums& sums) const override;
  void update(const Elements& elements) const override;
};
using Lars = OptimizerOf<LarsRule>;

}  // namespace xgrad::optim
