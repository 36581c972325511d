#include <xgrad/autograd/convolution.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/convolution.h>

#include <cmath>

namespace xgrad::nn {
namespace {

// Uniform in ±1 / sqrt(the weights of one output).
Tensor draw(const Shape& shape, const Shape& weight) {
  const double bound = 1 / std::sqrt(static_cast<double>(weight[1] * weight[2] * weight[3]));
  return default_generator().uniform(shape, -bound, bound);
}

// A weight (first, second / groups, kernel…).
template <class Options>
Tensor draw_weight(std::string_view layer, std::size_t first, std::size_t second, Size2d kernel,
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
  return draw(shape, shape);
}

}  // namespace

Conv2d::Conv2d(std::size_t in_channels, std::size_t out_channels, Size2d kernel_size, Conv2dOptions options)
    : weight(param("weight", draw_weight("conv2d", out_channels, in_channels, kernel_size, options))),
      bias(options.bias ? param("bias", draw({out_channels}, weight.shape())) : Parameter()),
      options_(options) {}

Variable Conv2d::forward(const Variable& x) {
  const auto& [stride, padding, dilation, groups, with_bias] = options_;
  return conv2d(x, weight, bias, {stride, padding, dilation, groups});
}

ConvTranspose2d::ConvTranspose2d(std::size_t in_channels, std::size_t out_channels, Size2d kernel_size,
                                 ConvTranspose2dOptions options)
    : weight(param("weight", draw_weight("conv_transpose2d", in_channels, out_channels, kernel_size, options))),
      bias(options.bias ? param("bias", draw({out_channels}, weight.shape())) : Parameter()),
      options_(options) {}

Variable ConvTranspose2d::forward(const Variable& x) {
  const auto& [stride, padding, output_padding, dilation, groups, with_bias] = options_;
  return conv_transpose2d(x, weight, bias, {stride, padding, output_padding, dilation, groups});
}

}  // namespace xgrad::nn
