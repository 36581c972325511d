#include <xgrad/autograd/table.h>
#include <xgrad/core/errors.h>
#include <xgrad/optim/clip.h>
#include <xgrad/optim/norms.h>
#include <xgrad/optim/ranges.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace xgrad::optim {
namespace {

void check_any_gradient(std::string_view operation, const ParameterList& parameters) {
  if (std::none_of(parameters.begin(), parameters.end(), [](const auto& named) { return named.second.has_grad(); }))
    throw GraphError(message("[", operation, "] no parameter has a gradient: call backward() first"));
}

// All that is kept of them: what a sparse gradient leaves out is 0, and stays 0.
template <class F>
void for_each_element(const ParameterList& parameters, F f) {
  for (const auto& [name, variable] : parameters)
    if (variable.has_grad())
      for (const std::span<Scalar> part : mutable_grad_parts(variable)) std::for_each(part.begin(), part.end(), f);
}

}  // namespace

double clip_grad_norm(const ParameterList& parameters, double max_norm) {
  constexpr std::string_view operation = "clip_grad_norm";
  if (!(max_norm > 0)) throw ValueError(message("[", operation, "] max_norm must be above 0, got ", max_norm));
  check_any_gradient(operation, parameters);
  double squares = 0;
  for (const auto& [name, variable] : parameters) {
    if (!variable.has_grad()) continue;
    double sum = 0;
    for (const std::span<Scalar> part : mutable_grad_parts(variable)) sum += sum_of_squares(part);
    if (!std::isfinite(sum))
      throw ValueError(message("[", operation, "] the gradient of '", name, "' ", variable.shape(), " ",
                               all_finite(variable.grad()) ? "is too large for its norm" : "is not finite"));
    squares += sum;
  }
  const double norm = std::sqrt(squares);
  const double factor = max_norm / (norm + 1e-6);
  if (factor < 1) for_each_element(parameters, [scale = Scalar(factor)](Scalar& g) { g *= scale; });
  return norm;
}

void clip_grad_value(const ParameterList& parameters, double value) {
  check_positive("clip_grad_value", "value", value);
  check_any_gradient("clip_grad_value", parameters);
  const auto limit = Scalar(value);
  for_each_element(parameters, [limit](Scalar& g) { g = std::clamp(g, -limit, limit); });
}

}  // namespace xgrad::optim
