// Stochastic gradient descent.
#pragma once

#include <xgrad/optim/optimizer.h>

namespace xgrad::optim {

struct SGDOptions {
  double lr = 1e-3;         ///< above 0
  double momentum = 0;      ///< in [0, 1]
  double dampening = 0;     ///< in [0, 1]
  double weight_decay = 0;  ///< at least 0; added to the gradient
  bool nesterov = false;    ///< needs momentum, and no dampening
  bool maximize = false;
};

/// b = momentum b + (1 - dampening) g, where the first b is g; theta -= lr b. Nesterov's form (Sutskever et al. 2013,
/// as in PyTorch) steps along g + momentum b. State: "momentum_buffer", with momentum only. Without momentum and weight
/// decay, rows that a sparse gradient leaves out are not touched.
class SGD : public Rule<SGD, SGDOptions> {
 public:
  using Rule::Rule;
  static constexpr std::string_view name = "SGD";
  static void check(const SGDOptions& options);
  static Slots slots(const SGDOptions& options) { return {options.momentum > 0 ? "momentum_buffer" : ""}; }
  static OptionValues values(const SGDOptions& o) {
    return {{"momentum", o.momentum}, {"dampening", o.dampening}, {"nesterov", o.nesterov}};
  }
  static SparseRows sparse(const SGDOptions& options) {
    return options.momentum == 0 && options.weight_decay == 0 ? SparseRows::lazy : SparseRows::dense;
  }
  static void update(const Elements& elements, const SGDOptions& options);
};

}  // namespace xgrad::optim
