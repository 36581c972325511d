// L-BFGS: a quasi-Newton method for losses without noise.
#pragma once

#include <xgrad/optim/closure.h>

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
class LBFGS : private Rule<LBFGS, LBFGSOptions> {
 public:
  /// ValueError for options out of range, an empty list, or a parameter or name that comes twice.
  explicit LBFGS(ParameterList parameters, LBFGSOptions options = {});
  using Rule::lr, Rule::parameters, Rule::zero_grad;

  /// Makes iterations until a tolerance or a maximum is reached, or no lower loss is found. Returns the loss at the new
  /// parameters. ValueError where the loss or gradient is NaN or infinite at the first call of the closure (a line
  /// search merely turns back from such points), GraphError where it depends on no parameter, ShapeError where a
  /// parameter or its gradient is not of the shape that the parameter had at construction.
  double step(const Closure& closure);

  /// "pairs", and oldest first "s.0", "y.0", "s.1", …: flat arrays over all parameters, in order. The options too, as
  /// "options.0.lr".
  StateDict state_dict() const;
  /// Takes the place of the pairs and of lr. DataError, before anything changes, that lists what is missing,
  /// unexpected, of another size, no pair of positive curvature, or another option.
  void load_state_dict(const StateDict& dict);

  // For the base, which checks the construction. It has no update of its own.
  static constexpr std::string_view name = "LBFGS";
  using Rule::bound, Rule::corrections, Rule::decouples, Rule::factor, Rule::product, Rule::slots, Rule::sparse,
      Rule::whole;
  static void check(const LBFGSOptions& options);
  static OptionValues values(const LBFGSOptions& options);
  static void update(const Elements&, const LBFGSOptions&) {}

 private:
  struct Pair {
    Tensor s, y;
    double curvature;  // s'y
  };
  void check_shape(std::size_t parameter, const Shape& got) const;
  void assign(const Tensor& values) const;
  Tensor flat(bool gradients) const;
  Tensor direction(const Tensor& gradient) const;

  std::vector<Shape> shapes_;  // of the parameters, to which the pairs belong
  std::deque<Pair> pairs_;
};

}  // namespace xgrad::optim
