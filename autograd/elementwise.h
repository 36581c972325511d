// Functions of one variable, element by element. Outside its domain a function gives NaN or infinity, as in IEEE 754.
#pragma once

#include <xgrad/autograd/variable.h>

namespace xgrad {

Variable exp(const Variable& x);
Variable log(const Variable& x);
Variable log1p(const Variable& x);  ///< log(1 + x), exact for small x
Variable expm1(const Variable& x);  ///< exp(x) - 1, exact for small x
Variable sqrt(const Variable& x);
Variable square(const Variable& x);
Variable abs(const Variable& x);  ///< the gradient at 0 is 0
Variable sin(const Variable& x);
Variable cos(const Variable& x);
Variable erf(const Variable& x);  ///< 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x

}  // namespace xgrad
