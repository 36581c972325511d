// Functions of elements, and reductions.
#include <xgrad/autograd/ops.h>
#include <xgrad/core/broadcast.h>

#include <cmath>
#include <limits>

#include "../numbers.h"
#include "onnx.h"

namespace xgrad::onnx {
namespace {

Operator of(Variable (*f)(const Variable&)) {
  return [f](const Node& n) { return f(n[0]); };
}

Operator of(Variable (*f)(const Variable&, const Variable&)) {
  return [f](const Node& n) { return f(n[0], n[1]); };
}

// f(f(a, b), c) …
Operator fold(Variable (*f)(const Variable&, const Variable&)) {
  return [f](const Node& n) {
    Variable y = n[0];
    for (std::size_t i = 1; i < n.inputs.size(); ++i) y = f(y, n[i]);
    return y;
  };
}

// An operation that the library does not have: its value, and its derivative written with operations.
Operator own(const char* name, double (*f)(double), Variable (*derivative)(const Variable&)) {
  return [=](const Node& n) {
    Tensor value = map_elements(n[0].value(), [f](Scalar x) { return static_cast<Scalar>(f(x)); });
    return record(name, std::move(value), {n[0]}, [derivative](const Variable& y, const Variable& g) {
      return std::vector{g * derivative(y.input(0))};
    });
  };
}

// Operators without gradient: steps, comparisons and logic, whose truth is 1.

template <class F>
Variable step(const Variable& x, F f) {
  return Variable(map_elements(x.value(), [f](Scalar v) { return static_cast<Scalar>(f(v)); }));
}

template <class F>
Operator step(F f) {
  return [f](const Node& n) { return step(n[0], f); };
}

template <class F>
Operator compare(F f) {
  return [f](const Node& n) {
    return Variable(zip_elements("compare", n[0].value(), n[1].value(),
                                 [f](Scalar a, Scalar b) { return static_cast<Scalar>(f(a, b)); }));
  };
}

Variable is_infinite(const Node& n) {
  const bool negative = n.attribute("detect_negative", 1) != 0, positive = n.attribute("detect_positive", 1) != 0;
  return step(n[0], [=](Scalar v) { return std::isinf(v) && (v < 0 ? negative : positive); });
}

Variable modulo(const Node& n) {
  const bool fmod = n.attribute("fmod", 0) != 0;  // the sign of the dividend, and else of the divisor
  return Variable(zip_elements("Mod", n[0].value(), n[1].value(), [fmod](Scalar a, Scalar b) {
    const Scalar rest = std::fmod(a, b);
    return fmod || rest == 0 || (rest < 0) == (b < 0) ? rest : rest + b;
  }));
}

Variable elu_of(const Node& n, double alpha, double gamma) {
  return n.attribute("gamma", gamma) * elu(n[0], n.attribute("alpha", alpha));
}

Variable shrink(const Node& n) {
  const double bias = n.attribute("bias", 0.0), limit = n.attribute("lambd", 0.5);
  const Variable sign = step(n[0], [=](Scalar v) { return v < -limit ? -1 : v > limit ? 1 : 0; });
  return abs(sign) * (n[0] - bias * sign);
}

Variable above(const Node& n, double limit) {
  return where(step(n[0], [limit](Scalar v) { return v > limit; }), n[0], constant(0));
}

// The upper limit wins, so this is no clamp. Each limit may be left out.
Variable clip(const Node& n) {
  const Variable x = n.has(1) ? maximum(n[0], n[1]) : n[0];
  return n.has(2) ? minimum(x, n[2]) : x;
}

// The axes are a constant input. Without any all are meant, or none.
Operator reduce(std::function<Variable(const Variable&, const Axes&, bool)> f) {
  return [f](const Node& n) {
    const Integers axes = n.integers(1);
    return axes.empty() && n.attribute("noop_with_empty_axes", 0) != 0 ? n[0]
                                                                       : f(n[0], axes, n.attribute("keepdims", 1) != 0);
  };
}

// The library refuses the maximum of nothing. Here it is -infinity.
Variable max_or_none(const Variable& x, const Axes& axes, bool keepdims) {
  return x.size() == 0 ? sum(x, axes, keepdims) - infinity : max(x, axes, keepdims);
}

Variable min_or_none(const Variable& x, const Axes& axes, bool keepdims) { return -max_or_none(-x, axes, keepdims); }

Variable multiply_all(const Variable& x, const Axes& axes, bool keepdims) {
  const std::vector<bool> reduced = axes.mask("ReduceProd", x.shape());
  Variable y = x;
  for (std::size_t d = 0; d < reduced.size(); ++d)
    if (reduced[d]) {
      const auto axis = static_cast<std::ptrdiff_t>(d);
      Shape shape = y.shape();
      shape[d] = 1;
      Variable product(ones(shape));
      for (std::size_t i = 0; i < x.shape()[d]; ++i) product = product * slice(y, axis, i, i + 1);
      y = product;
    }
  return reshape(y, reduced_shape(x.shape(), reduced, keepdims));
}

// A product with a triangle of ones.
Variable cumulative_sum(const Node& n) {
  const bool exclusive = n.attribute("exclusive", 0) != 0, reverse = n.attribute("reverse", 0) != 0;
  const Variable x = swap_axes(n[0], n.integer(1), -1);
  const std::size_t size = x.shape().back();
  Tensor triangle = zeros({size, size});
  for (std::size_t from = 0; from < size; ++from)
    for (std::size_t to = 0; to < size; ++to)
      triangle(from, to) = from == to ? !exclusive : reverse ? from > to : from < to;
  const Variable y = matmul(reshape(x, {x.size() / size, size}), Variable(triangle));
  return swap_axes(reshape(y, x.shape()), n.integer(1), -1);
}

Operators functions() {
  return {
      {"Identity", [](const Node& n) { return n[0]; }},
      {"Abs", of(abs)},
      {"Neg", [](const Node& n) { return -n[0]; }},
      {"Reciprocal", [](const Node& n) { return 1 / n[0]; }},
      {"Exp", of(exp)},
      {"Log", of(log)},
      {"Sqrt", of(sqrt)},
      {"Sin", of(sin)},
      {"Cos", of(cos)},
      {"Tan", [](const Node& n) { return sin(n[0]) / cos(n[0]); }},
      {"Asin", own("asin", std::asin, [](const Variable& x) { return 1 / sqrt(1 - square(x)); })},
      {"Acos", own("acos", std::acos, [](const Variable& x) { return -1 / sqrt(1 - square(x)); })},
      {"Atan", own("atan", std::atan, [](const Variable& x) { return 1 / (1 + square(x)); })},
      {"Sinh", [](const Node& n) { return (expm1(n[0]) - expm1(-n[0])) / 2; }},
      {"Cosh", [](const Node& n) { return (exp(n[0]) + exp(-n[0])) / 2; }},
      {"Tanh", of(tanh)},
      {"Asinh", own("asinh", std::asinh, [](const Variable& x) { return 1 / sqrt(square(x) + 1); })},
      {"Acosh", own("acosh", std::acosh, [](const Variable& x) { return 1 / sqrt(square(x) - 1); })},
      {"Atanh", [](const Node& n) { return (log1p(n[0]) - log1p(-n[0])) / 2; }},
      {"Erf", of(erf)},
      {"Sign", step([](Scalar v) { return std::isnan(v) ? v : Scalar((v > 0) - (v < 0)); })},
      {"Ceil", step([](Scalar v) { return std::ceil(v); })},
      {"Floor", step([](Scalar v) { return std::floor(v); })},
      {"Round", step([](Scalar v) { return std::nearbyint(v); })},
      {"IsNaN", step([](Scalar v) { return std::isnan(v); })},
      {"IsInf", is_infinite},
  };
}

Operators activations() {
  return {
      {"Sigmoid", of(sigmoid)},
      {"Relu", of(relu)},
      {"LeakyRelu", [](const Node& n) { return leaky_relu(n[0], n.attribute("alpha", 0.01)); }},
      {"PRelu", [](const Node& n) { return where(step(n[0], [](Scalar v) { return v < 0; }), n[1] * n[0], n[0]); }},
      {"ThresholdedRelu", [](const Node& n) { return above(n, n.attribute("alpha", 1.0)); }},
      {"Shrink", shrink},
      {"Elu", [](const Node& n) { return elu_of(n, 1, 1); }},
      // ONNX gives the constants in single precision, and so selu() is another function.
      {"Selu", [](const Node& n) { return elu_of(n, 1.67326319217681884765625, 1.05070102214813232421875); }},
      {"Celu", [](const Node& n) { return n.attribute("alpha", 1.0) * elu(n[0] / n.attribute("alpha", 1.0)); }},
      {"Gelu",
       [](const Node& n) {
         return gelu(n[0], n.attribute<std::string>("approximate", "none") == "tanh" ? Gelu::tanh : Gelu::exact);
       }},
      {"Softplus", of(softplus)},
      {"Softsign", [](const Node& n) { return n[0] / (1 + abs(n[0])); }},
      {"HardSigmoid",
       [](const Node& n) { return clamp(n.attribute("alpha", 0.2) * n[0] + n.attribute("beta", 0.5), 0, 1); }},
      {"HardSwish", [](const Node& n) { return n[0] * clamp(n[0] / 6 + 0.5, 0, 1); }},
      {"Mish", of(mish)},
      {"Swish", [](const Node& n) { return n[0] * sigmoid(n.attribute("alpha", 1.0) * n[0]); }},
      {"Softmax", [](const Node& n) { return softmax(n[0], n.attribute("axis", -1)); }},
      {"LogSoftmax", [](const Node& n) { return log_softmax(n[0], n.attribute("axis", -1)); }},
      {"Clip", clip},
  };
}

Operators arithmetic() {
  return {
      {"Add", [](const Node& n) { return n[0] + n[1]; }},
      {"Sub", [](const Node& n) { return n[0] - n[1]; }},
      {"Mul", [](const Node& n) { return n[0] * n[1]; }},
      {"Div", [](const Node& n) { return n[0] / n[1]; }},
      {"Pow", of(pow)},
      {"Mod", modulo},
      {"Max", fold(maximum)},
      {"Min", fold(minimum)},
      {"Sum", fold(operator+)},
      {"Mean", [](const Node& n) { return fold(operator+)(n)[0] / double(n.inputs.size()); }},
      {"Where", [](const Node& n) { return where(n[0], n[1], n[2]); }},
      {"Equal", compare([](Scalar a, Scalar b) { return a == b; })},
      {"Greater", compare([](Scalar a, Scalar b) { return a > b; })},
      {"GreaterOrEqual", compare([](Scalar a, Scalar b) { return a >= b; })},
      {"Less", compare([](Scalar a, Scalar b) { return a < b; })},
      {"LessOrEqual", compare([](Scalar a, Scalar b) { return a <= b; })},
      {"And", compare([](Scalar a, Scalar b) { return a != 0 && b != 0; })},
      {"Or", compare([](Scalar a, Scalar b) { return a != 0 || b != 0; })},
      {"Xor", compare([](Scalar a, Scalar b) { return (a != 0) != (b != 0); })},
      {"Not", step([](Scalar a) { return a == 0; })},
  };
}

Operators reductions() {
  return {
      {"ReduceSum", reduce(sum)},
      {"ReduceMean", reduce(mean)},
      {"ReduceProd", reduce(multiply_all)},
      {"ReduceMax", reduce(max_or_none)},
      {"ReduceMin", reduce(min_or_none)},
      {"ReduceL1", reduce([](auto& x, auto& axes, bool keep) { return sum(abs(x), axes, keep); })},
      {"ReduceL2", reduce([](auto& x, auto& axes, bool keep) { return sqrt(sum(square(x), axes, keep)); })},
      {"ReduceSumSquare", reduce([](auto& x, auto& axes, bool keep) { return sum(square(x), axes, keep); })},
      {"ReduceLogSum", reduce([](auto& x, auto& axes, bool keep) { return log(sum(x, axes, keep)); })},
      {"ReduceLogSumExp", reduce(logsumexp)},
      {"CumSum", cumulative_sum},
  };
}

}  // namespace

Operators element_operators() {
  Operators all = functions();
  for (Operators part : {activations(), arithmetic(), reductions()}) all.merge(part);
  return all;
}

}  // namespace xgrad::onnx
