// Convolution of images, which are (batch, channels, height, width).
#pragma once

#include <xgrad/autograd/variable.h>
#include <xgrad/core/window.h>

#include <cstddef>

namespace xgrad {

struct ConvolutionOptions {
  Size2d stride = 1, padding = 0, dilation = 1;
  std::ptrdiff_t groups = 1;  ///< channels in and out fall into so many groups, with weights of their own
};

/// The convolution (without flipping the kernel, as everywhere in this field) with a weight (out, channels / groups,
/// kernel height, kernel width), plus a bias (out,) unless that is empty. Each side is (size + 2 padding - dilation
/// (kernel - 1) - 1) / stride + 1. ShapeError where shapes do not fit or the kernel is larger than the padded image,
/// ValueError for an option out of range or groups that do not divide the channels.
Variable conv2d(const Variable& x, const Variable& weight, const Variable& bias = {}, ConvolutionOptions options = {});

struct ConvTransposeOptions {
  Size2d stride = 1, padding = 0, output_padding = 0, dilation = 1;
  std::ptrdiff_t groups = 1;
};

/// The transpose of conv2d in its input: what a conv2d with this weight (channels, out / groups, kernel height, kernel
/// width) would read from has the result's shape. Each side is (size - 1) stride - 2 padding + dilation (kernel - 1) +
/// output_padding + 1, where output_padding, below stride or dilation, chooses among the sizes that stride rounds to
/// the same. Errors as conv2d's.
Variable conv_transpose2d(const Variable& x, const Variable& weight, const Variable& bias = {},
                          ConvTransposeOptions options = {});

}  // namespace xgrad
