// Gradient descent that finds its step length itself, for losses without noise.
#pragma once

#include <xgrad/optim/rule_groups.h>

namespace xgrad::optim {

struct BarzilaiBorweinOptions {
  double lr = 1e-3;         ///< above 0: the length of the first step, and of one without positive curvature
  bool short_step = false;  ///< s'y / y'y in place of s's / s'y
};

/// Barzilai & Borwein 1988, equations 5 and 6. With s the last change of the parameters and y that of their gradients,
/// over all parameters of a group: theta -= (s's / s'y) g. The loss does not fall at each step. State: "previous",
/// "previous_grad", and the number "length" of the group.
class BarzilaiBorweinRule : public RuleOf<BarzilaiBorweinOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "BarzilaiBorwein"; }
  Slots slots() const override { return {"previous", "previous_grad"}; }
  OptionValues values() const override { return {{"short_step", options.short_step}}; }
  Over over() const override { return Over::group; }
  NumberNames numbers() const override { return {Number{"length", options.lr}}; }
  std::size_t sum_count() const override { return 3; }
  void sum(const Elements& elements, Sums& sums) const override;
  void conclude(Numbers& numbers, const Sums& sums, double t, double loss) const override;
  void update(const Elements& elements) const override;
};
using BarzilaiBorwein = OptimizerOf<BarzilaiBorweinRule>;

struct PolyakOptions {
  double lr = 1;       ///< above 0: the longest step length
  double minimum = 0;  ///< the least value of the loss, or a bound from below
  double c = 1;  ///< above 0: what the length is divided by; 1/2 is the choice of SPS_max for strongly convex losses
};

/// Polyak 1987, section 5.3, with the bound of Loizou et al. 2021, equation 3: theta -= min(lr, (loss - minimum) /
/// (c norm(g)^2)) g, with the norm over all parameters of a group. Its steps need the closure. State: the number
/// "length" of the group.
class PolyakRule : public RuleOf<PolyakOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "Polyak"; }
  void check() const override;
  OptionValues values() const override { return {{"minimum", options.minimum}, {"c", options.c}}; }
  Needs needs(double) const override { return Needs::loss; }
  Over over() const override { return Over::group; }
  NumberNames numbers() const override { return {Number{"length", 0}}; }
  std::size_t sum_count() const override { return 1; }
  void sum(const Elements& elements, Sums& sums) const override;
  void conclude(Numbers& numbers, const Sums& sums, double t, double loss) const override;
  void update(const Elements& elements) const override;
};
using Polyak = OptimizerOf<PolyakRule>;

}  // namespace xgrad::optim
