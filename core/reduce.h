// Reductions along axes. Sums add in double, so that 2e7 ones in float are 2e7.
#pragma once

#include <xgrad/core/tensor.h>

#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace xgrad {

/// Axes to reduce over: none named means all of them; negative ones count from the end.
class Axes {
 public:
  Axes() = default;
  Axes(std::ptrdiff_t axis) : axes_{axis} {}
  Axes(std::initializer_list<std::ptrdiff_t> axes) : axes_(axes) {}
  Axes(std::vector<std::ptrdiff_t> axes) : axes_(std::move(axes)) {}

  /// For each dimension of a shape of this rank: is it reduced? ShapeError, in the name of `operation`, for an axis out
  /// of range or named twice.
  std::vector<bool> mask(std::string_view operation, const Shape& shape) const;

 private:
  std::vector<std::ptrdiff_t> axes_;
};

/// `axis` counted from the begin. ShapeError, in the name of `operation`, where it is out of range.
std::size_t checked_axis(std::string_view operation, std::ptrdiff_t axis, const Shape& shape);

/// The shape with reduced dimensions left out, or kept as 1.
Shape reduced_shape(const Shape& shape, const std::vector<bool>& reduced, bool keepdims);

/// The sum, maximum or minimum over the marked dimensions, which stay as 1. NaN travels. The sum of nothing is 0, its
/// maximum -infinity and its minimum infinity.
Tensor reduce_sum(const Tensor& x, const std::vector<bool>& reduced);
Tensor reduce_max(const Tensor& x, const std::vector<bool>& reduced);
Tensor reduce_min(const Tensor& x, const std::vector<bool>& reduced);

/// The sum that undoes a broadcast: x brought back to `shape`, which must broadcast to x.shape().
Tensor sum_to(const Tensor& x, const Shape& shape);

}  // namespace xgrad
