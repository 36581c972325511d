// Prodigy and D-Adaptation: Adam that estimates its own rate, from how far the weights have come.
#pragma once

#include <xgrad/optim/rule_groups.h>

namespace xgrad::optim {

struct ProdigyOptions {
  double lr = 1;            ///< above 0: a factor of the rate that is estimated, to be left at 1 or scheduled
  double beta1 = 0.9;       ///< in [0, 1): how much of the first moment each step keeps
  double beta2 = 0.999;     ///< in [0, 1): of the second
  double eps = 1e-8;        ///< at least 0; added to the root
  double weight_decay = 0;  ///< at least 0; theta *= 1 - d lr weight_decay before the step
  double d0 = 1e-6;         ///< above 0: the first estimate, which should be too small
};

using DAdaptAdamOptions = ProdigyOptions;

/// What both rules have: the number "d" of a group, the estimate of the rate, which the next step is made with; "r",
/// and "d_of_step", the estimate that this one was made with.
class EstimatingRule : public RuleOf<ProdigyOptions> {
 public:
  using RuleOf::RuleOf;
  void check() const override;
  bool decays_itself() const override { return true; }
  OptionValues values() const override {
    return {{"beta1", options.beta1}, {"beta2", options.beta2}, {"eps", options.eps}, {"d0", options.d0}};
  }
  Over over() const override { return Over::group; }
  NumberNames numbers() const override {
    return {Number{"d", options.d0}, Number{"r", 0}, Number{"d_of_step", options.d0}};
  }
  std::size_t sum_count() const override { return 2; }
};

/// Mishchenko & Defazio 2023, Algorithm 4. With the start x0, and inner products and norms over all parameters of a
/// group, d estimates the distance from x0 to the solution from below:
///
///   m = beta1 m + (1 - beta1) d g,  v = beta2 v + (1 - beta2) d^2 g^2
///   r = sqrt(beta2) r + (1 - sqrt(beta2)) lr d^2 <g, x0 - theta>
///   s = sqrt(beta2) s + (1 - sqrt(beta2)) lr d^2 g
///   theta -= lr d m / (sqrt(v) + d eps),  then d = max(d, r / norm1(s))
///
/// r and s are kept divided by d0^2, which changes nothing but their range. State: "exp_avg" (m), "exp_avg_sq" (v),
/// "s", "start" (x0), and the numbers "d" and "r" of the group.
class ProdigyRule : public EstimatingRule {
 public:
  using EstimatingRule::EstimatingRule;
  std::string_view name() const override { return "Prodigy"; }
  Slots slots() const override { return {"exp_avg", "exp_avg_sq", "s", "start"}; }
  void sum(const Elements& elements, Sums& sums) const override;
  void conclude(Numbers& numbers, const Sums& sums, double t, double loss) const override;
  void update(const Elements& elements) const override;
};
using Prodigy = OptimizerOf<ProdigyRule>;

/// Defazio & Mishchenko 2023, Algorithm 5. With inner products and norms over all parameters of a group:
///
///   m = beta1 m + (1 - beta1) d lr g,  v = beta2 v + (1 - beta2) g^2
///   r = sqrt(beta2) r + (1 - sqrt(beta2)) d lr <g, s / (sqrt(v) + eps)>,  with s from before
///   s = sqrt(beta2) s + (1 - sqrt(beta2)) d lr g
///   theta -= m / (sqrt(v) + eps),  then d = max(d, r / ((1 - sqrt(beta2)) norm1(s)))
///
/// State: "exp_avg" (m), "exp_avg_sq" (v), "s", and the numbers "d" and "r" of the group.
class DAdaptAdamRule : public EstimatingRule {
 public:
  using EstimatingRule::EstimatingRule;
  std::string_view name() const override { return "DAdaptAdam"; }
  Slots slots() const override { return {"exp_avg", "exp_avg_sq", "s"}; }
  void sum(const Elements& elements, Sums& sums) const override;
  void conclude(Numbers& numbers, const Sums& sums, double t, double loss) const override;
  void update(const Elements& elements) const override;
};
using DAdaptAdam = OptimizerOf<DAdaptAdamRule>;

}  // namespace xgrad::optim
