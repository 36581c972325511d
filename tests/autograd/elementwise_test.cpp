// Operations element by element: a row each, with its value, its gradient and its second gradient.
#include <xgrad/autograd/ops.h>

#include <type_traits>
#include <utility>

#include "operation_tables.h"

using namespace xgrad;

namespace {

struct Unary {
  const char* name;
  std::function<Variable(const Variable&)> operation;
  std::function<double(double)> expected;
  double low = -2, high = 2;
  std::initializer_list<double> kinks = {};
};

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }
double softplus_of(double x) { return std::log1p(std::exp(x)); }

const Unary unary_cases[] = {
    {"operator-", [](auto& x) { return -x; }, [](double x) { return -x; }},
    {"exp", [](auto& x) { return exp(x); }, [](double x) { return std::exp(x); }},
    {"log", [](auto& x) { return log(x); }, [](double x) { return std::log(x); }, 0.2, 3},
    {"log1p", [](auto& x) { return log1p(x); }, [](double x) { return std::log1p(x); }, -0.8, 3},
    {"expm1", [](auto& x) { return expm1(x); }, [](double x) { return std::expm1(x); }},
    {"sqrt", [](auto& x) { return sqrt(x); }, [](double x) { return std::sqrt(x); }, 0.3, 3},
    {"square", [](auto& x) { return square(x); }, [](double x) { return x * x; }},
    {"abs", [](auto& x) { return abs(x); }, [](double x) { return std::abs(x); }, -2, 2, {0}},
    {"sin", [](auto& x) { return sin(x); }, [](double x) { return std::sin(x); }, -7, 7},
    {"cos", [](auto& x) { return cos(x); }, [](double x) { return std::cos(x); }, -7, 7},
    {"erf", [](auto& x) { return erf(x); }, [](double x) { return std::erf(x); }},
    {"tanh", [](auto& x) { return tanh(x); }, [](double x) { return std::tanh(x); }},
    {"sigmoid", [](auto& x) { return sigmoid(x); }, sigmoid_of},
    {"relu", [](auto& x) { return relu(x); }, [](double x) { return std::max(x, 0.0); }, -2, 2, {0}},
    {"leaky_relu",
     [](auto& x) { return leaky_relu(x, 0.2); },
     [](double x) { return x > 0 ? x : 0.2 * x; },
     -2,
     2,
     {0}},
    {"elu", [](auto& x) { return elu(x, 1.5); }, [](double x) { return x > 0 ? x : 1.5 * std::expm1(x); }, -2, 2, {0}},
    {"selu",
     [](auto& x) { return selu(x); },
     [](double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x)); },
     -2,
     2,
     {0}},
    {"gelu", [](auto& x) { return gelu(x); }, [](double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }},
    {"gelu", [](auto& x) { return gelu(x, Gelu::tanh); },
     [](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }},
    {"silu", [](auto& x) { return silu(x); }, [](double x) { return x * sigmoid_of(x); }},
    {"mish", [](auto& x) { return mish(x); }, [](double x) { return x * std::tanh(softplus_of(x)); }},
    {"softplus", [](auto& x) { return softplus(x); }, softplus_of},
    {"hardtanh",
     [](auto& x) { return hardtanh(x, -1, 0.5); },
     [](double x) { return std::min(std::max(x, -1.0), 0.5); },
     -2,
     2,
     {-1, 0.5}},
    {"relu6",
     [](auto& x) { return relu6(x); },
     [](double x) { return std::min(std::max(x, 0.0), 6.0); },
     -2,
     8,
     {0, 6}},
    {"hardswish",
     [](auto& x) { return hardswish(x); },
     [](double x) { return x * std::min(std::max(x + 3, 0.0), 6.0) / 6; },
     -4,
     4,
     {-3, 3}},
    {"log_sigmoid", [](auto& x) { return log_sigmoid(x); }, [](double x) { return std::log(sigmoid_of(x)); }},
    {"celu",
     [](auto& x) { return celu(x, 2); },
     [](double x) { return x > 0 ? x : 2 * std::expm1(x / 2); },
     -2,
     2,
     {0}},
    {"clamp",
     [](auto& x) { return clamp(x, -0.5, 1); },
     [](double x) { return std::min(std::max(x, -0.5), 1.0); },
     -2,
     2,
     {-0.5, 1}},
    {"pow", [](auto& x) { return pow(x, 3); }, [](double x) { return x * x * x; }},
    {"pow", [](auto& x) { return pow(x, 1); }, [](double x) { return x; }},
    {"pow", [](auto& x) { return pow(x, 0); }, [](double) { return 1; }},
    {"pow", [](auto& x) { return pow(x, -1.5); }, [](double x) { return std::pow(x, -1.5); }, 0.4, 2},
    {"operator+", [](auto& x) { return 2 + x + 0.5; }, [](double x) { return x + 2.5; }},
    {"operator-", [](auto& x) { return 2 - (x - 0.5); }, [](double x) { return 2.5 - x; }},
    {"operator*", [](auto& x) { return 2 * x * 0.25; }, [](double x) { return x / 2; }},
    {"operator/", [](auto& x) { return 2 / (x / 4); }, [](double x) { return 8 / x; }, 0.5, 2},
};

