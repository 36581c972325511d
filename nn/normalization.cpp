#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/nn/normalization.h>

#include <algorithm>
#include <cmath>

namespace xgrad::nn {
namespace {

// One number a channel, for x (batch, channels, …).
Variable beside(const Variable& x, const Variable& numbers) {
  Shape shape(x.shape().size() - 1, 1);
  shape[0] = numbers.size();
  return reshape(numbers, shape);
}

void follow(Variable& running, const std::vector<double>& batch, double share, double factor) {
  Scalar* values = running.mutable_value().data();
  for (std::size_t c = 0; c < batch.size(); ++c)
    values[c] = Scalar((1 - share) * values[c] + share * factor * batch[c]);
}

}  // namespace

Normalization::Normalization(std::string_view operation, Shape shape, double eps, bool affine)
    : shape_(std::move(shape)), eps_(eps) {
  if (std::any_of(shape_.begin(), shape_.end(),
                  [](std::size_t size) { return size < 1 || size > std::size_t{1} << 31; }))
    throw ValueError(message("[", operation, "] expected sizes of 1 to 2^31, got ", shape_));
  if (!(eps >= 0 && std::isfinite(eps)))
    throw ValueError(message("[", operation, "] expected a finite eps of 0 or more, got ", eps));
  if (affine) weight = param("weight", ones(shape_)), bias = param("bias", zeros(shape_));
}

BatchNorm::BatchNorm(std::size_t channels, std::size_t dimensions, BatchNormOptions options)
    : Normalization("batch_norm", {channels}, options.eps, options.affine),
      dimensions_(dimensions),
      momentum_(options.momentum) {
  if (!(momentum_ >= 0 && momentum_ <= 1))
    throw ValueError(message("[batch_norm] expected momentum in [0, 1], got ", momentum_));
  running_mean = buffer("running_mean", zeros(shape_));
  running_var = buffer("running_var", ones(shape_));
  num_batches_tracked = buffer("num_batches_tracked", zeros({}));
}

Variable BatchNorm::forward(const Variable& x) {
  const Shape& shape = x.shape();
  const std::size_t channels = shape_[0], n = x.size() / channels;
  const bool flat = shape.size() == 2 && dimensions_ == 1;
  if (!(flat || shape.size() == dimensions_ + 2) || shape[1] != channels)
    throw ShapeError(message("[batch_norm] expected ", dimensions_ == 1 ? "(N, C) or (N, C, L)" : "(N, C, H, W)",
                             " with C = ", channels, ", got ", shape));
  if (!training()) {
    const Variable inverse = 1 / sqrt(running_var + eps_), scale = weight ? weight * inverse : inverse;
    const Variable shift = -running_mean * scale;
    return x * beside(x, scale) + beside(x, bias ? bias + shift : shift);
  }
  if (n < 2) throw ValueError(message("[batch_norm] expected two values a channel or more to train on, got ", shape));
  GroupMoments moments;
  // Two transposes take less time than reading a column at a time.
  const Variable y = flat ? transpose(normalize(transpose(x), {1, channels, n}, eps_, weight, bias, &moments))
                          : normalize(x, {shape[0], channels, n / shape[0]}, eps_, weight, bias, &moments);
  follow(running_mean, moments.mean, momentum_, 1);
  num_batches_tracked.mutable_value()() += 1;
  follow(running_var, moments.variance, momentum_, static_cast<double>(n) / static_cast<double>(n - 1));
  return y;
}

LayerNorm::LayerNorm(Shape normalized_shape, LayerNormOptions options)
    : Normalization("layer_norm", std::move(normalized_shape), options.eps, options.elementwise_affine) {}

Variable LayerNorm::forward(const Variable& x) {
  const Shape& shape = x.shape();
  if (shape.size() < shape_.size() || !std::equal(shape_.rbegin(), shape_.rend(), shape.rbegin()))
    throw ShapeError(message("[layer_norm] the last dimensions of ", shape, " are not ", shape_));
  const std::size_t width = element_count(shape_);
  const Variable y = normalize(x, {1, x.size() / width, width}, eps_);
  return weight ? y * weight + bias : y;
}

GroupNorm::GroupNorm(std::size_t num_groups, std::size_t num_channels, GroupNormOptions options)
    : Normalization("group_norm", {num_channels}, options.eps, options.affine), groups_(num_groups) {
  if (num_groups == 0 || num_channels % num_groups != 0)
    throw ValueError(message("[group_norm] ", num_groups, " groups do not divide ", num_channels, " channels"));
}

Variable GroupNorm::forward(const Variable& x) {
  const Shape& shape = x.shape();
  if (shape.size() < 2 || shape[1] != shape_[0])
    throw ShapeError(message("[group_norm] expected (N, C, …) with C = ", shape_[0], ", got ", shape));
  const std::size_t count = shape[0] * groups_;
  const Variable y = normalize(x, {1, count, x.size() / std::max<std::size_t>(count, 1)}, eps_);
  return weight ? y * beside(x, weight) + beside(x, bias) : y;
}

}  // namespace xgrad::nn
