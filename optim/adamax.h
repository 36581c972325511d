// Adamax.
#pragma once

#include <xgrad/optim/optimizer.h>

namespace xgrad::optim {

struct AdamaxOptions {
  double lr = 2e-3;         ///< alpha in the paper; above 0
  double beta1 = 0.9;       ///< in [0, 1): how much of the first moment each step keeps
  double beta2 = 0.999;     ///< in [0, 1): of the infinity norm
  double eps = 1e-8;        ///< at least 0; with 0, an element that never had a gradient becomes NaN
  double weight_decay = 0;  ///< at least 0; added to the gradient
  bool maximize = false;
};

/// Kingma & Ba 2015, Algorithm 2, with PyTorch's eps: u = max(beta2 u, abs(g) + eps); theta -= lr / (1 - beta1^t) m /
/// u. abs(step) <= 1.00909 lr at the default betas. State: "exp_avg" (m), "exp_inf" (u).
class Adamax : public Rule<Adamax, AdamaxOptions> {
 public:
  using Rule::Rule;
  static constexpr std::string_view name = "Adamax";
  static void check(const AdamaxOptions& options);
  static Slots slots(const AdamaxOptions&) { return {"exp_avg", "exp_inf"}; }
  static void update(const Elements& elements, const AdamaxOptions& options);
};

}  // namespace xgrad::optim
