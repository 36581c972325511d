// Layers that keep the scale of activations: (x - mean) / sqrt(variance + eps) * weight + bias. They differ in the
// elements over which mean and variance are taken.
//
// ValueError for sizes outside 1 to 2^31, for an eps that is negative or not finite, and for a momentum outside [0, 1].
// ShapeError for an input of another shape.
#pragma once

#include <xgrad/nn/module.h>

#include <cstddef>
#include <string_view>

namespace xgrad::nn {

/// What the layers share.
class Normalization : public Module {
 protected:
  Normalization(std::string_view operation, Shape shape, double eps, bool affine);
  /// ShapeError that names what is of another shape: somebody gave it another one with mutable_value().
  void require_shape(std::string_view name, const Variable& variable, const Shape& shape) const;
  void require_affine_shapes() const;

  std::string_view operation_;
  Shape shape_;  // of weight and bias
  double eps_;

 public:
  Parameter weight, bias;  ///< (channels,), or of LayerNorm's shape; at first 1 and 0. Empty, unless affine.
};

struct BatchNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;  ///< the share of the newest batch in the running statistics
  bool affine = true;
};

/// Ioffe & Szegedy 2015. In training, over the batch, a channel at a time; the running statistics follow, the variance
/// with n - 1 in its denominator. In evaluation they take the place of the batch's. ValueError, before anything
/// changes, for a batch to train on with less than two values a channel.
struct BatchNorm : Normalization {
  Variable forward(const Variable& x) override;

  Parameter running_mean, running_var;  ///< (channels,): buffers, at first 0 and 1
  Parameter num_batches_tracked;        ///< (): how many batches it was trained on, kept so that PyTorch's states fit

 protected:
  BatchNorm(std::size_t channels, std::size_t dimensions, BatchNormOptions options);

 private:
  std::size_t dimensions_;
  double momentum_;
};

/// On (batch, channels) and (batch, channels, length).
struct BatchNorm1d : BatchNorm {
  explicit BatchNorm1d(std::size_t num_features, BatchNormOptions options = {}) : BatchNorm(num_features, 1, options) {}
};

/// On (batch, channels, height, width).
struct BatchNorm2d : BatchNorm {
  explicit BatchNorm2d(std::size_t num_features, BatchNormOptions options = {}) : BatchNorm(num_features, 2, options) {}
};

struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;
};

/// Ba et al. 2016: over the last dimensions, whose sizes are normalized_shape.
struct LayerNorm : Normalization {
  explicit LayerNorm(Shape normalized_shape, LayerNormOptions options = {});
  explicit LayerNorm(std::size_t width, LayerNormOptions options = {}) : LayerNorm(Shape{width}, options) {}
  Variable forward(const Variable& x) override;
};

struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;
};

/// Wu & He 2018: over groups of neighbouring channels of each sample of (batch, channels, …). ValueError unless
/// num_groups divides num_channels.
struct GroupNorm : Normalization {
  GroupNorm(std::size_t num_groups, std::size_t num_channels, GroupNormOptions options = {});
  Variable forward(const Variable& x) override;

 private:
  std::size_t groups_;
};

/// Ulyanov et al. 2016: over each channel of each sample; GroupNorm with a group for each channel.
struct InstanceNorm : GroupNorm {
  explicit InstanceNorm(std::size_t num_features, GroupNormOptions options = {.affine = false})
      : GroupNorm(num_features, num_features, options) {}
};

struct RMSNormOptions {
  double eps = 1e-6;
  bool elementwise_affine = true;
};

/// Zhang & Sennrich 2019: x / sqrt(mean(x^2) + eps) * weight, over the last dimensions, whose sizes are
/// normalized_shape. Nothing is subtracted, and there is no bias.
class RMSNorm : public Module {
 public:
  explicit RMSNorm(Shape normalized_shape, RMSNormOptions options = {});
  explicit RMSNorm(std::size_t width, RMSNormOptions options = {}) : RMSNorm(Shape{width}, options) {}
  Variable forward(const Variable& x) override;

 private:
  Shape shape_;
  double eps_;

 public:
  Parameter weight;  ///< of that shape, at first 1; empty, unless elementwise_affine
};

}  // namespace xgrad::nn
