// L-BFGS: a quasi-Newton method for losses without noise.
#pragma once

#include <xgrad/optim/flat.h>

#include <cstdint>
#include <deque>

namespace xgrad::optim {

struct LBFGSOptions {
  double lr = 1;                      ///< above 0: the first length that each line search tries; 1 is Newton's
  std::int64_t history_size = 10;     ///< at least 1: pairs (s, y) that are kept, each twice the size of the parameters
  std::int64_t max_iterations = 20;   ///< at least 1, in a step()
  std::int64_t max_evaluations = 25;  ///< at least 1: calls of the closure in a step()
  double tolerance_grad = 1e-7;       ///< at least 0: the largest element of the gradient at which it is done
  double tolerance_change = 1e-9;     ///< at least 0: the largest change of an element in an iteration, likewise
  double c1 = 1e-4;                   ///< the loss falls at least by c1 times the slope, above 0
  double c2 = 0.9;                    ///< the slope falls at least to c2 of it in size, above c1, below 1
};

/// Nocedal & Wright 2006: Algorithm 7.5, with the two-loop recursion (7.4, scaled by equation 7.20), and a line search
/// (3.5 and 3.6, with the cubic of equation 3.59) whose steps satisfy the strong Wolfe conditions (3.7). A pair whose
/// curvature s'y is not above 0 is left out. Inner products are summed in double. The closure must give the same loss
/// at the same parameters: all data, no dropout.
class LBFGS : public FlatOptimizer {
 public:
  /// ValueError for options out of range, an empty list, or a parameter or name that comes twice.
  explicit LBFGS(ParameterList parameters, LBFGSOptions options = {});
  std::string_view rule() const override { return "LBFGS"; }
  double& lr(std::size_t group = 0) override;

  using FlatOptimizer::step;
  /// Makes iterations until a tolerance or a maximum is reached, or no lower loss is found. Returns the loss at the new
  /// parameters. A line search turns back from where the loss is NaN or infinite.
  double step(const Closure& closure) override;
  std::size_t state_bytes() const override;

  /// "pairs", and oldest first "s.0", "y.0", "s.1", …: flat arrays over all parameters, in order; "steps", and the
  /// options, as "options.0.lr".
  StateDict state_dict() const override;
  /// Takes the place of the pairs and of lr. DataError, before anything changes, that lists what is missing,
  /// unexpected, of another size, no pair of positive curvature, or another option.
  void load_state_dict(const StateDict& dict) override;

 private:
  struct Pair {
    Tensor s, y;
    double curvature;  // s'y
  };
  Tensor direction(const Tensor& gradient) const;
  OptionValues option_values() const;

  LBFGSOptions options_;
  std::deque<Pair> pairs_;
};

}  // namespace xgrad::optim
