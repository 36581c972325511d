// Adam and AdamW.
#pragma once

#include <xgrad/optim/optimizer.h>

namespace xgrad::optim {

struct AdamOptions {
  double lr = 1e-3;         ///< alpha in the paper; above 0
  double beta1 = 0.9;       ///< in [0, 1): how much of the first moment each step keeps
  double beta2 = 0.999;     ///< in [0, 1): of the second
  double eps = 1e-8;        ///< at least 0; with 0, an element that never had a gradient becomes NaN
  double weight_decay = 0;  ///< at least 0; added to the gradient
  bool amsgrad = false;     ///< divide by the largest second moment so far: Reddi et al. 2018
  bool maximize = false;
};

/// Kingma & Ba 2015, Algorithm 1. eps stands outside the root, after the correction. AMSGrad takes the maximum of the
/// uncorrected v, as PyTorch does. abs(step) <= 7.27 lr at the default betas.
/// State: "exp_avg" (m), "exp_avg_sq" (v), "max_exp_avg_sq" (with amsgrad).
class Adam : public Rule<Adam, AdamOptions> {
 public:
  using Rule::Rule;
  static constexpr std::string_view name = "Adam";
  static void check(const AdamOptions& options);
  static Slots slots(const AdamOptions& options) {
    return {"exp_avg", "exp_avg_sq", options.amsgrad ? "max_exp_avg_sq" : ""};
  }
  static void update(const Elements& elements, const AdamOptions& options);
};

struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 1e-2;  ///< at least 0; theta *= 1 - lr * weight_decay before the step
  bool amsgrad = false;
  bool maximize = false;
};

/// Adam with decoupled weight decay: Loshchilov & Hutter 2019, Algorithm 2, where the decay is scaled by lr.
class AdamW : public Rule<AdamW, AdamWOptions> {
 public:
  using Rule::Rule;
  static constexpr std::string_view name = "AdamW";
  static constexpr bool decoupled_weight_decay = true;
  static void check(const AdamWOptions& options);
  static Slots slots(const AdamWOptions& options) {
    return {"exp_avg", "exp_avg_sq", options.amsgrad ? "max_exp_avg_sq" : ""};
  }
  static void update(const Elements& elements, const AdamWOptions& options);
};

}  // namespace xgrad::optim
