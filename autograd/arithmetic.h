// Arithmetic, element by element. Every operation here broadcasts as NumPy does; ShapeError where shapes do not fit.
#pragma once

#include <xgrad/autograd/variable.h>

#include <concepts>
#include <type_traits>

namespace xgrad {

Variable operator+(const Variable& a, const Variable& b);
Variable operator-(const Variable& a, const Variable& b);
Variable operator*(const Variable& a, const Variable& b);
Variable operator/(const Variable& a, const Variable& b);
Variable operator-(const Variable& a);

Variable operator+(const Variable& a, double b);
Variable operator-(const Variable& a, double b);
Variable operator*(const Variable& a, double b);
Variable operator/(const Variable& a, double b);
Variable operator+(double a, const Variable& b);
Variable operator-(double a, const Variable& b);
Variable operator*(double a, const Variable& b);
Variable operator/(double a, const Variable& b);

/// base^exponent. The gradient with respect to the exponent is base^exponent log(base), and 0 where the base is 0.
Variable pow(const Variable& base, const Variable& exponent);
Variable pow(const Variable& base, double exponent);

/// The larger (smaller) of two; NaN where either is. Where they are equal each gets half of the gradient.
Variable maximum(const Variable& a, const Variable& b);
Variable minimum(const Variable& a, const Variable& b);

/// a where the condition is not 0, b elsewhere. All three broadcast; the condition has no gradient.
///
/// Both a and b are computed everywhere, and the gradient of each is multiplied by 0 where it is not chosen. Where the
/// derivative of what is not chosen is infinite, 0 times infinity is NaN. So an argument outside a function's domain is
/// replaced before the function sees it, and not after:
///
///   where(positive, sqrt(x), zero)                           the gradient at x = 0 is NaN
///   where(positive, sqrt(where(positive, x, one)), zero)     the gradient at x = 0 is 0
Variable where(const Variable& condition, const Variable& a, const Variable& b);

/// x limited to [low, high]; the gradient passes where low <= x <= high. ValueError unless low <= high.
Variable clamp(const Variable& x, double low, double high);

// Beside a Variable, an expression of xtensor (a Tensor first of all) is a Variable without gradient, in both orders:
// x * noise. Without these, xtensor's own operators would take Variables for numbers and make an expression of them.

namespace detail {
template <class T>
concept IsVariable = std::derived_from<std::remove_cvref_t<T>, Variable>;
template <class T>
concept IsExpression = xt::is_xexpression<std::remove_cvref_t<T>>::value;
template <class... T>
concept Mixed = ((IsVariable<T> || IsExpression<T>)&&...) && (IsVariable<T> || ...) && (IsExpression<T> || ...);

inline const Variable& as_variable(const Variable& x) { return x; }
inline Variable as_variable(const Tensor& x) { return Variable(x); }
}  // namespace detail

template <class A, class B>
requires detail::Mixed<A, B> Variable operator+(A&& a, B&& b) {
  return detail::as_variable(a) + detail::as_variable(b);
}
template <class A, class B>
requires detail::Mixed<A, B> Variable operator-(A&& a, B&& b) {
  return detail::as_variable(a) - detail::as_variable(b);
}
template <class A, class B>
requires detail::Mixed<A, B> Variable operator*(A&& a, B&& b) {
  return detail::as_variable(a) * detail::as_variable(b);
}
template <class A, class B>
requires detail::Mixed<A, B> Variable operator/(A&& a, B&& b) {
  return detail::as_variable(a) / detail::as_variable(b);
}
template <class A, class B>
requires detail::Mixed<A, B> Variable pow(A&& a, B&& b) { return pow(detail::as_variable(a), detail::as_variable(b)); }
template <class A, class B>
requires detail::Mixed<A, B> Variable maximum(A&& a, B&& b) {
  return maximum(detail::as_variable(a), detail::as_variable(b));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable minimum(A&& a, B&& b) {
  return minimum(detail::as_variable(a), detail::as_variable(b));
}
template <class C, class A, class B>
requires detail::Mixed<C, A, B> Variable where(C&& condition, A&& a, B&& b) {
  return where(detail::as_variable(condition), detail::as_variable(a), detail::as_variable(b));
}

}  // namespace xgrad
