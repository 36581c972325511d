// Adam and AdamW.
#pragma once

#include <xgrad/optim/dialect.h>
#include <xgrad/optim/rule_groups.h>

namespace xgrad::optim {

template <bool decoupled>
struct AdamOptionsOf {
  double lr = 1e-3;      ///< alpha in the paper; above 0
  double beta1 = 0.9;    ///< in [0, 1): how much of the first moment each step keeps
  double beta2 = 0.999;  ///< in [0, 1): of the second
  double eps = 1e-8;     ///< at least 0; with 0, an element that never had a gradient becomes NaN
  double weight_decay = decoupled ? 1e-2 : 0.0;  ///< at least 0; see Adam and AdamW
  bool amsgrad = false;                          ///< divide by the largest second moment so far: Reddi et al. 2018
  bool maximize = false;
  Dialect dialect = Dialect::pytorch;
  std::optional<bool> bias_correction = {};  ///< where it is not given, mlx goes without and the others have it
  double eps_root = 0;                       ///< at least 0; inside the root, as Optax has it
  bool row_shared = false;                   ///< one second moment for all that feeds an output: see Adam
  SparseRows sparse = SparseRows::exact;

  /// The options that are that system's own defaults.
  static AdamOptionsOf of(Dialect system) { return {.eps = system == Dialect::keras ? 1e-7 : 1e-8, .dialect = system}; }
  bool operator==(const AdamOptionsOf&) const = default;
};

/// Kingma & Ba 2015, Algorithm 1. eps stands outside the root, after the correction. AMSGrad takes the maximum of the
/// uncorrected v, as PyTorch does. abs(step) <= 7.27 lr at the default betas.
///
///   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2,  c1 = 1 - beta1^t,  c2 = 1 - beta2^t
///   paper, pytorch, optax   theta -= lr (m / c1) / (sqrt(v / c2 + eps_root) + eps)
///   keras                   theta -= lr sqrt(c2) / c1 m / (sqrt(v) + eps), the paper's "eps hat" of section 2
///   mlx                     theta -= lr m / (sqrt(v) + eps)
///
/// AdamW's weight decay is decoupled, theta *= 1 - lr weight_decay before the step (Loshchilov & Hutter 2019, Algorithm
/// 2), and so is Adam's in the dialect of Keras; elsewhere Adam's is added to the gradient. With row_shared, v is one
/// number for each index of a parameter's first axis, the mean of g^2 over the others: half the memory, in the manner
/// of Adafactor (Shazeer & Stern 2018). State: "exp_avg" (m), "exp_avg_sq" (v), "max_exp_avg_sq" (with amsgrad).
template <bool decoupled>
class BasicAdamRule : public RuleOf<AdamOptionsOf<decoupled>> {
 public:
  using RuleOf<AdamOptionsOf<decoupled>>::RuleOf;
  using RuleOf<AdamOptionsOf<decoupled>>::options;
  std::string_view name() const override { return decoupled ? "AdamW" : "Adam"; }
  void check() const override;
  bool decouples() const override { return decoupled || options.dialect == Dialect::keras; }
  Slots slots() const override {
    return {"exp_avg", Slot("exp_avg_sq", options.row_shared ? per_row : per_element),
            options.amsgrad ? "max_exp_avg_sq" : ""};
  }
  OptionValues values() const override {
    return {{"beta1", options.beta1},
            {"beta2", options.beta2},
            {"eps", options.eps},
            {"amsgrad", options.amsgrad},
            {"dialect", static_cast<double>(options.dialect)},
            {"bias_correction", options.bias_correction ? *options.bias_correction : -1.0},
            {"eps_root", options.eps_root},
            {"row_shared", options.row_shared}};
  }
  Corrections corrections(double t) const override;
  double bound() const override;
  void update(const Elements& elements) const override;
  bool replays() const override { return true; }
  void replay(const MissedSteps& missed) const override;
};

using AdamOptions = AdamOptionsOf<false>;
using AdamWOptions = AdamOptionsOf<true>;
using AdamRule = BasicAdamRule<false>;
using AdamWRule = BasicAdamRule<true>;
using Adam = OptimizerOf<AdamRule>;
using AdamW = OptimizerOf<AdamWRule>;

}  // namespace xgrad::optim
