// One row an operation: its value, its gradient and its second gradient, over shapes that broadcast.
#include <xgrad/autograd/check.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/random.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <regex>
#include <set>
#include <sstream>

#include "error.h"

using namespace xgrad;

namespace {

using Inputs = std::vector<Variable>;

constexpr bool in_double = sizeof(Scalar) == 8;
// Differences of a function with kinks, or of a second gradient, are less exact in float.
constexpr CheckOptions options{.tolerance = in_double ? 2e-7 : 5e-2};

// Values in [low, high], at least `margin` from every kink.
Tensor draw(Generator& generator, const Shape& shape, double low, double high, std::initializer_list<double> kinks) {
  Tensor x = Tensor::from_shape(shape);
  for (Scalar& element : x.storage()) {
    bool near = true;
    while (near) {
      element = static_cast<Scalar>(generator.uniform(low, high));
      near = false;
      for (double kink : kinks) near = near || std::abs(static_cast<double>(element) - kink) < 0.05;
    }
  }
  return x;
}

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
       return where(Variable(map((a - b).value(), [](Scalar v) { return Scalar(v > 0.5); })), 2 * a, b);
     },
     [](double a, double b) { return a - b > 0.5 ? 2 * a : b; }},
};

// Operations that move, reduce or multiply: the value is checked against what simpler operations give.
struct Structural {
  const char* name;
  std::vector<Shape> shapes;
  std::function<Variable(const Inputs&)> operation;
  std::function<Variable(const Inputs&)> expected = {};
};

IndexTensor index_2x3() { return {{2, 0, 2}, {1, 1, 0}}; }

// x times a matrix, as a sum over an index: the reference for matmul and linear.
Variable product(const Variable& a, const Variable& b) {  // (m, k), (k, n)
  const std::size_t m = a.shape()[0], k = a.shape()[1], n = b.shape()[1];
  return sum(reshape(a, {m, k, 1}) * reshape(b, {1, k, n}), 1);
}

