#include <xgrad/autograd/shapes.h>
#include <xgrad/core/errors.h>
#include <xgrad/nn/activations.h>

namespace xgrad::nn {

PReLU::PReLU(std::size_t num_parameters, double initial)
    : weight(param("weight", full(detail::checked_sizes("prelu", {num_parameters}), static_cast<Scalar>(initial)))) {}

Variable PReLU::forward(const Variable& x) {
  if (weight.size() == 1) return prelu(x, reshape(weight, {}));
  if (x.shape().size() < 2 || x.shape()[1] != weight.size())
    throw ShapeError(message("[prelu] expected (N, C, …) with C = ", weight.size(), ", got ", x.shape()));
  Shape beside_channels(x.shape().size() - 1, 1);
  beside_channels[0] = weight.size();
  return prelu(x, reshape(weight, beside_channels));
}

Hardtanh::Hardtanh(double low, double high) : low_(low), high_(high) {
  if (!(low < high)) throw ValueError(message("[hardtanh] expected low < high, got ", low, " and ", high));
}

}  // namespace xgrad::nn
