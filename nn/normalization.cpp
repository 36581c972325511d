#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/nn/normalization.h>

#include <algorithm>
#include <cmath>

namespace xgrad::nn {
namespace {

void check(std::string_view operation, const Shape& sizes, double eps) {
  for (const std::size_t size : sizes)
    if (size < 1 || size > std::size_t{1} << 31)
      throw ValueError(message("[", operation, "] expected sizes of 1 to 2^31, got ", sizes));
  if (!(eps >= 0 && std::isfinite(eps)))
    throw ValueError(message("[", operation, "] expected a finite eps of 0 or more, got ", eps));
}

// One number a channel, for x (batch, channels, …).
Variable beside(const Variable& x, const Variable& numbers) {
  Shape shape(x.shape().size() - 1, 1);
  shape[0] = numbers.size();
  return reshape(numbers, shape);
}

}  // namespace

BatchNorm::BatchNorm(std::size_t channels, std::size_t dimensions, BatchNormOptions options)
    : dimensions_(dimensions), options_(options) {
  check("batch_norm", {channels}, options.eps);
  if (!(options.momentum >= 0 && options.momentum <= 1))
    throw ValueError(message("[batch_norm] expected momentum in [0, 1], got ", options.momentum));
  if (options.affine) weight = param("weight", ones({channels})), bias = param("bias", zeros({channels}));
  running_mean = buffer("running_mean", zeros({channels}));
  running_var = buffer("running_var", ones({channels}));
}

Variable BatchNorm::forward(const Variable& x) {
  const auto [eps, momentum, affine] = options_;
  const Shape& shape = x.shape();
  const std::size_t channels = running_mean.size();
  const bool flat = shape.size() == 2 && dimensions_ == 1;
  if (!(flat || shape.size() == dimensions_ + 2) || shape[1] != channels)
    throw ShapeError(message("[batch_norm] expected ", dimensions_ == 1 ? "(N, C) or (N, C, L)" : "(N, C, H, W)",
                             " with C = ", channels, ", got ", shape));
  if (!training()) {
    const Variable inverse = 1 / sqrt(running_var + eps), scale = affine ? weight * inverse : inverse;
    const Variable shift = -running_mean * scale;
    return x * beside(x, scale) + beside(x, affine ? bias + shift : shift);
  }
  const std::size_t n = x.size() / channels;
  if (n < 2) throw ValueError(message("[batch_norm] expected two values a channel or more to train on, got ", shape));
  GroupMoments moments;
  // A channel's values side by side: reading columns is slower than two transposes.
  const Variable y = flat ? transpose(normalize(transpose(x), {1, channels, n}, eps, weight, bias, &moments))
                          : normalize(x, {shape[0], channels, n / shape[0]}, eps, weight, bias, &moments);
  const auto follow = [&, share = momentum](Variable& running, const std::vector<double>& batch, double factor) {
    Scalar* values = running.mutable_value().data();
    for (std::size_t c = 0; c < channels; ++c)
      values[c] = static_cast<Scalar>((1 - share) * static_cast<double>(values[c]) + share * factor * batch[c]);
  };
  follow(running_mean, moments.mean, 1);
  follow(running_var, moments.variance, static_cast<double>(n) / static_cast<double>(n - 1));
  return y;
}

LayerNorm::LayerNorm(Shape normalized_shape, LayerNormOptions options)
    : shape_(std::move(normalized_shape)), eps_(options.eps) {
  check("layer_norm", shape_, eps_);
  if (options.elementwise_affine) weight = param("weight", ones(shape_)), bias = param("bias", zeros(shape_));
}

Variable LayerNorm::forward(const Variable& x) {
  const Shape& shape = x.shape();
  if (shape.size() < shape_.size() || !std::equal(shape_.rbegin(), shape_.rend(), shape.rbegin()))
    throw ShapeError(message("[layer_norm] the last dimensions of ", shape, " are not ", shape_));
  const std::size_t width = element_count(shape_);
  const Variable y = normalize(x, {1, x.size() / width, width}, eps_);
  return weight ? y * weight + bias : y;
}

GroupNorm::GroupNorm(std::size_t num_groups, std::size_t num_channels, GroupNormOptions options)
    : groups_(num_groups), channels_(num_channels), eps_(options.eps) {
  check("group_norm", {num_groups, num_channels}, eps_);
  if (num_channels % num_groups != 0)
    throw ValueError(message("[group_norm] ", num_groups, " groups do not divide ", num_channels, " channels"));
  if (options.affine) weight = param("weight", ones({num_channels})), bias = param("bias", zeros({num_channels}));
}

Variable GroupNorm::forward(const Variable& x) {
  const Shape& shape = x.shape();
  if (shape.size() < 2 || shape[1] != channels_)
    throw ShapeError(message("[group_norm] expected (N, C, …) with C = ", channels_, ", got ", shape));
  const std::size_t count = shape[0] * groups_;
  const Variable y = normalize(x, {1, count, x.size() / std::max<std::size_t>(count, 1)}, eps_);
  return weight ? y * beside(x, weight) + beside(x, bias) : y;
}

}  // namespace xgrad::nn
