// Adagrad and Adadelta: rates that fall with the gradients so far.
#pragma once

#include <xgrad/optim/rule_groups.h>

namespace xgrad::optim {

struct AdagradOptions {
  double lr = 1e-2;                      ///< above 0
  double lr_decay = 0;                   ///< at least 0
  double weight_decay = 0;               ///< at least 0; added to the gradient
  double initial_accumulator_value = 0;  ///< at least 0
  double eps = 1e-10;                    ///< at least 0; added to the root
  bool maximize = false;
};

/// Duchi, Hazan & Singer 2011, figure 1 with a diagonal matrix: s = s + g^2; theta -= lr / (1 + (t - 1) lr_decay) g /
/// (sqrt(s) + eps). State: "sum" (s). Without weight decay, rows that a sparse gradient leaves out are not touched.
class AdagradRule : public RuleOf<AdagradOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "Adagrad"; }
  void check() const override;
  Slots slots() const override { return {"sum"}; }
  OptionValues values() const override {
    return {{"lr_decay", options.lr_decay},
            {"initial_accumulator_value", options.initial_accumulator_value},
            {"eps", options.eps}};
  }
  SparseRows sparse() const override {
    return options.weight_decay == 0 && options.initial_accumulator_value == 0 ? SparseRows::lazy : SparseRows::dense;
  }
  void update(const Elements& elements) const override;
};
using Adagrad = OptimizerOf<AdagradRule>;

struct AdadeltaOptions {
  double lr = 1;            ///< above 0
  double rho = 0.9;         ///< in [0, 1): how much of the averages each step keeps
  double eps = 1e-6;        ///< at least 0; inside the roots
  double weight_decay = 0;  ///< at least 0; added to the gradient
};

/// Zeiler 2012, Algorithm 1, with a rate: v = rho v + (1 - rho) g^2; d = sqrt(a + eps) / sqrt(v + eps) g; a = rho a +
/// (1 - rho) d^2; theta -= lr d. State: "square_avg" (v), "acc_delta" (a).
class AdadeltaRule : public RuleOf<AdadeltaOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "Adadelta"; }
  void check() const override;
  Slots slots() const override { return {"square_avg", "acc_delta"}; }
  OptionValues values() const override { return {{"rho", options.rho}, {"eps", options.eps}}; }
  void update(const Elements& elements) const override;
};
using Adadelta = OptimizerOf<AdadeltaRule>;

}  // namespace xgrad::optim
