// What an optimizer is about to do, parameter by parameter.
#pragma once

#include <xgrad/optim/optimizer.h>

#include <optional>
#include <string>

namespace xgrad::optim {

/// The least, the quartiles, and the largest.
struct Quantiles {
  double minimum, lower, median, upper, maximum;
};

/// The step that a parameter makes with the gradient it has now. Norms are Euclidean.
struct Explanation {
  std::string parameter;
  Shape shape;
  std::int64_t step;  ///< its number, from 1
  double gradient_norm, weight_norm, update_norm;
  double update_ratio;  ///< update_norm / weight_norm; some 1e-3 is usual, and infinite for weights of 0
  /// The root mean square of each state tensor after the step, by name, its bias corrected.
  std::vector<std::pair<std::string, double>> moments;
  /// The effective rate of the elements: how far each goes, over its corrected first moment, or over its gradient for a
  /// rule without "exp_avg". Elements where that is 0 are left out; nothing, where all are.
  std::optional<Quantiles> rate;
  std::optional<double> at_bound;  ///< the share of elements with at least 99 % of the longest step that the rule makes
  std::size_t subnormals;          ///< how many weights, gradients and state elements are subnormal numbers
};

/// For each parameter that has a gradient, in order. To be called between backward() and step(); nothing changes.
/// ShapeError as from step(); ValueError for an optimizer whose steps are not those of rules, or depend on the loss.
std::vector<Explanation> explain(const Optimizer& optimizer);

/// A row a parameter, to be read.
std::string table(const std::vector<Explanation>& explanations);
/// A line a parameter, each a JSON object with the names of the fields above; null for what there is not, and for what
/// is not finite.
std::string json_lines(const std::vector<Explanation>& explanations);

}  // namespace xgrad::optim
