// Reductions over any axes: sum(x) over all of them, sum(x, 0), sum(x, {0, 2}), sum(x, -1, true) to keep the axis as 1.
// ShapeError for an axis out of range or named twice. Sums and means accumulate in double.
#pragma once

#include <xgrad/autograd/variable.h>
#include <xgrad/core/reduce.h>

namespace xgrad {

Variable sum(const Variable& x, const Axes& axes = {}, bool keepdims = false);
Variable mean(const Variable& x, const Axes& axes = {}, bool keepdims = false);
/// The product; 1 of no elements. Its gradient is right where elements are 0, too.
Variable prod(const Variable& x, const Axes& axes = {}, bool keepdims = false);
/// The sums of the elements so far, along one axis, added up in double.
Variable cumsum(const Variable& x, std::ptrdiff_t axis = -1);
/// The largest (smallest) element; NaN where there is one. Equal extremes share the gradient. ValueError for no
/// elements.
Variable max(const Variable& x, const Axes& axes = {}, bool keepdims = false);
Variable min(const Variable& x, const Axes& axes = {}, bool keepdims = false);
/// sum((x - mean)^2) / (n - correction), in two passes. ValueError unless n > correction.
Variable variance(const Variable& x, const Axes& axes = {}, bool keepdims = false, double correction = 0);
/// The Euclidean norm, sqrt(sum(x^2)), without overflow. The gradient is x / norm, and 0 where the norm is 0.
Variable norm(const Variable& x, const Axes& axes = {}, bool keepdims = false);
/// sum(abs(x)^p)^(1/p), without overflow; the largest magnitude for an infinite p. The gradient is 0 where the norm is,
/// and for p < 2 the second gradient is not finite where an element is 0. ValueError unless p >= 1, and for the largest
/// of nothing.
Variable vector_norm(const Variable& x, double p, const Axes& axes = {}, bool keepdims = false);
/// log(sum(exp(x))), without overflow; -infinity for no elements.
Variable logsumexp(const Variable& x, const Axes& axes = {}, bool keepdims = false);

/// Undoes a broadcast: sums x back to `shape`. ShapeError where that shape does not broadcast to x's.
Variable sum_to(const Variable& x, const Shape& shape);

}  // namespace xgrad