const Structural structural_cases[] = {
    {"sum", {{2, 3, 4}}, [](auto& in) { return sum(in[0]); }},
    {"sum",
     {{2, 3, 4}},
     [](auto& in) {
       return sum(in[0], {0, -1});
     },
     [](auto& in) { return sum(sum(in[0], 2), 0); }},
    {"sum",
     {{2, 3, 4}},
     [](auto& in) { return sum(in[0], 1, true); },
     [](auto& in) {
       return reshape(sum(in[0], 1), {2, 1, 4});
     }},
    {"sum", {{}}, [](auto& in) { return sum(in[0]); }, [](auto& in) { return in[0]; }},
    {"mean", {{2, 3}}, [](auto& in) { return mean(in[0]); }, [](auto& in) { return sum(in[0]) / 6; }},
    {"mean", {{2, 3}}, [](auto& in) { return mean(in[0], 1, true); }, [](auto& in) { return sum(in[0], 1, true) / 3; }},
    {"max", {{3, 4}}, [](auto& in) { return max(in[0]); }},
    {"max", {{3, 4}}, [](auto& in) { return max(in[0], 0); }, [](auto& in) { return -min(-in[0], 0); }},
    {"min",
     {{2, 3, 4}},
     [](auto& in) {
       return min(in[0], {0, 2}, true);
     },
     [](auto& in) {
       return -max(-in[0], {0, 2}, true);
     }},
    {"variance",
     {{3, 4}},
     [](auto& in) { return variance(in[0], 1); },
     [](auto& in) { return mean(square(in[0]), 1) - square(mean(in[0], 1)); }},
    {"variance",
     {{3, 4}},
     [](auto& in) { return variance(in[0], {}, true, 1); },
     [](auto& in) {
       return reshape((sum(square(in[0])) - 12 * square(mean(in[0]))) / 11, {1, 1});
     }},
    {"logsumexp",
     {{3, 4}},
     [](auto& in) { return logsumexp(in[0], -1); },
     [](auto& in) { return log(sum(exp(in[0]), -1)); }},
    {"logsumexp", {{3, 4}}, [](auto& in) { return logsumexp(in[0]); }, [](auto& in) { return log(sum(exp(in[0]))); }},
    {"sum_to",
     {{2, 3, 4}},
     [](auto& in) {
       return sum_to(in[0], {3, 1});
     },
     [](auto& in) {
       return reshape(sum(in[0], {0, 2}), {3, 1});
     }},
    {"softmax",
     {{3, 4}},
     [](auto& in) { return softmax(in[0]); },
     [](auto& in) { return exp(in[0]) / sum(exp(in[0]), 1, true); }},
    {"softmax",
     {{3, 4, 2}},
     [](auto& in) { return softmax(in[0], 1); },
     [](auto& in) { return exp(in[0]) / sum(exp(in[0]), 1, true); }},
    {"log_softmax",
     {{3, 4}},
     [](auto& in) { return log_softmax(in[0], 0); },
     [](auto& in) { return log(softmax(in[0], 0)); }},
    {"matmul",
     {{2, 3}, {3, 4}},
     [](auto& in) { return matmul(in[0], in[1]); },
     [](auto& in) { return product(in[0], in[1]); }},
    {"matmul",
     {{3, 2}, {3, 4}},
     [](auto& in) { return matmul(in[0], in[1], {.transpose_a = true}); },
     [](auto& in) { return product(transpose(in[0]), in[1]); }},
    {"matmul",
     {{2, 3}, {4, 3}},
     [](auto& in) { return matmul(in[0], in[1], {.transpose_b = true}); },
     [](auto& in) { return product(in[0], transpose(in[1])); }},
    {"matmul",
     {{3, 2}, {4, 3}},
     [](auto& in) {
       return matmul(in[0], in[1], {true, true});
     },
     [](auto& in) { return product(transpose(in[0]), transpose(in[1])); }},
    {"matmul",
     {{5, 2, 3}, {3, 4}},
     [](auto& in) { return matmul(in[0], in[1]); },
     [](auto& in) {
       return reshape(product(reshape(in[0], {10, 3}), in[1]), {5, 2, 4});
     }},
    {"matmul",
     {{2, 1, 3, 2}, {3, 3, 4}},
     [](auto& in) { return matmul(in[0], in[1], {.transpose_a = true}); },
     [](auto& in) {
       return sum(reshape(transpose(in[0], {0, 1, 3, 2}), {2, 1, 2, 3, 1}) * reshape(in[1], {1, 3, 1, 3, 4}), 3);
     }},
    {"linear",
     {{4, 3}, {2, 3}, {2}},
     [](auto& in) { return linear(in[0], in[1], in[2]); },
     [](auto& in) { return product(in[0], transpose(in[1])) + in[2]; }},
    {"linear",
     {{4, 3}, {2, 3}},
     [](auto& in) { return linear(in[0], in[1]); },
     [](auto& in) { return product(in[0], transpose(in[1])); }},
    {"linear",
     {{2, 4, 3}, {2, 3}, {2}},
     [](auto& in) { return linear(in[0], in[1], in[2]); },
     [](auto& in) {
       return reshape(linear(reshape(in[0], {8, 3}), in[1], in[2]), {2, 4, 2});
     }},
    {"linear",
     {{3}, {2, 3}, {2}},
     [](auto& in) { return linear(in[0], in[1], in[2]); },
     [](auto& in) {
       return reshape(linear(reshape(in[0], {1, 3}), in[1], in[2]), {2});
     }},
    {"reshape",
     {{2, 6}},
     [](auto& in) {
       return reshape(in[0], {3, 1, 4});
     }},
    {"transpose", {{2, 3}}, [](auto& in) { return transpose(in[0]); }},
    {"transpose",
     {{2, 3, 4}},
     [](auto& in) {
       return transpose(in[0], {1, -1, 0});
     },
     [](auto& in) {
       return transpose(transpose(in[0], {1, 0, 2}), {0, 2, 1});
     }},
    {"broadcast_to",
     {{3, 1}},
     [](auto& in) {
       return broadcast_to(in[0], {2, 3, 4});
     },
     [](auto& in) {
       return in[0] + Variable(zeros({2, 3, 4}));
     }},
    {"slice",
     {{3, 4, 2}},
     [](auto& in) { return slice(in[0], 1, 1, 3); },
     [](auto& in) {
       return gather(in[0], 1, IndexTensor({{{1, 1}, {2, 2}}, {{1, 1}, {2, 2}}, {{1, 1}, {2, 2}}}));
     }},
    {"unslice",
     {{3, 2}},
     [](auto& in) {
       return unslice(in[0], {3, 5}, -1, 2);
     },
     [](auto& in) {
       return concatenate({Variable(zeros({3, 2})), in[0], Variable(zeros({3, 1}))}, 1);
     }},
    {"concatenate",
     {{2, 1}, {2, 3}},
     [](auto& in) {
       return concatenate({in[0], in[1], in[0]}, 1);
     },
     [](auto& in) {
       return unslice(in[0], {2, 5}, 1, 0) + unslice(in[1], {2, 5}, 1, 1) + unslice(in[0], {2, 5}, 1, 4);
     }},
    {"stack",
     {{2, 3}, {2, 3}},
     [](auto& in) {
       return stack({in[0], in[1]}, -1);
     },
     [](auto& in) {
       return transpose(concatenate({reshape(in[0], {1, 2, 3}), reshape(in[1], {1, 2, 3})}), {1, 2, 0});
     }},
    {"gather", {{3, 4}}, [](auto& in) { return gather(in[0], 0, index_2x3()); }},
    {"gather", {{2, 4}}, [](auto& in) { return gather(in[0], -1, index_2x3()); }},
    {"scatter_add",
     {{3, 4}, {2, 3}},
     [](auto& in) { return scatter_add(in[0], 0, index_2x3(), in[1]); },
     [](auto& in) {
       return in[0] + grad(sum(gather(in[0], 0, index_2x3()) * in[1]), {in[0]}, {.create_graph = true})[0];
     }},
};

