#include <xgrad/autograd/arithmetic.h>
#include <xgrad/autograd/elementwise.h>
#include <xgrad/autograd/unary.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>

#include <cmath>

namespace xgrad {
namespace {

Variable scalar(double value) { return Variable(full({}, static_cast<Scalar>(value))); }

}  // namespace

Variable operator+(const Variable& a, const Variable& b) {
  return record("add", zip_elements("add", a.value(), b.value(), std::plus<>()), {a, b},
                [](const Variable&, const Variable& g) {
                  return std::vector{g, g};
                });
}

Variable operator-(const Variable& a, const Variable& b) {
  return record("subtract", zip_elements("subtract", a.value(), b.value(), std::minus<>()), {a, b},
                [](const Variable& y, const Variable& g) {
                  return std::vector{g, y.input(1).requires_grad() ? -g : Variable()};
                });
}

Variable operator*(const Variable& a, const Variable& b) {
  return record("multiply", zip_elements("multiply", a.value(), b.value(), std::multiplies<>()), {a, b},
                [](const Variable& y, const Variable& g) {
                  const Variable &left = y.input(0), &right = y.input(1);
                  return std::vector{left.requires_grad() ? g * right : Variable(),
                                     right.requires_grad() ? g * left : Variable()};
                });
}

Variable operator/(const Variable& a, const Variable& b) {
  return record("divide", zip_elements("divide", a.value(), b.value(), std::divides<>()), {a, b},
                [](const Variable& y, const Variable& g) {  // d(a/b) = da / b - (a/b) db / b
                  const Variable scaled = g / y.input(1);
                  return std::vector{scaled, y.input(1).requires_grad() ? -scaled * y : Variable()};
                });
}

Variable operator-(const Variable& a) {
  return record("negate", map_elements(a.value(), std::negate<>()), {a},
                [](const Variable&, const Variable& g) { return std::vector{-g}; });
}

Variable operator+(const Variable& a, double b) { return a + scalar(b); }
Variable operator-(const Variable& a, double b) { return a - scalar(b); }
Variable operator*(const Variable& a, double b) { return a * scalar(b); }
Variable operator/(const Variable& a, double b) { return a / scalar(b); }
Variable operator+(double a, const Variable& b) { return scalar(a) + b; }
Variable operator-(double a, const Variable& b) { return scalar(a) - b; }
Variable operator*(double a, const Variable& b) { return scalar(a) * b; }
Variable operator/(double a, const Variable& b) { return scalar(a) / b; }

Variable pow(const Variable& base, const Variable& exponent) {
  Tensor value = zip_elements("pow", base.value(), exponent.value(), [](Scalar a, Scalar b) { return std::pow(a, b); });
  return record("pow", std::move(value), {base, exponent}, [](const Variable& y, const Variable& g) {
    // Where the base is 0, log(base) is infinite: there the gradient with respect to the exponent is 0, and so must be
    // that of the other gradient, or the second derivatives would depend on their order. Where the exponent is 0 too,
    // 1 stands in for the base, since 0^-1 is infinite.
    const Variable &a = y.input(0), &b = y.input(1);
    const Variable nonzero(map_elements(a.value(), [](Scalar v) { return Scalar(v != 0); }));
    const Variable both_zero(
        zip_elements("pow", a.value(), b.value(), [](Scalar v, Scalar w) { return Scalar(v == 0 && w == 0); }));
    std::vector<Variable> gradients(2);
    if (a.requires_grad()) {
      const Variable exponent_there = where(nonzero, b, b.detach());
      gradients[0] = g * exponent_there * pow(where(both_zero, scalar(1), a), exponent_there - 1);
    }
    if (b.requires_grad()) gradients[1] = g * y * log(where(nonzero, a, scalar(1)));
    return gradients;
  });
}

Variable pow(const Variable& base, double exponent) {
  const auto e = static_cast<Scalar>(exponent);
  return unary(
      "pow", base, map_elements(base.value(), [e](Scalar x) { return std::pow(x, e); }),
      [exponent](const Variable& x, const Variable&) {
        return exponent == 0 ? scalar(0) : exponent * pow(x, exponent - 1);
      },
      attributes("exponent", exponent));
}

Variable maximum(const Variable& a, const Variable& b) {
  Tensor value =
      zip_elements("maximum", a.value(), b.value(), [](Scalar x, Scalar y) { return x > y || x != x ? x : y; });
  return record("maximum", std::move(value), {a, b}, [](const Variable& y, const Variable& g) {
    const Variable share(zip_elements("maximum", y.input(0).value(), y.input(1).value(), [](Scalar left, Scalar right) {
      return left > right ? Scalar(1) : left == right ? Scalar(0.5) : Scalar(0);
    }));
    return std::vector{g * share, g * (1 - share)};
  });
}

Variable minimum(const Variable& a, const Variable& b) {
  Tensor value =
      zip_elements("minimum", a.value(), b.value(), [](Scalar x, Scalar y) { return x < y || x != x ? x : y; });
  return record("minimum", std::move(value), {a, b}, [](const Variable& y, const Variable& g) {
    const Variable share(zip_elements("minimum", y.input(0).value(), y.input(1).value(), [](Scalar left, Scalar right) {
      return left < right ? Scalar(1) : left == right ? Scalar(0.5) : Scalar(0);
    }));
    return std::vector{g * share, g * (1 - share)};
  });
}

Variable where(const Variable& condition, const Variable& a, const Variable& b) {
  const Shape shape = broadcast_shapes("where", broadcast_shapes("where", a.shape(), b.shape()), condition.shape());
  const Tensor from_a = broadcast_to(a.value(), shape), from_b = broadcast_to(b.value(), shape);
  Tensor value = broadcast_to(condition.value(), shape);
  Scalar* out = value.data();
  for (std::size_t i = 0; i < value.size(); ++i) out[i] = out[i] != 0 ? from_a.data()[i] : from_b.data()[i];
  return record("where", std::move(value), {a, b, condition}, [](const Variable& y, const Variable& g) {
    const Variable& chosen = y.input(2);
    return std::vector{where(chosen, g, scalar(0)), where(chosen, scalar(0), g), Variable()};
  });
}

Variable clamp(const Variable& x, double low, double high) {
  if (!(low <= high)) throw ValueError(message("[clamp] expected low <= high, got ", low, " and ", high));
  const auto lo = static_cast<Scalar>(low), hi = static_cast<Scalar>(high);
  return unary(
      "clamp", x, map_elements(x.value(), [=](Scalar v) { return v < lo   ? lo
                                                                 : v > hi ? hi
                                                                          : v; }),
      [=](const Variable& input, const Variable&) {
        return Variable(map_elements(input.value(), [=](Scalar v) { return Scalar(lo <= v && v <= hi); }));
      },
      attributes("min", low, "max", high));
}

}  // namespace xgrad
