// RMSprop: Tieleman & Hinton 2012, lecture 6.5.
#pragma once

#include <xgrad/optim/optimizer.h>

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
class RMSprop : public Rule<RMSprop, RMSpropOptions> {
 public:
  using Rule::Rule;
  static constexpr std::string_view name = "RMSprop";
  static void check(const RMSpropOptions& options);
  static Slots slots(const RMSpropOptions& options) {
    return {"square_avg", options.momentum > 0 ? "momentum_buffer" : "", options.centered ? "grad_avg" : ""};
  }
  static OptionValues values(const RMSpropOptions& o) {
    return {{"alpha", o.alpha}, {"eps", o.eps}, {"momentum", o.momentum}, {"centered", o.centered}};
  }
  static void update(const Elements& elements, const RMSpropOptions& options);
};

}  // namespace xgrad::optim