void check_same(const Tensor& got, const Tensor& expected) {
  REQUIRE(got.shape() == expected.shape());
  for (std::size_t i = 0; i < got.size(); ++i)
    CHECK(static_cast<double>(got.data()[i]) ==
          doctest::Approx(static_cast<double>(expected.data()[i])).epsilon(in_double ? 1e-12 : 1e-5));
}

}  // namespace

TEST_CASE("functions of one variable: values, gradients, second gradients") {
  for (const Unary& c : unary_cases) {
    CAPTURE(c.name);
    Generator generator(1);
    for (const Shape& shape : {Shape{}, Shape{7}, Shape{2, 17}}) {
      const Variable x(draw(generator, shape, c.low, c.high, c.kinks), true);
      const Variable y = c.operation(x);
      check_same(y.value(),
                 map(x.value(), [&](Scalar v) { return static_cast<Scalar>(c.expected(static_cast<double>(v))); }));
      const Function function = [&](const Inputs& in) { return c.operation(in[0]); };
      CHECK_NOTHROW(check_gradients(function, {x}, options));
      CHECK_NOTHROW(check_second_gradients(function, {x}, options));
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
      check_same(c.operation(a, b).value(), zip("test", a.value(), b.value(), [&](Scalar x, Scalar y) {
                   return static_cast<Scalar>(c.expected(static_cast<double>(x), static_cast<double>(y)));
                 }));
      const Function function = [&](const Inputs& in) { return c.operation(in[0], in[1]); };
      CHECK_NOTHROW(check_gradients(function, {a, b}, options));
      CHECK_NOTHROW(check_second_gradients(function, {a, b}, options));
    }
}

TEST_CASE("operations that move, reduce or multiply: values, gradients, second gradients") {
  for (const Structural& c : structural_cases) {
    CAPTURE(c.name);
    Generator generator(3);
    Inputs inputs;
    for (const Shape& shape : c.shapes) inputs.emplace_back(draw(generator, shape, -2, 2, {}), true);
    const Variable y = c.operation(inputs);
    if (c.expected) check_same(y.value(), c.expected(inputs).value());
    CHECK_NOTHROW(check_gradients(c.operation, inputs, options));
    CHECK_NOTHROW(check_second_gradients(c.operation, inputs, options));
    if (!c.expected) {  // sums of moved elements are the sums of the elements
      const std::string name = c.name;
      if (name == "reshape" || name == "transpose")
        CHECK(sum(y * y).item() == doctest::Approx(sum(inputs[0] * inputs[0]).item()));
    }
  }
}

TEST_CASE("elements end up where they should") {
  const Variable x(Tensor({{1, 2, 3}, {4, 5, 6}}));
  check_same(sum(x).value(), Tensor(Scalar(21)));
  check_same(sum(x, 0).value(), {5, 7, 9});
  check_same(max(x).value(), Tensor(Scalar(6)));
  check_same(reshape(x, {3, 2}).value(), {{1, 2}, {3, 4}, {5, 6}});
  check_same(transpose(x).value(), {{1, 4}, {2, 5}, {3, 6}});
  check_same(slice(x, 1, 1, 3).value(), {{2, 3}, {5, 6}});
  check_same(gather(x, 0, IndexTensor({{1, 0, 1}})).value(), {{4, 2, 6}});
  check_same(gather(x, 1, IndexTensor({{2, 2}, {0, 1}})).value(), {{3, 3}, {4, 5}});
  check_same(scatter_add(Variable(zeros({2, 3})), 1, IndexTensor({{2, 2}, {0, 1}}), Variable(Tensor({{1, 2}, {3, 4}})))
                 .value(),
             {{0, 0, 3}, {3, 4, 0}});
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
  const Scalar big = in_double ? 700 : 80, nan = std::numeric_limits<Scalar>::quiet_NaN();
  const Variable x(Tensor({-big, -30, 0, 30, big}));
  for (const auto& f : {softplus, sigmoid, silu, mish, tanh}) CHECK(all_finite(f(x).value()));
  CHECK(softplus(x).value().data()[4] == doctest::Approx(big));
  const Variable huge(Tensor({1000, 1000, -1000}));
  check_same(softmax(huge).value(), {0.5, 0.5, 0});
  CHECK(logsumexp(huge).item() == doctest::Approx(1000 + std::log(2.0)));
  CHECK(logsumexp(Variable(Tensor({-INFINITY, -INFINITY}))).item() == -INFINITY);
  const Variable bad(full({20}, nan));  // 20 elements: the SIMD loop and its tail
  for (const Unary& c : unary_cases) {
    CAPTURE(c.name);
    const Tensor y = c.operation(bad).value();
    if (c.expected(std::nan("")) != 1)
      for (Scalar v : y.storage()) CHECK(std::isnan(v));
  }
  for (const auto& f : {maximum, minimum}) {
    CHECK(std::isnan(f(bad, Variable(ones({20}))).value().data()[0]));
    CHECK(std::isnan(f(Variable(ones({20})), bad).value().data()[0]));
  }
}

TEST_CASE("a shape that does not fit is refused with the operation and the shapes") {
  const Variable a(ones({2, 3})), b(ones({2, 4})), c(ones({3}));
  struct Case {
    std::function<void()> action;
    std::initializer_list<std::string> pieces;
  };
  const Case cases[] = {
      {[&] { a + b; }, {"[add]", "(2, 3)", "(2, 4)"}},
      {[&] { a - b; }, {"[subtract]", "(2, 3)", "(2, 4)"}},
      {[&] { a* b; }, {"[multiply]", "(2, 3)", "(2, 4)"}},
      {[&] { a / b; }, {"[divide]", "(2, 3)", "(2, 4)"}},
      {[&] { pow(a, b); }, {"[pow]", "(2, 3)", "(2, 4)"}},
      {[&] { maximum(a, b); }, {"[maximum]", "(2, 3)", "(2, 4)"}},
      {[&] { minimum(a, b); }, {"[minimum]", "(2, 3)", "(2, 4)"}},
      {[&] { where(b, a, a); }, {"[where]", "(2, 3)", "(2, 4)"}},
      {[&] { sum(a, 2); }, {"[sum]", "axis 2", "(2, 3)"}},
      {[&] { mean(a, -3); }, {"[mean]", "axis -3", "(2, 3)"}},
      {[&] {
         max(a, {0, 0});
       },
       {"[max]", "axis 0", "twice"}},
      {[&] { min(a, 5); }, {"[min]", "axis 5"}},
      {[&] { variance(a, 5); }, {"[variance]", "axis 5"}},
      {[&] { logsumexp(a, 5); }, {"[logsumexp]", "axis 5"}},
      {[&] { softmax(a, 5); }, {"[softmax]", "axis 5"}},
      {[&] { log_softmax(a, 2); }, {"softmax]", "axis 2", "(2, 3)"}},
      {[&] {
         sum_to(a, {2, 2});
       },
       {"[sum_to]", "(2, 2)", "(2, 3)"}},
      {[&] { matmul(a, b); }, {"[matmul]", "(2, 3)", "(2, 4)", "3 and 2"}},
      {[&] { matmul(a, c); }, {"[matmul]", "(3,)", "two dimensions"}},
      {[&] { linear(a, b); }, {"[linear]", "(2, 3)", "(2, 4)", "expected 4 features"}},
      {[&] { linear(a, c); }, {"[linear]", "(out, in)", "(3,)"}},
      {[&] { linear(a, a, c); }, {"[linear]", "bias (3,)", "(2, 3)", "2 elements"}},
      {[&] { reshape(a, {4}); }, {"[reshape]", "(2, 3)", "(4,)", "6", "4"}},
      {[&] {
         transpose(a, {0, 0});
       },
       {"[transpose]", "axis 0", "twice"}},
      {[&] { transpose(a, {0}); }, {"[transpose]", "2 axes", "(2, 3)"}},
      {[&] {
         broadcast_to(a, {3, 3});
       },
       {"[broadcast_to]", "(2, 3)", "(3, 3)"}},
      {[&] { broadcast_to(a, {3}); }, {"[broadcast_to]", "(2, 3)", "(3,)"}},
      {[&] { slice(a, 1, 1, 4); }, {"[slice]", "[1, 4)", "axis 1", "(2, 3)"}},
      {[&] { slice(a, 1, 2, 1); }, {"[slice]", "[2, 1)"}},
      {[&] { slice(a, 2, 0, 1); }, {"[slice]", "axis 2"}},
      {[&] {
         unslice(a, {2, 4}, 1, 2);
       },
       {"[unslice]", "(2, 3)", "(2, 4)", "at 2"}},
      {[&] {
         concatenate({a, b}, 0);
       },
       {"[concatenate]", "input 1", "(2, 4)", "(2, 3)"}},
      {[&] {
         concatenate({a, c}, 0);
       },
       {"[concatenate]", "input 1", "(3,)"}},
      {[&] {
         stack({a, b});
       },
       {"[stack]", "input 1", "(2, 4)", "(2, 3)"}},
      {[&] {
         gather(a, 0, IndexTensor({1, 2}));
       },
       {"[gather]", "(2,)", "(2, 3)"}},
      {[&] {
         gather(a, 0, IndexTensor({{0, 0, 0, 0}}));
       },
       {"[gather]", "(1, 4)", "(2, 3)"}},
      {[&] {
         scatter_add(a, 0, IndexTensor({{0, 0, 0}}), c);
       },
       {"[scatter_add]", "(3,)", "(1, 3)"}},
      {[&] { a.item(); }, {"[item]", "(2, 3)"}},
  };
  for (const Case& refused : cases) check_error<ShapeError>(refused.action, refused.pieces);
  const Case values[] = {
      {[&] { clamp(a, 2, 1); }, {"[clamp]", "2 and 1"}},
      {[&] { clamp(a, 0, std::nan("")); }, {"[clamp]", "nan"}},
      {[&] { hardtanh(a, 1, 1); }, {"[hardtanh]", "1 and 1"}},
      {[&] { variance(a, 0, false, 2); }, {"[variance]", "more than 2", "got 2"}},
      {[&] { mean(Variable(zeros({0}))); }, {"[mean]", "(0,)"}},
      {[&] { max(Variable(zeros({0}))); }, {"[max]", "(0,)"}},
      {[&] { concatenate({}); }, {"[concatenate]"}},
      {[&] { stack({}); }, {"[stack]"}},
      {[&] {
         gather(a, 1, IndexTensor({{0, 3}}));
       },
       {"[gather]", "position 3", "axis 1", "(2, 3)"}},
      {[&] {
         gather(a, 0, IndexTensor({{0, -1}}));
       },
       {"[gather]", "position -1"}},
  };
  for (const Case& refused : values) check_error<ValueError>(refused.action, refused.pieces);
}

TEST_CASE("every public operation has a row in the tables above") {
  std::set<std::string> rows;
  for (const auto& c : unary_cases) rows.insert(c.name);
  for (const auto& c : binary_cases) rows.insert(c.name);
  for (const auto& c : structural_cases) rows.insert(c.name);
  const std::regex declaration(R"((?:^|\n)Variable (operator.|\w+)\()");
  std::size_t found = 0;
  for (const char* header :
       {"arithmetic", "elementwise", "activations", "reductions", "matmul", "shapes", "indexing"}) {
    std::ifstream file(std::string(XGRAD_SOURCE_DIR "/autograd/") + header + ".h");
    REQUIRE(file);
    std::stringstream text;
    text << file.rdbuf();
    const std::string source = text.str();
    for (std::sregex_iterator match(source.begin(), source.end(), declaration), end; match != end; ++match, ++found)
      CHECK_MESSAGE(rows.count((*match)[1]) == 1, (*match)[1].str(), " has no row");
  }
  CHECK(found >= 50);
}
