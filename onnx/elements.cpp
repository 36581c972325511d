// Functions of elements, and reductions.
#include <xgrad/autograd/ops.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/onnx/operators.h>

#include <cmath>
#include <limits>

namespace xgrad::onnx {
namespace {

Operator of(Variable (*f)(const Variable&)) {
  return [f](const Node& n) { return f(n[0]); };
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

// The quotient of whole numbers is whole. load_onnx() says where they are, for here all numbers are Scalars.
Variable divide(const Node& n) {
  const Variable quotient = n[0] / n[1];
  return n.attribute(whole_numbers, 0) != 0 ? step(quotient, [](Scalar v) { return std::trunc(v); }) : quotient;
}

// ONNX gives the constants in single precision, and so selu() is another function.
Variable selu_of(const Node& n) {
  return n.attribute("gamma", 1.05070102214813232421875) * elu(n[0], n.attribute("alpha", 1.67326319217681884765625));
}

Variable shrink(const Node& n) {
  const double bias = n.attribute("bias", 0.0), limit = n.attribute("lambd", 0.5);
  const Variable sign = step(n[0], [=](Scalar v) { return v < -limit ? -1 : v > limit ? 1 : 0; });
  return abs(sign) * (n[0] - bias * sign);
}

Variable above(const Node& n, double limit) {
  return where(step(n[0], [limit](Scalar v) { return v > limit; }), n[0], constant(0));
}

Variable power(const Node& n) {
  const bool fixed = n.has(1) && n[1].shape().empty() && is_number(n[1]);
  return fixed ? pow(n[0], static_cast<double>(n[1].item())) : pow(n[0], n[1]);
}

// Each limit may be left out. The upper one wins, so with limits that are computed this is no clamp.
Variable clip(const Node& n) {
  constexpr double none = std::numeric_limits<double>::infinity();
  if ((!n.has(1) || is_number(n[1])) && (!n.has(2) || is_number(n[2]))) {
    const double low = n.has(1) ? static_cast<double>(n[1].item()) : -none;
    const double high = n.has(2) ? static_cast<double>(n[2].item()) : none;
    if (low <= high) return clamp(n[0], low, high);
  }
  const Variable x = n.has(1) ? maximum(n[0], n[1]) : n[0];
  return n.has(2) ? minimum(x, n[2]) : x;
}

// Without axes all are meant, or none.
Operator reduce(std::function<Variable(const Variable&, const Axes&, bool)> f) {
  return [f](const Node& n) {
    const Integers axes = n.axes();
    return axes.empty() && n.attribute("noop_with_empty_axes", 0) != 0 ? n[0]
                                                                       : f(n[0], axes, n.attribute("keepdims", 1) != 0);
  };
}

// The library refuses the maximum of nothing. Here it is -infinity.
Variable max_or_none(const Variable& x, const Axes& axes, bool keepdims) {
  return x.size() == 0 ? sum(x, axes, keepdims) - std::numeric_limits<double>::infinity() : max(x, axes, keepdims);
}

Variable min_or_none(const Variable& x, const Axes& axes, bool keepdims) {
  return x.size() == 0 ? -max_or_none(x, axes, keepdims) : min(x, axes, keepdims);
}

Variable cumulative_sum(const Node& n) {
  const std::ptrdiff_t axis = n.integer(1);
  const bool from_end = n.attribute("reverse", 0) != 0;
  const auto turned = [&](const Variable& x) { return from_end ? slice(x, axis, {.step = -1}) : x; };
  Variable y = cumsum(turned(n[0]), axis);
  if (n.attribute("exclusive", 0) != 0 && y.size() > 0) y = unslice(slice(y, axis, {.end = -1}), y.shape(), axis, 1);
  return turned(y);
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
      {"PRelu", [](const Node& n) { return prelu(n[0], n[1]); }},
      {"ThresholdedRelu", [](const Node& n) { return above(n, n.attribute("alpha", 1.0)); }},
      {"Shrink", shrink},
      {"Elu", [](const Node& n) { return elu(n[0], n.attribute("alpha", 1.0)); }},
      {"Selu", selu_of},
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
      {"Div", divide},
      {"Pow", power},
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
      {"ReduceProd", reduce(prod)},
      {"ReduceMax", reduce(max_or_none)},
      {"ReduceMin", reduce(min_or_none)},
      {"ReduceL1", reduce([](auto& x, auto& axes, bool keep) { return sum(abs(x), axes, keep); })},
      {"ReduceL2", reduce(norm)},
      {"ReduceSumSquare", reduce([](auto& x, auto& axes, bool keep) { return sum(square(x), axes, keep); })},
      {"ReduceLogSum", reduce([](auto& x, auto& axes, bool keep) { return log(sum(x, axes, keep)); })},
      {"ReduceLogSumExp", reduce(logsumexp)},
      {"CumSum", cumulative_sum},
  };
}

}  // namespace

const Operators& operators() {
  static const Operators all = [] {
    Operators every = element_operators();
    for (Operators part : {shape_operators(), position_operators(), window_operators(), layer_operators()})
      every.merge(part);
    return every;
  }();
  return all;
}

Operators element_operators() {
  Operators all = functions();
  for (Operators part : {activations(), arithmetic(), reductions()}) all.merge(part);
  return all;
}

}  // namespace xgrad::onnx
