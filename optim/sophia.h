// Sophia and AdaHessian: steps scaled by an estimate of the Hessian's diagonal. Their steps need the closure, and a
// loss that can be differentiated twice.
#pragma once

#include <xgrad/optim/rule_groups.h>

#include <cstdint>

namespace xgrad::optim {

struct SophiaOptions {
  double lr = 1e-3;            ///< above 0, and the longest step
  double beta1 = 0.965;        ///< in [0, 1): how much of the mean gradient each step keeps
  double beta2 = 0.99;         ///< in [0, 1): how much of the mean curvature each estimate keeps
  double rho = 0.04;           ///< above 0: the paper's gamma, the curvature at which steps are not cut
  double eps = 1e-12;          ///< above 0: the least divisor
  double weight_decay = 0;     ///< at least 0; theta *= 1 - lr * weight_decay before the step
  std::int64_t interval = 10;  ///< at least 1: k, the steps from one estimate to the next
};

/// Liu et al. 2023, Algorithm 3, with Hutchinson's estimate (Algorithm 1) of the Hessian's diagonal, h':
///
///   m = beta1 m + (1 - beta1) g,  every k steps h = beta2 h + (1 - beta2) h'
///   theta -= lr clip(m / max(rho h, eps)) to [-1, 1]
///
/// A step with an estimate takes the time of two. The signs come from default_generator(). State: "exp_avg" (m),
/// "hessian" (h), "estimate" (h').
class SophiaRule : public RuleOf<SophiaOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "Sophia"; }
  void check() const override;
  Slots slots() const override { return {"exp_avg", "hessian", "estimate"}; }
  bool decouples() const override { return true; }
  OptionValues values() const override {
    return {{"beta1", options.beta1},
            {"beta2", options.beta2},
            {"rho", options.rho},
            {"eps", options.eps},
            {"interval", static_cast<double>(options.interval)}};
  }
  Needs needs(double t) const override;
  std::vector<SlotTensors> observe(const LossGraph& graph, const std::vector<Elements>& parameters) const override;
  double bound() const override { return options.lr; }
  void update(const Elements& elements) const override;
};
using Sophia = OptimizerOf<SophiaRule>;

struct AdaHessianOptions {
  double lr = 0.15;         ///< above 0
  double beta1 = 0.9;       ///< in [0, 1): how much of the mean gradient each step keeps
  double beta2 = 0.999;     ///< in [0, 1): of the mean square of the curvature
  double power = 1;         ///< in [0, 1]: the Hessian power; 0 is gradient descent with momentum
  double eps = 1e-4;        ///< at least 0; added to the root
  double weight_decay = 0;  ///< at least 0; theta *= 1 - lr * weight_decay before the step
};

/// Yao et al. 2021, Algorithm 2 and equation 10. D is Hutchinson's estimate of the Hessian's diagonal, its magnitudes
/// averaged over the window of a convolution's weight (output, input, …):
///
///   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) D^2
///   theta -= lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t))^power + eps)
///
/// A step takes the time of some two of Adam. The signs come from default_generator(). State: "exp_avg" (m),
/// "exp_avg_sq" (v), "estimate" (D).
class AdaHessianRule : public RuleOf<AdaHessianOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "AdaHessian"; }
  void check() const override;
  Slots slots() const override { return {"exp_avg", "exp_avg_sq", "estimate"}; }
  bool decouples() const override { return true; }
  OptionValues values() const override {
    return {{"beta1", options.beta1}, {"beta2", options.beta2}, {"power", options.power}, {"eps", options.eps}};
  }
  Needs needs(double) const override { return Needs::curvature; }
  std::vector<SlotTensors> observe(const LossGraph& graph, const std::vector<Elements>& parameters) const override;
  std::size_t unit(const Shape& parameter) const override;
  Corrections corrections(double t) const override;
  void update(const Elements& elements) const override;
};
using AdaHessian = OptimizerOf<AdaHessianRule>;

}  // namespace xgrad::optim
