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
  Size2d padding = 0;  ///< at most half of the kernel
};

/// The largest pixel of each window; NaN where there is one. Pixels outside the image do not count. The gradient goes
/// to the first of equal ones. Errors as conv2d's, and ValueError for a padding of more than half of the kernel.
Variable max_pool2d(const Variable& x, Size2d kernel, PoolOptions options = {});

/// The mean of each window. Pixels outside the image count as 0, as in PyTorch.
Variable avg_pool2d(const Variable& x, Size2d kernel, PoolOptions options = {});

/// The mean of each channel: (batch, channels, 1, 1).
Variable global_avg_pool2d(const Variable& x);

/// Zeros around the last two dimensions: so many rows above and below, and columns left and right.
Variable pad2d(const Variable& x, Size2d both);
Variable pad2d(const Variable& x, Size2d above_and_left, Size2d below_and_right);

}  // namespace xgrad