struct Binary {
  const char* name;
  std::function<Variable(const Variable&, const Variable&)> operation;
  std::function<double(double, double)> expected;
  double low = -2, high = 2;
};

const Binary binary_cases[] = {
    {"operator+", [](auto& a, auto& b) { return a + b; }, [](double a, double b) { return a + b; }},
    {"operator-", [](auto& a, auto& b) { return a - b; }, [](double a, double b) { return a - b; }},
    {"operator*", [](auto& a, auto& b) { return a * b; }, [](double a, double b) { return a * b; }},
    {"operator/", [](auto& a, auto& b) { return a / b; }, [](double a, double b) { return a / b; }, 0.5, 2},
    {"pow", [](auto& a, auto& b) { return pow(a, b); }, [](double a, double b) { return std::pow(a, b); }, 0.5, 2},
    {"maximum", [](auto& a, auto& b) { return maximum(a, b); }, [](double a, double b) { return std::max(a, b); }},
    {"minimum", [](auto& a, auto& b) { return minimum(a, b); }, [](double a, double b) { return std::min(a, b); }},
    {"where",
     [](auto& a, auto& b) {
       return where(Variable(map_elements((a - b).value(), [](Scalar v) { return Scalar(v > 0.5); })), 2 * a, b);
     },
     [](double a, double b) { return a - b > 0.5 ? 2 * a : b; }},
};

const bool elements_counted = add_rows(unary_cases) && add_rows(binary_cases);

}  // namespace

TEST_CASE("functions of one variable: values, gradients, second gradients") {
  for (const Unary& c : unary_cases) {
    CAPTURE(c.name);
    Generator generator(1);
    for (const Shape& shape : {Shape{}, Shape{7}, Shape{2, 17}}) {
      const Variable x(draw(generator, shape, c.low, c.high, c.kinks), true);
      const Variable y = c.operation(x);
      check_same(y.value(), map_elements(x.value(), [&](Scalar v) {
                   return static_cast<Scalar>(c.expected(static_cast<double>(v)));
                 }));
      const Function function = [&](const Inputs& in) { return c.operation(in[0]); };
      CHECK_NOTHROW(check_gradients(function, {x}, difference_options));
      CHECK_NOTHROW(check_second_gradients(function, {x}, difference_options));
      check_symmetric(function, {Variable(draw_switches(generator, shape, c.low, c.high), true)});
    }
  }
}

TEST_CASE("functions of two variables broadcast: values, gradients, second gradients") {
  const struct { Shape a, b; } shapes[] = {{{3}, {3}}, {{2, 3}, {3}}, {{2, 1}, {1, 3}}, {{}, {2, 2}}, {{2, 3}, {}}};
  for (const Binary& c : binary_cases)
    for (const auto& shape : shapes) {
      CAPTURE(c.name);
      CAPTURE(to_string(shape.a));
      Generator generator(2);
      const Variable a(draw(generator, shape.a, c.low, c.high, {}), true),
          b(draw(generator, shape.b, c.low, c.high, {}), true);
      check_same(c.operation(a, b).value(), zip_elements("test", a.value(), b.value(), [&](Scalar x, Scalar y) {
                   return static_cast<Scalar>(c.expected(static_cast<double>(x), static_cast<double>(y)));
                 }));
      const Function function = [&](const Inputs& in) { return c.operation(in[0], in[1]); };
      CHECK_NOTHROW(check_gradients(function, {a, b}, difference_options));
      CHECK_NOTHROW(check_second_gradients(function, {a, b}, difference_options));
      check_symmetric(function, {a, b});
      check_symmetric(function, {Variable(draw_switches(generator, shape.a, c.low, c.high), true),
                                 Variable(draw_switches(generator, shape.b, c.low, c.high), true)});
    }
}

TEST_CASE("the mixed second derivative of a power, where factors are 0 or infinite") {
  const struct {
    double base, exponent, expected;
  } points[] = {{4, 0, 0.25}, {0.5, 0, 2}, {1, 0, 1}, {2, 1, 1 + std::log(2.0)},
                {0, 0, 0},    {0, 1, 0},   {0, 2, 0}, {0, 3, 0}};
  for (const auto& point : points) {
    CAPTURE(point.base);
    CAPTURE(point.exponent);
    const Variable x(full({}, Scalar(point.base)), true), y(full({}, Scalar(point.exponent)), true);
    const auto mixed = [&](const Variable& first, const Variable& second) {
      const Variable gradient = grad(pow(x, y), {first}, {.create_graph = true})[0];
      return double(grad(gradient, {second}, {.allow_unused = true})[0].item());
    };
    CHECK(mixed(x, y) == doctest::Approx(point.expected));
    CHECK(mixed(y, x) == doctest::Approx(point.expected));
  }
}

