#include <xgrad/autograd/matmul.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/linear.h>

#include <cmath>

namespace xgrad::nn {

Linear::Linear(std::size_t in_features, std::size_t out_features, LinearOptions options) {
  for (const std::size_t features : {in_features, out_features})
    if (features < 1 || features > std::size_t{1} << 31)
      throw ValueError(message("[linear] expected 1 to 2^31 features, got ", features));
  const double bound = 1 / std::sqrt(static_cast<double>(in_features));
  weight = param("weight", default_generator().uniform({out_features, in_features}, -bound, bound));
  if (options.bias) bias = param("bias", default_generator().uniform({out_features}, -bound, bound));
}

Variable Linear::forward(const Variable& x) { return linear(x, weight, bias); }

}  // namespace xgrad::nn
