// Adamax and AdamaxW.
#pragma once

#include <xgrad/optim/dialect.h>
#include <xgrad/optim/optimizer.h>

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
class AdamaxRule : public Rule<AdamaxRule<decoupled>, AdamaxOptionsOf<decoupled>> {
 public:
  using Options = AdamaxOptionsOf<decoupled>;
  using Rule<AdamaxRule, Options>::Rule;
  static constexpr std::string_view name = decoupled ? "AdamaxW" : "Adamax";
  static void check(const Options& options);
  static bool decouples(const Options& options) { return decoupled || options.dialect == Dialect::keras; }
  static Slots slots(const Options& options) { return {"exp_avg", Slot("exp_inf", options.row_shared)}; }
  static OptionValues values(const Options& o) {
    return {{"beta1", o.beta1},
            {"beta2", o.beta2},
            {"eps", o.eps},
            {"dialect", static_cast<double>(o.dialect)},
            {"bias_correction", o.bias_correction ? *o.bias_correction : -1.0},
            {"row_shared", o.row_shared}};
  }
  static Corrections corrections(const Options& options, double t);
  static double bound(const Options& options);
  static void update(const Elements& elements, const Options& options);
  static void replay(const MissedSteps& missed, const Options& options);
};

using AdamaxOptions = AdamaxOptionsOf<false>;
using AdamaxWOptions = AdamaxOptionsOf<true>;
using Adamax = AdamaxRule<false>;
using AdamaxW = AdamaxRule<true>;

}  // namespace xgrad::optim