TEST_CASE("an argument that is replaced before the function sees it has no gradient") {
  const Variable x(Tensor({0, 4}), true), zero(zeros({})), one(ones({}));
  const Tensor positive({0, 1});
  check_same(grad(sum(where(positive, sqrt(where(positive, x, one)), zero)), {x})[0].value(), {0, 0.25});
  CHECK(std::isnan(grad(sum(where(positive, sqrt(x), zero)), {x})[0].value()(0)));
}

TEST_CASE("a tensor beside a Variable is a Variable, in every operation on two and in both orders") {
  const Variable x(Tensor({1, 4}), true);
  const Tensor other({2, 3});
  const Variable o(other);
  const auto noise = 2 * other - 1;  // an expression of xtensor, not evaluated
  const Variable n(Tensor{noise});
  const std::pair<Variable, Variable> pairs[] = {
      {x + other, x + o},
      {other + x, o + x},
      {x - other, x - o},
      {other - x, o - x},
      {x * other, x * o},
      {other * x, o * x},
      {x / other, x / o},
      {other / x, o / x},
      {x * noise, x * n},
      {noise / x, n / x},
      {pow(x, other), pow(x, o)},
      {pow(other, x), pow(o, x)},
      {maximum(x, other), maximum(x, o)},
      {maximum(other, x), maximum(o, x)},
      {minimum(x, other), minimum(x, o)},
      {minimum(other, x), minimum(o, x)},
      {where(other, x, o), where(o, x, o)},
      {where(other, other, x), where(o, o, x)},
      {where(xt::greater(other, 2), x, other), where(Variable(Tensor({0, 1})), x, o)}};
  for (const auto& [mixed, expected] : pairs) {
    CHECK(mixed.value() == expected.value());
    CHECK(mixed.requires_grad());
  }
  CHECK(where(x, other, o).value() == other);
  static_assert(std::is_same_v<decltype(x * other), Variable> && std::is_same_v<decltype(noise * x), Variable>);
}

TEST_CASE("equal extremes share the gradient, and kinks have the gradient that is documented") {
  const Variable x(Tensor({3, 1, 3}), true);
  sum(max(x)).backward();
  check_same(x.grad(), {0.5, 0, 0.5});
  const Variable zero(Tensor({0}), true);
  for (Variable (*f)(const Variable&) : {&relu, static_cast<Variable (*)(const Variable&)>(&abs)})
    check_same(grad(sum(f(zero)), {zero})[0].value(), Tensor({0}));
  check_same(grad(sum(maximum(zero, Variable(Tensor({0})))), {zero})[0].value(), Tensor({0.5}));
  check_same(grad(sum(pow(zero, zero)), {zero})[0].value(), Tensor({0}));
}

TEST_CASE("extreme inputs neither overflow nor lose a NaN") {
  const Scalar big = scalar_is_double ? 700 : 80, nan = std::numeric_limits<Scalar>::quiet_NaN();
  const Variable x(Tensor({-big, -30, 0, 30, big}));
  for (const auto& f : {softplus, sigmoid, silu, mish, tanh}) CHECK(all_finite(f(x).value()));
  CHECK(softplus(x).value().data()[4] == doctest::Approx(big));
  const Variable huge(Tensor({1000, 1000, -1000}));
  check_same(softmax(huge).value(), {0.5, 0.5, 0});
  CHECK(logsumexp(huge).item() == doctest::Approx(1000 + std::log(2.0)));
  CHECK(logsumexp(Variable(Tensor({-INFINITY, -INFINITY}))).item() == -INFINITY);
  for (const Scalar large : {Scalar(1e4), Scalar(1e8), Scalar(1e30)}) {
    const Variable logits(Tensor({{large, large}}), true);
    check_same(log_softmax(logits).value(), {{Scalar(-std::log(2.0)), Scalar(-std::log(2.0))}});
    check_same(grad(sum(slice(log_softmax(logits), 1, 0, 1)), {logits})[0].value(), {{0.5, -0.5}});
    CHECK(norm(logits).item() == doctest::Approx(std::sqrt(2.0) * double(large)));
    CHECK(norm(logits / Scalar(large * large)).item() == doctest::Approx(std::sqrt(2.0) / double(large)));
  }
  const Variable bad(full({20}, nan));  // 20 elements: the SIMD loop and its tail
  for (const Unary& c : unary_cases) {
    CAPTURE(c.name);
    const Tensor y = c.operation(bad).value();
    if (c.expected(std::nan("")) != 1)
      for (Scalar v : y.storage()) CHECK(std::isnan(v));
  }
  using BinaryFunction = Variable (*)(const Variable&, const Variable&);
  for (const auto f : {BinaryFunction(maximum), BinaryFunction(minimum)}) {
    CHECK(std::isnan(f(bad, Variable(ones({20}))).value().data()[0]));
    CHECK(std::isnan(f(Variable(ones({20})), bad).value().data()[0]));
  }
}
