// Functions of two coordinates that optimizers are tried on.
#pragma once

#include <xgrad/autograd/ops.h>

namespace xgrad {

inline Variable rosenbrock(const Variable& x, const Variable& y) { return square(1 - x) + 100 * square(y - square(x)); }
inline Variable himmelblau(const Variable& x, const Variable& y) {
  return square(square(x) + y - 11) + square(x + square(y) - 7);
}
inline Variable beale(const Variable& x, const Variable& y) {
  return square(1.5 - x + x * y) + square(2.25 - x + x * square(y)) + square(2.625 - x + x * y * square(y));
}

/// f at a point (2,), as a scalar.
inline Variable at(Variable (*f)(const Variable&, const Variable&), const Variable& p) {
  return sum(f(slice(p, 0, 0, 1), slice(p, 0, 1, 2)));
}

}  // namespace xgrad
