// Stochastic gradient descent.
#pragma once

#include <xgrad/optim/rule_groups.h>

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
class SGDRule : public RuleOf<SGDOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "SGD"; }
  void check() const override;
  Slots slots() const override { return {options.momentum > 0 ? "momentum_buffer" : ""}; }
  OptionValues values() const override {
    return {{"momentum", options.momentum}, {"dampening", options.dampening}, {"nesterov", options.nesterov}};
  }
  SparseRows sparse() const override {
    return options.momentum == 0 && options.weight_decay == 0 ? SparseRows::lazy : SparseRows::dense;
  }
  void update(const Elements& elements) const override;
};
using SGD = OptimizerOf<SGDRule>;

}  // namespace xgrad::optim
