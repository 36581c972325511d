// Newton's method with a trust region, and nonlinear conjugate gradients: for losses without noise.
#pragma once

#include <xgrad/optim/flat.h>

#include <cstdint>

namespace xgrad::optim {

struct NewtonCGOptions {
  double lr = 1;                    ///< above 0: the trust region's radius at first; lr() is what it is now
  double radius_max = 1000;         ///< at least lr
  std::int64_t max_iterations = 1;  ///< at least 1, in a step(): each moves the parameters
  std::int64_t max_products = 100;  ///< at least 1: products with the Hessian in an iteration
  double tolerance_grad = 1e-7;     ///< at least 0: the largest element of the gradient at which it is done
  double acceptance = 0.1;          ///< in [0, 1/4): the least share of the fall foretold that a step must bring
};

/// Nocedal & Wright 2006: Algorithm 4.1, whose quadratic model is minimized by conjugate gradients (Algorithm 7.2, of
/// Steihaug 1983) until the residual is min(1/2, sqrt(norm(g))) times the gradient g. It needs the products H v alone,
/// each a gradient of the gradient, and leaves along a direction of negative curvature. The closure must give the same
/// loss at the same parameters, and is called for the gradient and for each trial.
class NewtonCG : public FlatOptimizer {
 public:
  /// ValueError for options out of range, an empty list, or a parameter or name that comes twice.
  explicit NewtonCG(ParameterList parameters, NewtonCGOptions options = {});
  std::string_view rule() const override { return "NewtonCG"; }
  double& lr(std::size_t group = 0) override;

  using FlatOptimizer::step;
  /// Returns the loss at the new parameters.
  double step(const Closure& closure) override;
  std::size_t state_bytes() const override { return 0; }
  /// The radius, as "options.0.lr", and "steps".
  StateDict state_dict() const override;
  void load_state_dict(const StateDict& dict) override;

 private:
  OptionValues option_values() const;
  NewtonCGOptions options_;
};

struct ConjugateGradientOptions {
  double lr = 1;                       ///< above 0: how far the first line search goes in its first trial
  std::int64_t max_iterations = 20;    ///< at least 1, in a step()
  std::int64_t max_evaluations = 100;  ///< at least 1: calls of the closure in a step()
  double tolerance_grad = 1e-7;        ///< at least 0: the largest element of the gradient at which it is done
  double c1 = 1e-4;                    ///< the loss falls at least by c1 times the slope, above 0
  double c2 = 0.1;                     ///< the slope falls at least to c2 of it in size, above c1, below 1/2
};

/// Nocedal & Wright 2006, Algorithm 5.4 with Polak & Ribière's beta, not below 0 (equation 5.45): d = -g + beta d, with
/// a line search that satisfies the strong Wolfe conditions, whose first trial is that of equation 3.60. A direction
/// that does not descend is -g. State: "direction", "gradient", and the numbers "length" and "slope" of the last line
/// search.
class ConjugateGradient : public FlatOptimizer {
 public:
  /// ValueError for options out of range, an empty list, or a parameter or name that comes twice.
  explicit ConjugateGradient(ParameterList parameters, ConjugateGradientOptions options = {});
  std::string_view rule() const override { return "ConjugateGradient"; }
  double& lr(std::size_t group = 0) override { return (void)group, options_.lr; }

  using FlatOptimizer::step;
  /// Returns the loss at the new parameters.
  double step(const Closure& closure) override;
  std::size_t state_bytes() const override;
  StateDict state_dict() const override;
  void load_state_dict(const StateDict& dict) override;

 private:
  OptionValues option_values() const;
  ConjugateGradientOptions options_;
  Tensor direction_ = {}, gradient_ = {};  // of the last line search, where there was one: its slope is not 0
  double length_ = 0, slope_ = 0;
};

}  // namespace xgrad::optim
