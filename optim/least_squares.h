// Nonlinear least squares: fits whose Jacobian is at hand, and the standard errors of what they find.
#pragma once

#include <xgrad/optim/minimize.h>

#include <cstdint>
#include <functional>
#include <optional>

namespace xgrad::optim {

/// Computes the residuals r, of any shape but always as many, m, at the parameters as they are. Residuals that are
/// divided by the standard deviations of the measurements weigh them rightly.
using Residuals = std::function<Variable()>;

/// No tolerance is taken to be below the epsilon of Scalar. D is what Moré 1978, section 6, scales parameters with: of
/// each the largest norm that its column of the Jacobian J has had. All tolerances are thus free of units.
struct LeastSquaresOptions {
  double damping = 1e-3;                ///< the first lambda, at least 0; 0 is Gauss-Newton, without damping throughout
  double tolerance_grad = 1e-8;         ///< at least 0: the largest abs(cosine) between r and a column of J
  double tolerance_step = 1e-8;         ///< at least 0: the last step h, in ||D h|| / ||D x||
  double tolerance_loss = 1e-8;         ///< at least 0: by what share of it the loss fell and was predicted to fall
  std::int64_t max_evaluations = 1000;  ///< at least 1: calls of the residuals
};

struct LeastSquares {
  /// What held first, in this order: `gradient_norm` and `step_size` for the first two tolerances, `plateau` for the
  /// third, also where a step that did not lower the loss promised no more, and `budget` for max_evaluations. A step
  /// that a lambda above 1 made short ends nothing.
  EndedBy ended_by;
  std::int64_t steps = 0, evaluations = 0;  ///< steps that were taken, and calls of the residuals
  double loss = 0, gradient_norm = 0;       ///< where the parameters are now: sum(r^2) / 2, and ||J^T r||
  double damping = 0;                       ///< the last lambda
  /// Of the parameters, all elements in one flat order: sigma^2 (J^T J)^-1 (n, n) with sigma^2 = sum(r^2) / (m - n),
  /// the square roots of whose diagonal are standard errors. It is that of a linear model with J where the parameters
  /// are now, with errors that are independent and of one variance. None where m <= n, which leaves no sigma, or where
  /// the rank of J is below n, to within lstsq()'s bound with its columns at length 1: then the residuals do not
  /// determine the parameters.
  std::optional<Tensor> covariance = {};
};

/// Minimizes sum(r^2) / 2 by steps h that minimize ||J h + r||^2 + lambda ||D h||^2 (Levenberg 1944, Marquardt 1963;
/// Nocedal & Wright 2006, section 10.3), where lambda follows the gain ratio (Nielsen 1999; Madsen, Nielsen & Tingleff
/// 2004, algorithm 3.16). Without damping, a step that does not lower the loss is halved. A step is taken only where it
/// lowers the loss and the Jacobian is finite: the parameters are always left at the least loss, also by an exception.
/// Each J, which is held whole, costs min(m, n) backward passes.
///
/// Refused: ValueError for no parameters or one that comes twice, an empty function, no residuals, options out of
/// range, residuals, a loss or a Jacobian that are not finite at the start, and, without damping, a Jacobian of less
/// than full rank; GraphError where the residuals depend on no parameter; ShapeError where the number of residuals or
/// of parameters' elements changes.
LeastSquares least_squares(const ParameterList& parameters, const Residuals& residuals,
                           LeastSquaresOptions options = {});

}  // namespace xgrad::optim
