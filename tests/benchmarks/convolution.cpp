// A convolution by itself: its value, and its gradients with respect to input, weight and bias.
#include <xgrad/autograd/convolution.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/random.h>

#include "workloads.h"

using namespace xgrad;

int main(int argc, char** argv) {
  return run_convolutions(argc, argv, set_num_threads, [](const Convolution& c) {
    const auto random = [](const std::vector<std::int64_t>& dimensions) {
      return default_generator().normal(Shape(dimensions.begin(), dimensions.end()));
    };
    const Variable x(random({c.batch, c.channels, c.size, c.size}), true);
    const Variable weight(random({c.filters, c.channels, c.kernel, c.kernel}), true), bias(random({c.filters}), true);
    const ConvolutionOptions options{.padding = c.padding};
    const Tensor upstream = conv2d(x, weight, bias, options).value();  // any values of this shape
    return [=] {
      const Variable y = conv2d(x, weight, bias, options);
      const Variable loss = record("upstream", zeros({}), {y},
                                   [&](const Variable&, const Variable&) { return std::vector{Variable(upstream)}; });
      return grad(loss, {x, weight, bias});
    };
  });
}
