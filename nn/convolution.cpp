#include <xgrad/autograd/convolution.h>
#include <xgrad/autograd/pooling.h>
#include <xgrad/autograd/shapes.h>
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

// Options whose padding is a number, in place of `same_padding`, which forward() has to pad by itself.
Conv2dOptions with_numbers(std::string_view layer, Conv2dOptions options) {
  if (options.padding != same_padding) return options;
  if (options.stride != Size2d(1))
    throw ValueError(message("[", layer, "] expected a stride of 1 with the padding `same_padding`, got (",
                             options.stride.height, ", ", options.stride.width, ")"));
  return options.padding = 0, options;
}

Variable convolve(const Variable& x, const Variable& weight, const Variable& bias, const Conv2dOptions& options) {
  const auto& [stride, padding, dilation, groups, with_bias] = options;
  if (padding != same_padding) return conv2d(x, weight, bias, {stride, padding, dilation, groups});
  const auto extra = [&](std::size_t d, std::ptrdiff_t apart) {
    return apart * (static_cast<std::ptrdiff_t>(weight.shape()[d]) - 1);
  };
  const Size2d both = {extra(2, dilation.height), extra(3, dilation.width)};
  const Size2d before = {both.height / 2, both.width / 2},
               after = {both.height - before.height, both.width - before.width};
  if (before == after) return conv2d(x, weight, bias, {1, before, dilation, groups});
  return conv2d(pad2d(x, before, after), weight, bias, {1, 0, dilation, groups});
}

Conv2dOptions flat(const Conv1dOptions& o) {
  const Size2d padding = o.padding == same_padding.width ? same_padding : Size2d(0, o.padding);
  return {.stride = {1, o.stride}, .padding = padding, .dilation = {1, o.dilation}, .groups = o.groups, .bias = o.bias};
}

Shape without_height(const Shape& s) { return {s[0], s[1], s[3]}; }

Tensor without_row(Tensor weight) {
  weight.reshape(without_height(weight.shape()));
  return weight;
}

}  // namespace

Conv2d::Conv2d(std::size_t in_channels, std::size_t out_channels, Size2d kernel_size, Conv2dOptions options)
    : weight(param("weight",
                   draw_weight("conv2d", out_channels, in_channels, kernel_size, with_numbers("conv2d", options)))),
      bias(options.bias ? param("bias", draw({out_channels}, weight.shape())) : Parameter()),
      options_(options) {}

Variable Conv2d::forward(const Variable& x) { return convolve(x, weight, bias, options_); }

Conv1d::Conv1d(std::size_t in_channels, std::size_t out_channels, std::ptrdiff_t kernel_size, Conv1dOptions options)
    : weight(param("weight", without_row(draw_weight("conv1d", out_channels, in_channels, {1, kernel_size},
                                                     with_numbers("conv1d", flat(options)))))),
      bias(options.bias
               ? param("bias", draw({out_channels}, {weight.shape()[0], weight.shape()[1], 1, weight.shape()[2]}))
               : Parameter()),
      options_(options) {}

Variable Conv1d::forward(const Variable& x) {
  const Shape &images = x.shape(), &window = weight.shape();
  if (images.size() != 3) throw ShapeError(message("[conv1d] expected (N, C, L), got ", images));
  const Variable y = convolve(reshape(x, {images[0], images[1], 1, images[2]}),
                              reshape(weight, {window[0], window[1], 1, window[2]}), bias, flat(options_));
  return reshape(y, without_height(y.shape()));
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
