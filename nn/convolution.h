// Convolutional layers on images (batch, channels, height, width).
#pragma once

#include <xgrad/core/window.h>
#include <xgrad/nn/module.h>

#include <cstddef>
#include <limits>

namespace xgrad::nn {

/// As a padding of Conv1d and Conv2d with a stride of 1: as much as keeps the size of the image. Where that is an odd
/// number of pixels, the one more is below and right, as in PyTorch.
constexpr Size2d same_padding = std::numeric_limits<std::ptrdiff_t>::min();

struct Conv2dOptions {
  Size2d stride = 1, padding = 0, dilation = 1;
  std::ptrdiff_t groups = 1;
  bool bias = true;
};

/// conv2d with a weight (out, in / groups, kernel height, kernel width) and a bias (out,). Both start uniform in
/// ±1 / sqrt(fan_in), the weight drawn first, as in PyTorch. ValueError for channel counts below 1 or that `groups`
/// does not divide, for a kernel or an option out of range, and for `same_padding` with another stride; ShapeError for
/// images that do not fit.
class Conv2d : public Module {
 public:
  Conv2d(std::size_t in_channels, std::size_t out_channels, Size2d kernel_size, Conv2dOptions options = {});
  Variable forward(const Variable& x) override;

  Parameter weight, bias;

 private:
  Conv2dOptions options_;
};

struct Conv1dOptions {
  std::ptrdiff_t stride = 1;
  std::ptrdiff_t padding = 0;  ///< or same_padding.width
  std::ptrdiff_t dilation = 1, groups = 1;
  bool bias = true;
};

/// The same along sequences (batch, channels, length), with a weight (out, in / groups, kernel).
class Conv1d : public Module {
 public:
  Conv1d(std::size_t in_channels, std::size_t out_channels, std::ptrdiff_t kernel_size, Conv1dOptions options = {});
  Variable forward(const Variable& x) override;

  Parameter weight, bias;

 private:
  Conv1dOptions options_;
};

struct ConvTranspose2dOptions {
  Size2d stride = 1, padding = 0, output_padding = 0, dilation = 1;
  std::ptrdiff_t groups = 1;
  bool bias = true;
};

/// conv_transpose2d with a weight (in, out / groups, kernel height, kernel width) and a bias (out,). It starts as
/// Conv2d does, the fan being out / groups times the kernel's size.
class ConvTranspose2d : public Module {
 public:
  ConvTranspose2d(std::size_t in_channels, std::size_t out_channels, Size2d kernel_size,
                  ConvTranspose2dOptions options = {});
  Variable forward(const Variable& x) override;

  Parameter weight, bias;

 private:
  ConvTranspose2dOptions options_;
};

}  // namespace xgrad::nn
