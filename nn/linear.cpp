#include <xgrad/autograd/matmul.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/linear.h>

#include <cmath>

namespace xgrad::nn {
using detail::checked_sizes;

static Tensor draw(const Shape& shape, std::size_t in) {
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  return default_generator().uniform(checked_sizes("linear", shape), -bound, bound);
}

Linear::Linear(std::size_t in_features, std::size_t out_features, LinearOptions options)
    : weight(options.weight ? share("weight", options.weight, checked_sizes("linear", {out_features, in_features}))
                            : param("weight", draw({out_features, in_features}, in_features))),
      bias(options.bias ? param("bias", draw({out_features}, in_features)) : Parameter()) {}

Variable Linear::forward(const Variable& x) { return linear(x, weight, bias); }

}  // namespace xgrad::nn
