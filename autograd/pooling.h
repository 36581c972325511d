// Pooling and padding of images, which are (batch, channels, height, width).
#pragma once

#include <xgrad/autograd/variable.h>
#include <xgrad/core/window.h>

#include <cstddef>
#include <limits>

namespace xgrad {

/// As a stride: the kernel's size, so that windows lie side by side.
constexpr Size2d kernel_sized = std::numeric_limits<std::ptrdiff_t>::min();

struct PoolOptions {
  Size2d stride = kernel_sized;
  Size2d padding = 0;  ///< at most half of the kernel's extent, dilation (kernel - 1) + 1
  Size2d dilation = 1;
  bool ceil_mode = false;  ///< one window more where the last ones would leave pixels over, as far as it begins inside
  bool count_padding = true;  ///< the padding counts in the mean of avg_pool2d; what ceil_mode adds never does
};

/// The largest pixel of each window; NaN where there is one. Pixels outside the image do not count. The gradient goes
/// to the first of equal ones. Errors as conv2d's, and ValueError for a padding of more than half of the kernel.
Variable max_pool2d(const Variable& x, Size2d kernel, PoolOptions options = {});

/// The mean of each window. Pixels outside the image count as 0, as in PyTorch. ValueError for a dilation.
Variable avg_pool2d(const Variable& x, Size2d kernel, PoolOptions options = {});

/// The mean (the largest pixel) of each channel: (batch, channels, 1, 1).
Variable global_avg_pool2d(const Variable& x);
Variable global_max_pool2d(const Variable& x);

/// Zeros, the image mirrored at its outermost pixels, or these pixels again.
enum class Padding { zeros, reflect, edge };

/// So many rows above and below the last two dimensions, and columns left and right of them. ValueError for more than
/// the image has to mirror, which is its size less 1.
Variable pad2d(const Variable& x, Size2d both, Padding with = Padding::zeros);
Variable pad2d(const Variable& x, Size2d above_and_left, Size2d below_and_right, Padding with = Padding::zeros);

/// Each pixel `scale` times in both directions (nearest neighbours), for images (…, height, width).
Variable upsample2d(const Variable& x, Size2d scale);

}  // namespace xgrad
