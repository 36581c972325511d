// Adamax and AdamaxW.
#pragma once

#include <xgrad/optim/dialect.h>
#include <xgrad/optim/rule_groups.h>

namespace xgrad::optim {

template <bool decoupled>
struct AdamaxOptionsOf {
  double lr = 2e-3;                              ///< alpha in the paper; above 0
  double beta1 = 0.9;                            ///< in [0, 1): how much of the first moment each step keeps
  double beta2 = 0.999;                          ///< in [0, 1): of the infinity norm
  double eps = 1e-8;                             ///< at least 0; the paper has none
  double weight_decay = decoupled ? 1e-2 : 0.0;  ///< at least 0; see Adamax and AdamaxW
  bool maximize = false;
  Dialect dialect = Dialect::pytorch;
  std::optional<bool> bias_correction = {};  ///< where it is not given, mlx goes without and the others have it
  bool row_shared = false;                   ///< one infinity norm for all that feeds an output: see Adamax
  SparseRows sparse = SparseRows::exact;

  /// The options that are that system's own defaults.
  static AdamaxOptionsOf of(Dialect system) {
    const bool keras = system == Dialect::keras;
    return {.lr = keras ? 1e-3 : 2e-3, .eps = keras ? 1e-7 : 1e-8, .dialect = system};
  }
  bool operator==(const AdamaxOptionsOf&) const = default;
};

/// Kingma & Ba 2015, Algorithm 2. abs(step) <= 1.00909 lr at the default betas, and u >= abs(g) always.
///
///   m = beta1 m + (1 - beta1) g,  c1 = 1 - beta1^t
///   paper            u = max(beta2 u, abs(g)),        theta -= lr / c1 m / u, and nothing where u is 0
///   pytorch, optax   u = max(beta2 u, abs(g) + eps),  theta -= lr / c1 m / u
///   keras            u = max(beta2 u, abs(g)),        theta -= lr / c1 m / (u + eps)
///   mlx              u = max(beta2 u, abs(g)),        theta -= lr m / (u + eps)
///
/// AdamaxW's weight decay is decoupled, theta *= 1 - lr weight_decay before the step, and so is Adamax's in the dialect
/// of Keras; elsewhere Adamax's is added to the gradient. With row_shared, u is one number for each index of a
/// parameter's first axis, with the largest abs(g) over the others: half the memory, in the manner of SM3 (Anil et al.
/// 2019) with rows as its only cover. State: "exp_avg" (m), "exp_inf" (u).
template <bool decoupled>
class BasicAdamaxRule : public RuleOf<AdamaxOptionsOf<decoupled>> {
 public:
  using RuleOf<AdamaxOptionsOf<decoupled>>::RuleOf;
  using RuleOf<AdamaxOptionsOf<decoupled>>::options;
  std::string_view name() const override { return decoupled ? "AdamaxW" : "Adamax"; }
  void check() const override;
  bool decouples() const override { return decoupled || options.dialect == Dialect::keras; }
  Slots slots() const override { return {"exp_avg", Slot("exp_inf", options.row_shared ? per_row : per_element)}; }
  OptionValues values() const override {
    return {{"beta1", options.beta1},
            {"beta2", options.beta2},
            {"eps", options.eps},
            {"dialect", static_cast<double>(options.dialect)},
            {"bias_correction", options.bias_correction ? *options.bias_correction : -1.0},
            {"row_shared", options.row_shared}};
  }
  Corrections corrections(double t) const override;
  double bound() const override;
  void update(const Elements& elements) const override;
  bool replays() const override { return true; }
  void replay(const MissedSteps& missed) const override;
};

using AdamaxOptions = AdamaxOptionsOf<false>;
using AdamaxWOptions = AdamaxOptionsOf<true>;
using AdamaxRule = BasicAdamaxRule<false>;
using AdamaxWRule = BasicAdamaxRule<true>;
using Adamax = OptimizerOf<AdamaxRule>;
using AdamaxW = OptimizerOf<AdamaxWRule>;

}  // namespace xgrad::optim
