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

void follow(const Variable& running, const std::vector<double>& batch, double share, double factor) {
  Scalar* values = running.mutable_value().data();
  for (std::size_t c = 0; c < batch.size(); ++c)
    values[c] = Scalar((1 - share) * values[c] + share * factor * batch[c]);
}

void require_last(std::string_view operation, const Shape& shape, const Shape& last) {
  if (shape.size() < last.size() || !std::equal(last.rbegin(), last.rend(), shape.rbegin()))
    throw ShapeError(message("[", operation, "] the last dimensions of ", shape, " are not ", last));
}

double checked_eps(std::string_view operation, double eps) {
  if (!(eps >= 0 && std::isfinite(eps)))
    throw ValueError(message("[", operation, "] expected a finite eps of 0 or more, got ", eps));
  return eps;
}

}  // namespace

Normalization::Normalization(std::string_view operation, Shape shape, double eps, bool affine)
    : operation_(operation),
      shape_(detail::checked_sizes(operation, std::move(shape))),
      eps_(checked_eps(operation, eps)),
      weight(affine ? param("weight", ones(shape_)) : Parameter()),
      bias(affine ? param("bias", zeros(shape_)) : Parameter()) {}

void Normalization::require_shape(std::string_view name, const Variable& variable, const Shape& shape) const {
  if (variable.shape() != shape)
    throw ShapeError(message("[", operation_, "] expected ", name, " of shape ", shape, ", got ", variable.shape()));
}

void Normalization::require_affine_shapes() const {
  if (weight) require_shape("weight", weight, shape_), require_shape("bias", bias, shape_);
}

BatchNorm::BatchNorm(std::size_t channels, std::size_t dimensions, BatchNormOptions options)
    : Normalization("batch_norm", {channels}, options.eps, options.affine),
      running_mean(buffer("running_mean", zeros(shape_))),
      running_var(buffer("running_var", ones(shape_))),
      num_batches_tracked(buffer("num_batches_tracked", zeros({}))),
      dimensions_(dimensions),
      momentum_(options.momentum) {
  if (!(momentum_ >= 0 && momentum_ <= 1))
    throw ValueError(message("[batch_norm] expected momentum in [0, 1], got ", momentum_));
}

Variable BatchNorm::forward(const Variable& x) {
  const Shape& shape = x.shape();
  const std::size_t channels = shape_[0], n = x.size() / channels;
  const bool flat = shape.size() == 2 && dimensions_ == 1;
  if (!(flat || shape.size() == dimensions_ + 2) || shape[1] != channels)
    throw ShapeError(message("[batch_norm] expected ", dimensions_ == 1 ? "(N, C) or (N, C, L)" : "(N, C, H, W)",
                             " with C = ", channels, ", got ", shape));
  require_affine_shapes();
  require_shape("running_mean", running_mean, shape_), require_shape("running_var", running_var, shape_);
  require_shape("num_batches_tracked", num_batches_tracked, {});
  if (!training()) return batch_norm(x, running_mean, running_var, eps_, weight, bias);
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
  require_last("layer_norm", x.shape(), shape_);
  require_affine_shapes();
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
  require_affine_shapes();
  const std::size_t count = shape[0] * groups_;
  const Variable y = normalize(x, {1, count, x.size() / std::max<std::size_t>(count, 1)}, eps_);
  return weight ? y * beside(x, weight) + beside(x, bias) : y;
}

RMSNorm::RMSNorm(Shape normalized_shape, RMSNormOptions options)
    : shape_(detail::checked_sizes("rms_norm", std::move(normalized_shape))),
      eps_(checked_eps("rms_norm", options.eps)),
      weight(options.elementwise_affine ? param("weight", ones(shape_)) : Parameter()) {}

Variable RMSNorm::forward(const Variable& x) {
  require_last("rms_norm", x.shape(), shape_);
  if (weight && weight.shape() != shape_)
    throw ShapeError(message("[rms_norm] expected weight of shape ", shape_, ", got ", weight.shape()));
  std::vector<std::ptrdiff_t> axes;
  for (std::size_t d = 1; d <= shape_.size(); ++d) axes.push_back(-static_cast<std::ptrdiff_t>(d));
  if (axes.empty() || x.size() == 0) return weight ? x * weight : x;
  const Variable y = x / sqrt(mean(square(x), axes, true) + eps_);
  return weight ? y * weight : y;
}

}  // namespace xgrad::nn
