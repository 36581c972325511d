// RMSprop: Tieleman & Hinton 2012, lecture 6.5.
#pragma once

#include <xgrad/optim/rule_groups.h>

namespace xgrad::optim {

struct RMSpropOptions {
  double lr = 1e-2;         ///< above 0
  double alpha = 0.99;      ///< in [0, 1): how much of the averages each step keeps
  double eps = 1e-8;        ///< at least 0; added to the root
  double weight_decay = 0;  ///< at least 0; added to the gradient
  double momentum = 0;      ///< in [0, 1]
  bool centered = false;    ///< divide by the standard deviation rather than the root mean square: Graves 2013
};

/// v = alpha v + (1 - alpha) g^2; theta -= lr g / (sqrt(v) + eps). Centered, v - mean(g)^2 takes the place of v, and
/// with momentum the steps are accumulated. State: "square_avg", "grad_avg" (centered), "momentum_buffer" (momentum).
class RMSpropRule : public RuleOf<RMSpropOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "RMSprop"; }
  void check() const override;
  Slots slots() const override {
    return {"square_avg", options.momentum > 0 ? "momentum_buffer" : "", options.centered ? "grad_avg" : ""};
  }
  OptionValues values() const override {
    return {
        {"alpha", options.alpha}, {"eps", options.eps}, {"momentum", options.momentum}, {"centered", options.centered}};
  }
  void update(const Elements& elements) const override;
};
using RMSprop = OptimizerOf<RMSpropRule>;

}  // namespace xgrad::optim
