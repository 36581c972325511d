#include <xgrad/autograd/activations.h>
#include <xgrad/autograd/elementwise.h>
#include <xgrad/autograd/reductions.h>
#include <xgrad/autograd/shapes.h>
#include <xgrad/autograd/unary.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/simd.h>

#include <numbers>

namespace xgrad {
namespace {

// g where y > 0, and 0 elsewhere: the gradient of relu. It is linear in g, so its own gradient is the same mask.
Variable mask(const Variable& g, const Variable& y) {
  Tensor value = zip_elements("relu", g.value(), y.value(),
                              [](Scalar gradient, Scalar output) { return output > 0 ? gradient : Scalar(0); });
  return record("mask", std::move(value), {g, y}, [](const Variable& masked, const Variable& g2) {
    return std::vector{mask(g2, masked.input(1)), Variable()};
  });
}

// x minus the largest element along the axes, so that exp() does not overflow.
Tensor below_largest(const Tensor& x, const std::vector<bool>& reduced) {
  return zip_elements("softmax", x, reduce_max(x, reduced), std::minus<>());
}

Variable positive(const Variable& x) {
  return Variable(map_elements(x.value(), [](Scalar v) { return Scalar(v > 0); }));
}

}  // namespace

Variable tanh(const Variable& x) {
  return unary("tanh", x, map_registers(x.value(), [](Register v) { return tanh(v); }),
               [](const Variable&, const Variable& y) { return 1 - square(y); });
}

Variable sigmoid(const Variable& x) {
  return unary("sigmoid", x, map_registers(x.value(), [](Register v) { return Scalar(1) / (Scalar(1) + exp(-v)); }),
               [](const Variable&, const Variable& y) { return y * (1 - y); });
}

Variable relu(const Variable& x) {
  return record("relu", map_elements(x.value(), [](Scalar v) { return v <= 0 ? Scalar(0) : v; }), {x},
                [](const Variable& y, const Variable& g) { return std::vector{mask(g, y)}; });
}

Variable leaky_relu(const Variable& x, double negative_slope) {
  const auto slope = static_cast<Scalar>(negative_slope);
  return unary(
      "leaky_relu", x, map_elements(x.value(), [slope](Scalar v) { return v <= 0 ? slope * v : v; }),
      [slope](const Variable& input, const Variable&) {
        return Variable(map_elements(input.value(), [slope](Scalar v) { return v <= 0 ? slope : Scalar(1); }));
      },
      attributes("alpha", negative_slope));
}

Variable elu(const Variable& x, double alpha) {
  const auto a = static_cast<Scalar>(alpha);
  Tensor value = map_registers(x.value(), [a](Register v) { return select(v > Scalar(0), v, a * expm1(v)); });
  const auto derivative = [alpha](const Variable& input, const Variable& y) {
    return where(positive(input), Variable(ones({})), y + alpha);  // alpha exp(x) = y + alpha
  };
  return unary("elu", x, std::move(value), derivative, attributes("alpha", alpha));
}

Variable selu(const Variable& x) {
  return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717);
}

Variable gelu(const Variable& x, Gelu form) {
  if (form == Gelu::exact) return 0.5 * x * (1 + erf(x / std::numbers::sqrt2));
  const double scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // sqrt(2 / pi)
  return 0.5 * x * (1 + tanh(scale * (x + 0.044715 * pow(x, 3))));
}

Variable silu(const Variable& x) { return x * sigmoid(x); }

Variable mish(const Variable& x) { return x * tanh(softplus(x)); }

Variable softplus(const Variable& x) {
  const auto without_overflow = [](Register v) { return max(v, Register(0)) + log1p(exp(-abs(v))); };
  return unary("softplus", x, map_registers(x.value(), without_overflow),
               [](const Variable& input, const Variable&) { return sigmoid(input); });
}

Variable hardtanh(const Variable& x, double low, double high) {
  if (!(low < high)) throw ValueError(message("[hardtanh] expected low < high, got ", low, " and ", high));
  const auto lo = static_cast<Scalar>(low), hi = static_cast<Scalar>(high);
  return unary(
      "hardtanh", x, map_elements(x.value(), [=](Scalar v) { return v < lo   ? lo
                                                                    : v > hi ? hi
                                                                             : v; }),
      [=](const Variable& input, const Variable&) {
        return Variable(map_elements(input.value(), [=](Scalar v) { return Scalar(lo < v && v < hi); }));
      },
      attributes("min", low, "max", high));
}

Variable relu6(const Variable& x) { return hardtanh(x, 0, 6); }

Variable hardswish(const Variable& x) { return x * relu6(x + 3) / 6; }

Variable log_sigmoid(const Variable& x) { return -softplus(-x); }

Variable celu(const Variable& x, double alpha) {
  if (!(alpha > 0)) throw ValueError(message("[celu] expected alpha > 0, got ", alpha));
  return alpha * elu(x / alpha);
}

Variable prelu(const Variable& x, const Variable& slope) {
  Tensor value = zip_elements("prelu", x.value(), slope.value(), [](Scalar v, Scalar s) { return v > 0 ? v : s * v; });
  if (value.shape() != x.shape())
    throw ShapeError(message("[prelu] the slope ", slope.shape(), " does not broadcast to ", x.shape()));
  return record("prelu", std::move(value), {x, slope}, [](const Variable& y, const Variable& g) {
    const Variable &in = y.input(0), &factor = y.input(1), above = positive(in);
    return std::vector{where(above, g, g * factor), where(above, Variable(zeros({})), g * in)};
  });
}

Variable glu(const Variable& x, std::ptrdiff_t axis) {
  const std::size_t size = x.shape()[checked_axis("glu", axis, x.shape())];
  if (size % 2 != 0) throw ShapeError(message("[glu] expected an even axis ", axis, ", got the shape ", x.shape()));
  return slice(x, axis, 0, size / 2) * sigmoid(slice(x, axis, size / 2, size));
}

Variable softmax(const Variable& x, std::ptrdiff_t axis) {
  const std::vector<bool> reduced = Axes(axis).mask("softmax", x.shape());
  const Tensor e = map_registers(below_largest(x.value(), reduced), [](Register v) { return exp(v); });
  return record(
      "softmax", zip_elements("softmax", e, reduce_sum(e, reduced), std::divides<>()), {x},
      [axis](const Variable& y, const Variable& g) {  // y_i (g_i - sum_j g_j y_j)
        return std::vector{y * (g - sum(g * y, axis, true))};
      },
      attributes("axis", axis));
}

Variable log_softmax(const Variable& x, std::ptrdiff_t axis) {
  const std::vector<bool> reduced = Axes(axis).mask("log_softmax", x.shape());
  const Tensor below = below_largest(x.value(), reduced);  // so that large logits keep their digits
  const Tensor total = reduce_sum(map_registers(below, [](Register v) { return exp(v); }), reduced);
  const Tensor normalizer = map_registers(total, [](Register v) { return log(v); });
  return record(
      "log_softmax", zip_elements("log_softmax", below, normalizer, std::minus<>()), {x},
      [axis](const Variable& y, const Variable& g) {  // g_i - softmax_i sum_j g_j
        return std::vector{g - exp(y) * sum(g, axis, true)};
      },
      attributes("axis", axis));
}

}  // namespace xgrad
