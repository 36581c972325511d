#include <xgrad/autograd/matmul.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/linear.h>

#include <cmath>

namespace xgrad::nn {
namespace {

Shape weight_shape(std::size_t in, std::size_t out) {
  for (const std::size_t features : {in, out})
    if (features < 1 || features > std::size_t{1} << 31)
      throw ValueError(message("[linear] expected 1 to 2^31 features, got ", features));
  return {out, in};
}

Tensor draw(const Shape& shape, std::size_t in) {
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  return default_generator().uniform(shape, -bound, bound);
}

}  // namespace

Linear::Linear(std::size_t in_features, std::size_t out_features, LinearOptions options)
    : weight(options.weight ? share("weight", options.weight, weight_shape(in_features, out_features))
                            : param("weight", draw(weight_shape(in_features, out_features), in_features))),
      bias(options.bias ? param("bias", draw({out_features}, in_features)) : Parameter()) {}

Variable Linear::forward(const Variable& x) { return linear(x, weight, bias); }

}  // namespace xgrad::nn
