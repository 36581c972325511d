// Two-dimensional convolution (cross-correlation, as everywhere in this field) and its two transposes.
#pragma once

#include <xgrad/core/tensor.h>
#include <xgrad/core/window.h>

namespace xgrad {

/// A convolution of images (batch, channels, height, width) with a weight (out_channels, channels / groups,
/// height.kernel, width.kernel), whose sizes must fit: nothing is checked here.
///
///   y[n][o][r][q] = sum over c, i, j of w[o][c][i][j] x[n][c][r stride + i dilation - padding][q stride + …]
///
/// with c over the channels of o's group, and x taken as 0 outside.
struct Convolution {
  std::size_t batch, channels, out_channels, groups;
  WindowAxis height, width;
};

// The three are linear in each operand and transposes of each other, so that the gradients of each are the other two.
// Results are the same bits for any number of threads.

/// y = the convolution, plus a bias (out_channels,) unless that is null.
void convolve(const Convolution& sizes, const Scalar* x, const Scalar* weight, const Scalar* bias, Scalar* y);
/// dx: what dy makes of x's gradient.
void convolve_input(const Convolution& sizes, const Scalar* dy, const Scalar* weight, Scalar* dx);
/// dweight: what dy makes of the weight's gradient.
void convolve_weight(const Convolution& sizes, const Scalar* x, const Scalar* dy, Scalar* dweight);

}  // namespace xgrad
