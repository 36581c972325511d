#include <xgrad/autograd/convolution.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/convolution.h>

#include <cmath>

namespace xgrad::nn {
namespace {

struct Start {
  Tensor weight, bias;
};

// A weight (first, second / groups, kernel…) and a bias of `out`, both uniform in ±1 / sqrt(the weights of one output).
template <class Options>
Start draw(std::string_view layer, std::size_t first, std::size_t second, std::size_t out, Size2d kernel,
           const Options& options) {
  const auto divides = [&](std::size_t channels) {
    return channels > 0 && options.groups > 0 && channels % static_cast<std::size_t>(options.groups) == 0;
  };
  if (!divides(first) || !divides(second))
    throw ValueError(message("[", layer, "] expected groups that divide both channel counts, above 0, got ",
                             options.groups, " groups for ", first, " and ", second));
  constexpr std::size_t image = std::size_t{1} << 62;  // any kernel fits: the images are not known yet
  slide(layer, image, image, {kernel, options.stride, options.padding, options.dilation});
  const Shape shape = {first, second / static_cast<std::size_t>(options.groups),
                       static_cast<std::size_t>(kernel.height), static_cast<std::size_t>(kernel.width)};
  const double bound = 1 / std::sqrt(static_cast<double>(shape[1] * shape[2] * shape[3]));
  Tensor weight = default_generator().uniform(shape, -bound, bound);
  return {std::move(weight), options.bias ? default_generator().uniform({out}, -bound, bound) : Tensor()};
}

}  // namespace

Conv2d::Conv2d(std::size_t in_channels, std::size_t out_channels, Size2d kernel_size, Conv2dOptions options)
    : options_(options) {
  Start start = draw("conv2d", out_channels, in_channels, out_channels, kernel_size, options);
  weight = param("weight", std::move(start.weight));
  if (options.bias) bias = param("bias", std::move(start.bias));
}

Variable Conv2d::forward(const Variable& x) {
  const auto& [stride, padding, dilation, groups, with_bias] = options_;
  return conv2d(x, weight, bias, {stride, padding, dilation, groups});
}

ConvTranspose2d::ConvTranspose2d(std::size_t in_channels, std::size_t out_channels, Size2d kernel_size,
                                 ConvTranspose2dOptions options)
    : options_(options) {
  Start start = draw("conv_transpose2d", in_channels, out_channels, out_channels, kernel_size, options);
  weight = param("weight", std::move(start.weight));
  if (options.bias) bias = param("bias", std::move(start.bias));
}

Variable ConvTranspose2d::forward(const Variable& x) {
  const auto& [stride, padding, output_padding, dilation, groups, with_bias] = options_;
  return conv_transpose2d(x, weight, bias, {stride, padding, output_padding, dilation, groups});
}

}  // namespace xgrad::nn
