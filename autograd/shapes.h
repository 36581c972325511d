// Operations that move elements. Axes may be negative: they count from the end.
#pragma once

#include <xgrad/autograd/variable.h>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <optional>

namespace xgrad {

/// A size, in the list for reshape(). -1 stands for what the other sizes leave.
struct ReshapeSize {
  template <std::integral Integer>
  constexpr ReshapeSize(Integer number) : value(static_cast<std::size_t>(number)), negative(number < Integer(0)) {}
  std::size_t value;
  bool negative;
};

/// The same elements in row-major order under another shape, as in reshape(x, {batch, -1}). ShapeError unless the
/// counts agree, and for a second -1 or another negative size.
Variable reshape(const Variable& x, const Shape& shape);
Variable reshape(const Variable& x, std::initializer_list<ReshapeSize> sizes);

/// Dimension d of the result is dimension axes[d] of x; without axes, all are reversed. ShapeError unless `axes` is a
/// permutation.
Variable transpose(const Variable& x, const std::vector<std::ptrdiff_t>& axes = {});

/// x repeated along new dimensions and those of size 1. ShapeError where x does not broadcast to the shape.
Variable broadcast_to(const Variable& x, const Shape& shape);

/// The elements with begin <= index < end along one axis. ShapeError unless 0 <= begin <= end <= size.
Variable slice(const Variable& x, std::ptrdiff_t axis, std::size_t begin, std::size_t end);

/// Python's begin:end:step. Negative positions count from the end, and those beyond an end are taken as that end. With
/// a negative step it walks backwards: {.step = -1} is all in reverse.
struct Range {
  std::optional<std::ptrdiff_t> begin = {}, end = {};
  std::ptrdiff_t step = 1;
};

/// The elements of that range of one axis; x[index] (variable.h) is a single one, without the axis. ValueError for a
/// step of 0.
Variable slice(const Variable& x, std::ptrdiff_t axis, Range range);

/// The elements on and below (above) the diagonal of each matrix in the last two dimensions, and 0 elsewhere. Diagonal
/// k has the elements with column - row = k. ShapeError for fewer than two dimensions.
Variable tril(const Variable& x, std::ptrdiff_t diagonal = 0);
Variable triu(const Variable& x, std::ptrdiff_t diagonal = 0);

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
