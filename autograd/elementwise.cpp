#include <xgrad/autograd/elementwise.h>
#include <xgrad/autograd/unary.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/simd.h>

#include <numbers>

namespace xgrad {

Variable exp(const Variable& x) {
  return unary("exp", x, map_registers(x.value(), [](Register v) { return exp(v); }),
               [](const Variable&, const Variable& y) { return y; });
}

Variable log(const Variable& x) {
  return unary("log", x, map_registers(x.value(), [](Register v) { return log(v); }),
               [](const Variable& input, const Variable&) { return 1 / input; });
}

Variable log1p(const Variable& x) {
  return unary("log1p", x, map_registers(x.value(), [](Register v) { return log1p(v); }),
               [](const Variable& input, const Variable&) { return 1 / (1 + input); });
}

Variable expm1(const Variable& x) {
  return unary("expm1", x, map_registers(x.value(), [](Register v) { return expm1(v); }),
               [](const Variable&, const Variable& y) { return y + 1; });
}

Variable sqrt(const Variable& x) {
  return unary("sqrt", x, map_registers(x.value(), [](Register v) { return sqrt(v); }),
               [](const Variable&, const Variable& y) { return 0.5 / y; });
}

Variable square(const Variable& x) {
  return unary("square", x, map_registers(x.value(), [](Register v) { return v * v; }),
               [](const Variable& input, const Variable&) { return 2 * input; });
}

Variable abs(const Variable& x) {
  return unary("abs", x, map_registers(x.value(), [](Register v) { return abs(v); }),
               [](const Variable& input, const Variable&) {
                 return Variable(map_elements(input.value(), [](Scalar v) { return Scalar(v > 0) - Scalar(v < 0); }));
               });
}

Variable sin(const Variable& x) {
  return unary("sin", x, map_registers(x.value(), [](Register v) { return sin(v); }),
               [](const Variable& input, const Variable&) { return cos(input); });
}

Variable cos(const Variable& x) {
  return unary("cos", x, map_registers(x.value(), [](Register v) { return cos(v); }),
               [](const Variable& input, const Variable&) { return -sin(input); });
}

Variable erf(const Variable& x) {
  return unary(
      "erf", x, map_registers(x.value(), [](Register v) { return erf(v); }),
      [](const Variable& input, const Variable&) { return 2 * std::numbers::inv_sqrtpi * exp(-square(input)); });
}

}  // namespace xgrad
