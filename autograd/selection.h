// Comparing, choosing and sorting. Positions have no gradient; values that were chosen have.
#pragma once

#include <xgrad/autograd/arithmetic.h>

#include <concepts>
#include <cstddef>

namespace xgrad {

namespace detail {
enum class Order { less, less_equal, greater, greater_equal };
Variable compare(const Variable& a, const Variable& b, Order order);

inline Variable operand(const Variable& x) { return x; }
inline Variable operand(const Tensor& x) { return Variable(x); }
inline Variable operand(double x) { return Variable(full({}, static_cast<Scalar>(x))); }
template <class A, class B>
concept Comparable = Mixed<A, B> ||(IsVariable<A>&& IsVariable<B>) ||
                     (IsVariable<A> && std::is_arithmetic_v<std::remove_cvref_t<B>>) ||
                     (std::is_arithmetic_v<std::remove_cvref_t<A>> && IsVariable<B>);
}  // namespace detail

// 1 where the comparison holds and 0 elsewhere (so for NaN), without gradient: conditions for where(). Both broadcast;
// ShapeError where shapes do not fit. A number, too, is compared as a Scalar.

template <class A, class B>
requires detail::Comparable<A, B> Variable operator<(A&& a, B&& b) {
  return detail::compare(detail::operand(a), detail::operand(b), detail::Order::less);
}
template <class A, class B>
requires detail::Comparable<A, B> Variable operator<=(A&& a, B&& b) {
  return detail::compare(detail::operand(a), detail::operand(b), detail::Order::less_equal);
}
template <class A, class B>
requires detail::Comparable<A, B> Variable operator>(A&& a, B&& b) {
  return detail::compare(detail::operand(a), detail::operand(b), detail::Order::greater);
}
template <class A, class B>
requires detail::Comparable<A, B> Variable operator>=(A&& a, B&& b) {
  return detail::compare(detail::operand(a), detail::operand(b), detail::Order::greater_equal);
}

/// The position of the largest (smallest) element along an axis, which is left out: of the first, where several are
/// equal, and of the first NaN, where there is one. ValueError for an axis of size 0.
IndexTensor argmax(const Variable& x, std::ptrdiff_t axis = -1);
IndexTensor argmin(const Variable& x, std::ptrdiff_t axis = -1);

struct Chosen {
  Variable values;
  IndexTensor positions;  ///< along the axis
};

/// The k largest along an axis, the largest first (the smallest first, unless `largest`). NaN counts as larger than all
/// numbers; of equals, the first comes first. Sorting is choosing all. ValueError for a k above the axis's size.
Chosen topk(const Variable& x, std::size_t k, std::ptrdiff_t axis = -1, bool largest = true);
Chosen sort(const Variable& x, std::ptrdiff_t axis = -1, bool descending = false);

/// 1 at each position and 0 elsewhere: (…) to (…, classes). ValueError for a position outside [0, classes).
Tensor one_hot(const IndexTensor& positions, std::size_t classes);

/// begin, begin + step, … below `end` (above it, for a negative step). ValueError for a step of 0 and what is not
/// finite.
Tensor arange(double begin, double end, double step = 1);
inline Tensor arange(std::size_t count) { return arange(0, static_cast<double>(count)); }

}  // namespace xgrad
