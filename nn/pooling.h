// Pooling layers on images (batch, channels, height, width).
#pragma once

#include <xgrad/autograd/pooling.h>
#include <xgrad/nn/module.h>

namespace xgrad::nn {

/// max_pool2d.
class MaxPool2d : public Module {
 public:
  explicit MaxPool2d(Size2d kernel_size, PoolOptions options = {}) : kernel_(kernel_size), options_(options) {}
  Variable forward(const Variable& x) override { return max_pool2d(x, kernel_, options_); }

 private:
  Size2d kernel_;
  PoolOptions options_;
};

/// avg_pool2d.
class AvgPool2d : public Module {
 public:
  explicit AvgPool2d(Size2d kernel_size, PoolOptions options = {}) : kernel_(kernel_size), options_(options) {}
  Variable forward(const Variable& x) override { return avg_pool2d(x, kernel_, options_); }

 private:
  Size2d kernel_;
  PoolOptions options_;
};

/// The mean of each channel, (batch, channels, 1, 1), for images of any size: PyTorch's AdaptiveAvgPool2d(1).
struct GlobalAvgPool2d : Module {
  Variable forward(const Variable& x) override { return global_avg_pool2d(x); }
};

}  // namespace xgrad::nn
