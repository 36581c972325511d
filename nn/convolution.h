// Convolutional layers on images (batch, channels, height, width).
#pragma once

#include <xgrad/core/window.h>
#include <xgrad/nn/module.h>

#include <cstddef>

namespace xgrad::nn {

struct Conv2dOptions {
  Size2d stride = 1, padding = 0, dilation = 1;
  std::ptrdiff_t groups = 1;
  bool bias = true;
};

/// conv2d with a weight (out, in / groups, kernel height, kernel width) and a bias (out,). Both start uniform in
/// ±1 / sqrt(fan_in), the weight drawn first, as in PyTorch. ValueError for channel counts below 1 or that `groups`
/// does not divide, and for a kernel or an option out of range; ShapeError for images that do not fit.
class Conv2d : public Module {
 public:
  Conv2d(std::size_t in_channels, std::size_t out_channels, Size2d kernel_size, Conv2dOptions options = {});
  Variable forward(const Variable& x) override;

  Parameter weight, bias;

 private:
  Conv2dOptions options_;
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
