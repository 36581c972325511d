// Pooling, padding and enlarging images (batch, channels, height, width).
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

/// The largest pixel of each channel, (batch, channels, 1, 1).
struct GlobalMaxPool2d : Module {
  Variable forward(const Variable& x) override { return global_max_pool2d(x); }
};

/// upsample2d.
class Upsample : public Module {
 public:
  explicit Upsample(Size2d scale) : scale_(scale) {}
  Variable forward(const Variable& x) override { return upsample2d(x, scale_); }

 private:
  Size2d scale_;
};

/// pad2d.
class Pad2d : public Module {
 public:
  explicit Pad2d(Size2d both, Padding with = Padding::zeros) : Pad2d(both, both, with) {}
  Pad2d(Size2d above_and_left, Size2d below_and_right, Padding with = Padding::zeros)
      : before_(above_and_left), after_(below_and_right), with_(with) {}
  Variable forward(const Variable& x) override { return pad2d(x, before_, after_, with_); }

 private:
  Size2d before_, after_;
  Padding with_;
};

}  // namespace xgrad::nn
