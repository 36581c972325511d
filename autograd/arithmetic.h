// Arithmetic, element by element. Every operation here broadcasts as NumPy does; ShapeError where shapes do not fit.
#pragma once

#include <xgrad/autograd/variable.h>

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
Variable where(const Variable& condition, const Variable& a, const Variable& b);

/// x limited to [low, high]; the gradient passes where low <= x <= high. ValueError unless low <= high.
Variable clamp(const Variable& x, double low, double high);

}  // namespace xgrad
