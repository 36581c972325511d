#include <xgrad/core/errors.h>
#include <xgrad/optim/clip.h>
#include <xgrad/optim/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace xgrad::optim {
namespace {

double sum_of_squares(const Tensor& x) {
  std::array<double, 16> partial = {};  // independent sums, which compilers turn into SIMD code
  const Scalar* data = x.data();
  for (std::size_t i = 0; i < x.size(); i += partial.size()) {
    const std::size_t lanes = std::min(partial.size(), x.size() - i);
    for (std::size_t lane = 0; lane < lanes; ++lane) partial[lane] += double(data[i + lane]) * double(data[i + lane]);
  }
  return std::accumulate(partial.begin(), partial.end(), 0.0);
}

void check_any_gradient(std::string_view operation, const ParameterList& parameters) {
  if (std::none_of(parameters.begin(), parameters.end(), [](const auto& named) { return named.second.has_grad(); }))
    throw GraphError(message("[", operation, "] no parameter has a gradient: call backward() first"));
}

template <class F>
void for_each_gradient(const ParameterList& parameters, F f) {
  for (const auto& [name, variable] : parameters)
    if (variable.has_grad()) f(name, variable.mutable_grad());
}

}  // namespace

double clip_grad_norm(const ParameterList& parameters, double max_norm) {
  constexpr std::string_view operation = "clip_grad_norm";
  if (!(max_norm > 0)) throw ValueError(message("[", operation, "] max_norm must be above 0, got ", max_norm));
  check_any_gradient(operation, parameters);
  double squares = 0;
  for_each_gradient(parameters, [&](const std::string& name, const Tensor& gradient) {
    const double sum = sum_of_squares(gradient);
    if (!std::isfinite(sum))
      throw ValueError(message("[", operation, "] the gradient of '", name, "' ", gradient.shape(), " ",
                               all_finite(gradient) ? "is too large for its norm" : "is not finite"));
    squares += sum;
  });
  const double norm = std::sqrt(squares);
  const double factor = max_norm / (norm + 1e-6);
  if (factor < 1)
    for_each_gradient(parameters, [&](const std::string&, Tensor& gradient) {
      std::for_each_n(gradient.data(), gradient.size(), [scale = Scalar(factor)](Scalar& g) { g *= scale; });
    });
  return norm;
}

void clip_grad_value(const ParameterList& parameters, double value) {
  check_positive("clip_grad_value", "value", value);
  check_any_gradient("clip_grad_value", parameters);
  const auto limit = Scalar(value);
  for_each_gradient(parameters, [&](const std::string&, Tensor& gradient) {
    std::for_each_n(gradient.data(), gradient.size(), [&](Scalar& g) { g = std::clamp(g, -limit, limit); });
  });
}

}  // namespace xgrad::optim
