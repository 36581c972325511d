#include <xgrad/autograd/arithmetic.h>
#include <xgrad/autograd/attributes.h>
#include <xgrad/autograd/convolution.h>
#include <xgrad/autograd/reductions.h>
#include <xgrad/autograd/shapes.h>
#include <xgrad/core/convolution.h>
#include <xgrad/core/errors.h>

#include <algorithm>

namespace xgrad {
namespace {

// y = conv(x, w) is linear in both, and so are its gradients. With dots for what each is contracted with:
//   conv(x, w) . dy = x . conv_input(dy, w) = w . conv_weight(x, dy)
// and each of the three differentiates to the other two.
Variable conv(const Convolution& sizes, const Variable& x, const Variable& weight, const Variable& bias);
Variable conv_input(const Convolution& sizes, const Variable& dy, const Variable& weight);
Variable conv_weight(const Convolution& sizes, const Variable& x, const Variable& dy);

Shape input_shape(const Convolution& s) { return {s.batch, s.channels, s.height.in, s.width.in}; }
Shape output_shape(const Convolution& s) { return {s.batch, s.out_channels, s.height.out, s.width.out}; }
Shape weight_shape(const Convolution& s) {
  return {s.out_channels, s.channels / s.groups, s.height.kernel, s.width.kernel};
}

Attributes attributes_of(const Convolution& s) {
  const auto both = [&](std::size_t WindowAxis::*size) { return std::vector{s.height.*size, s.width.*size}; };
  std::vector<std::size_t> pads = both(&WindowAxis::padding);  // above and at the left, and the same at the other ends
  pads.insert(pads.end(), {pads[0], pads[1]});
  return attributes("strides", both(&WindowAxis::stride), "pads", pads, "dilations", both(&WindowAxis::dilation),
                    "group", s.groups);
}

// As ONNX calls the pixels that a transposed convolution has at its end without a window of its own.
Attributes transposed_attributes_of(const Convolution& s) {
  const auto rest = [](const WindowAxis& a) {
    return static_cast<double>(a.in + 2 * a.padding - (a.kernel - 1) * a.dilation - 1 - (a.out - 1) * a.stride);
  };
  Attributes all = attributes_of(s);
  all["output_padding"] = {rest(s.height), rest(s.width)};
  return all;
}

Variable conv(const Convolution& sizes, const Variable& x, const Variable& weight, const Variable& bias) {
  Tensor value = uninitialized(output_shape(sizes), "conv2d");
  convolve(sizes, x.value().data(), weight.value().data(), bias ? bias.value().data() : nullptr, value.data());
  const auto gradients = [sizes](const Variable& y, const Variable& dy) {
    const Variable &in = y.input(0), &w = y.input(1);
    return std::vector{in.requires_grad() ? conv_input(sizes, dy, w) : Variable(),
                       w.requires_grad() ? conv_weight(sizes, in, dy) : Variable(),
                       y.input(2).requires_grad() ? sum(dy, {0, 2, 3}) : Variable()};
  };
  return record("conv2d", std::move(value), {x, weight, bias}, gradients,
                is_recording() ? attributes_of(sizes) : Attributes());
}

Variable conv_input(const Convolution& sizes, const Variable& dy, const Variable& weight) {
  Tensor value = uninitialized(input_shape(sizes), "conv2d_input");
  convolve_input(sizes, dy.value().data(), weight.value().data(), value.data());
  const auto gradients = [sizes](const Variable& y, const Variable& dx) {
    const Variable &out = y.input(0), &w = y.input(1);
    return std::vector{out.requires_grad() ? conv(sizes, dx, w, {}) : Variable(),
                       w.requires_grad() ? conv_weight(sizes, dx, out) : Variable()};
  };
  return record("conv2d_input", std::move(value), {dy, weight}, gradients,
                is_recording() ? transposed_attributes_of(sizes) : Attributes());
}

Variable conv_weight(const Convolution& sizes, const Variable& x, const Variable& dy) {
  Tensor value = Tensor::from_shape(weight_shape(sizes));
  convolve_weight(sizes, x.value().data(), dy.value().data(), value.data());
  return record("conv2d_weight", std::move(value), {x, dy}, [sizes](const Variable& y, const Variable& dw) {
    const Variable &in = y.input(0), &out = y.input(1);
    return std::vector{in.requires_grad() ? conv_input(sizes, out, dw) : Variable(),
                       out.requires_grad() ? conv(sizes, in, dw, {}) : Variable()};
  });
}

void check(std::string_view operation, const Shape& x, const Shape& weight) {
  if (x.size() != 4)
    throw ShapeError(message("[", operation, "] expected images (batch, channels, height, width), got ", x));
  if (weight.size() != 4)
    throw ShapeError(message("[", operation, "] expected a weight of four dimensions, got ", weight));
  if (x[1] * x[2] * x[3] == 0 || element_count(weight) == 0)  // a batch may be empty
    throw ShapeError(message("[", operation, "] expected no empty dimension, got ", x, " and ", weight));
}

void check_bias(std::string_view operation, const Shape& weight, const Variable& bias, std::size_t out) {
  if (bias && bias.shape() != Shape{out})
    throw ShapeError(message("[", operation, "] bias ", bias.shape(), " does not match weight ", weight, ": expected ",
                             out, " elements"));
}

std::size_t checked_groups(std::string_view operation, std::ptrdiff_t groups, std::size_t channels,
                           std::string_view what) {
  if (groups < 1 || channels % static_cast<std::size_t>(groups) != 0)
    throw ValueError(
        message("[", operation, "] expected groups that divide the ", channels, " ", what, ", got ", groups));
  return static_cast<std::size_t>(groups);
}

Size2d kernel_of(const Shape& weight) {
  return {static_cast<std::ptrdiff_t>(weight[2]), static_cast<std::ptrdiff_t>(weight[3])};
}

}  // namespace

Variable conv2d(const Variable& x, const Variable& weight, const Variable& bias, ConvolutionOptions options) {
  const Shape &in = x.shape(), &w = weight.shape();
  check("conv2d", in, w);
  check_bias("conv2d", w, bias, w[0]);
  const std::size_t groups = checked_groups("conv2d", options.groups, w[0], "output channels");
  if (in[1] != w[1] * groups)
    throw ShapeError(
        message("[conv2d] input ", in, " does not match weight ", w, ": expected ", w[1] * groups, " channels"));
  const WindowAxes axes =
      slide("conv2d", in[2], in[3], {kernel_of(w), options.stride, options.padding, options.dilation});
  return conv({in[0], in[1], w[0], groups, axes.height, axes.width}, x, weight, bias);
}

Variable conv_transpose2d(const Variable& x, const Variable& weight, const Variable& bias,
                          ConvTransposeOptions options) {
  const auto& [stride, padding, output_padding, dilation, group_count] = options;
  const Shape &in = x.shape(), &w = weight.shape();
  check("conv_transpose2d", in, w);
  const std::size_t groups = checked_groups("conv_transpose2d", group_count, w[0], "input channels");
  const std::size_t out = w[1] * groups;
  check_bias("conv_transpose2d", w, bias, out);
  if (in[1] != w[0])
    throw ShapeError(
        message("[conv_transpose2d] input ", in, " does not match weight ", w, ": expected ", w[0], " channels"));
  const auto size = [](std::size_t pixels, std::size_t kernel, std::ptrdiff_t step, std::ptrdiff_t border,
                       std::ptrdiff_t extra, std::ptrdiff_t spread) {
    return (static_cast<std::ptrdiff_t>(pixels) - 1) * step - 2 * border +
           spread * (static_cast<std::ptrdiff_t>(kernel) - 1) + extra + 1;
  };
  const Size2d image{size(in[2], w[2], stride.height, padding.height, output_padding.height, dilation.height),
                     size(in[3], w[3], stride.width, padding.width, output_padding.width, dilation.width)};
  const auto pixels = [](std::ptrdiff_t side) { return static_cast<std::size_t>(std::max<std::ptrdiff_t>(side, 0)); };
  const WindowAxes axes =
      slide("conv_transpose2d", pixels(image.height), pixels(image.width), {kernel_of(w), stride, padding, dilation});
  if (axes.height.out != in[2] || axes.width.out != in[3])
    throw ValueError(message("[conv_transpose2d] expected an output_padding from 0 to stride - 1, got ",
                             output_padding.height, " and ", output_padding.width));
  const Variable y = conv_input({in[0], out, w[0], groups, axes.height, axes.width}, x, weight);
  return bias ? y + reshape(bias, {out, 1, 1}) : y;
}

}  // namespace xgrad
