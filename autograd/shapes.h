// Operations that move elements. Axes may be negative: they count from the end.
#pragma once

#include <xgrad/autograd/variable.h>

#include <cstddef>

namespace xgrad {

/// The same elements in row-major order under another shape. ShapeError unless the counts agree.
Variable reshape(const Variable& x, const Shape& shape);

/// Dimension d of the result is dimension axes[d] of x; without axes, all are reversed. ShapeError unless `axes` is a
/// permutation.
Variable transpose(const Variable& x, const std::vector<std::ptrdiff_t>& axes = {});

/// x repeated along new dimensions and those of size 1. ShapeError where x does not broadcast to the shape.
Variable broadcast_to(const Variable& x, const Shape& shape);

/// The elements with begin <= index < end along one axis. ShapeError unless 0 <= begin <= end <= size.
Variable slice(const Variable& x, std::ptrdiff_t axis, std::size_t begin, std::size_t end);

/// x in parts of these sizes along an axis, in order; and its slices of size 1, without the axis, such as the steps of
/// a sequence. ShapeError unless the sizes add up to the axis. The time of the gradients grows with the elements times
/// the logarithm of the number of parts; as many slices of x would take the elements times that number.
std::vector<Variable> split(const Variable& x, const std::vector<std::size_t>& sizes, std::ptrdiff_t axis = 0);
std::vector<Variable> unbind(const Variable& x, std::ptrdiff_t axis = 0);

/// The transpose of slice: zeros of `shape` with x at `begin` along the axis. ShapeError where x does not fit there.
Variable unslice(const Variable& x, const Shape& shape, std::ptrdiff_t axis, std::size_t begin);

/// Joins along an existing axis (a new one, for stack). ShapeError where the other dimensions differ, ValueError for no
/// inputs.
Variable concatenate(const std::vector<Variable>& inputs, std::ptrdiff_t axis = 0);
Variable stack(const std::vector<Variable>& inputs, std::ptrdiff_t axis = 0);

}  // namespace xgrad
