#include <doctest/doctest.h>
#include <error.h>
#include <optim/helpers.h>
#include <optim/problems.h>
#include <xgrad/optim/lbfgs.h>
#include <xgrad/optim/minimize.h>

#include <cmath>
#include <limits>

using namespace xgrad;
using namespace xgrad::optim;
using doctest::Approx;

TEST_CASE("minimize says which condition ended it, and where it is then") {
  // f = x^2 with a rate of 1/4 halves x in each step: after k steps x = 2^-k, the gradient is 2^(1-k) and the loss
  // 4^-k, and the step came to 2^-k. f = |x| with a rate of 1 jumps from 1/2 to -1/2 and back, and the loss stays 1/2.
  const auto squared = [](const Variable& x) { return sum(square(x)); };
  const auto absolute = [](const Variable& x) { return sum(abs(x)); };
  const struct {
    Variable (*f)(const Variable&);
    double start, lr;
    Until until;
    Minimum expected;
  } cases[] = {
      {squared, 1, 0.25, {.gradient_norm = 1e-3}, {EndedBy::gradient_norm, 11, 0x1p-22, 0x1p-10, 0x1p-11}},
      {squared, 1, 0.25, {.step_size = 1e-3}, {EndedBy::step_size, 10, 0x1p-20, 0x1p-9, 0x1p-10}},
      {squared, 1, 0.25, {.max_steps = 5}, {EndedBy::budget, 5, 0x1p-10, 0x1p-4, 0x1p-5}},
      {squared, 1, 0.25, {.max_steps = 0}, {EndedBy::budget, 0, 1, 2, 0}},
      {squared, 1, 0.25, {.patience = 2, .improvement = 0.95}, {EndedBy::plateau, 2, 0x1p-4, 0x1p-1, 0x1p-2}},
      {absolute, 0.5, 1, {.patience = 3}, {EndedBy::plateau, 3, 0.5, 1, 1}},
      {absolute, 0.5, 1, {.patience = 3, .max_steps = 2}, {EndedBy::budget, 2, 0.5, 1, 1}},
      // Of several that hold, the first; nothing is too small to be at a minimum.
      {squared, 0, 1, {.gradient_norm = 0, .step_size = 1, .max_steps = 0}, {EndedBy::gradient_norm, 0, 0, 0, 0}},
  };
  for (const auto& [f, start, lr, until, expected] : cases) {
    const Variable x = leaf(constant(start));
    SGD sgd({{"x", x}}, {.lr = lr});
    std::int64_t calls = 0;
    const Minimum got = minimize(
        sgd, [&, g = f] { return ++calls, g(x); }, until);
    CHECK(to_string(got.ended_by) == to_string(expected.ended_by));
    CHECK(got.steps == expected.steps);
    CHECK(calls == expected.steps + 1);
    CHECK(got.loss == expected.loss);
    CHECK(got.gradient_norm == expected.gradient_norm);
    CHECK(got.step_size == expected.step_size);
    CHECK(static_cast<double>(f(x).item()) == got.loss);
  }
}

TEST_CASE("a plateau is where the least loss is not beaten, also below 0") {
  // x falls by 1 a step, and the loss with it: from -10 to -11 is 10 %, from -17 to -18 only 5.9 %.
  const Variable x = leaf({-10});
  SGD sgd({{"x", x}}, {.lr = 1});
  const Minimum got = minimize(sgd, [&] { return sum(x); }, {.patience = 1, .improvement = 0.06});
  CHECK(got.ended_by == EndedBy::plateau);
  CHECK(got.loss == -18);  // -16 - 6 % is -16.96, and -17 - 6 % is -18.02
}

TEST_CASE("norms are over all parameters together") {
  const Variable a = leaf({3, 0}), b = leaf({4});
  SGD sgd({{"a", a}, {"b", b}}, {.lr = 0.5});
  const Minimum got = minimize(sgd, [&] { return (sum(square(a)) + sum(square(b))) / 2; }, {.max_steps = 1});
  CHECK(got.gradient_norm == 2.5);  // half of (3, 0, 4) is left
  CHECK(got.step_size == 2.5);
}

TEST_CASE_TEMPLATE("minimize finds the minima of named functions", Optimizer, Adam, Adamax) {
  const Variable p = leaf({Scalar(2.9), Scalar(1.9)});  // ensmallen: within 0.05 of (3, 2)
  Optimizer optimizer({{"p", p}}, {.lr = 0.005});
  const Minimum got = minimize(optimizer, [&] { return at(himmelblau, p); }, {.gradient_norm = 1e-3});
  CHECK(got.ended_by == EndedBy::gradient_norm);
  CHECK(std::abs(double(p.value()(0)) - 3) < 1e-3);
  CHECK(std::abs(double(p.value()(1)) - 2) < 1e-3);

  const Variable q = leaf({0, 0});  // Optax: within 3e-2 of (1, 1) after 10,000 steps
  Optimizer steep({{"q", q}}, {.lr = 0.1});
  const Minimum there = minimize(steep, [&] { return at(rosenbrock, q); }, {.gradient_norm = 1e-3});
  CHECK(there.ended_by == EndedBy::gradient_norm);
  CHECK(std::abs(double(q.value()(0)) - 1) < 3e-2);
  CHECK(std::abs(double(q.value()(1)) - 1) < 3e-2);
}

TEST_CASE("minimize drives L-BFGS too") {
  const Variable p = leaf({Scalar(-1.2), 1});
  LBFGS lbfgs({{"p", p}}, {.max_iterations = 1, .tolerance_grad = 0});
  const Minimum got = minimize(lbfgs, [&] { return at(rosenbrock, p); }, {.gradient_norm = in_double ? 1e-8 : 1e-3});
  CHECK(got.ended_by == EndedBy::gradient_norm);
  CHECK(got.steps < 50);
  CHECK(double(p.value()(0)) == Approx(1).epsilon(1e-4));
  // Where it stands still by its own tolerance it has nothing more to do.
  LBFGS done({{"p", p}}, {.tolerance_grad = 1});
  CHECK(minimize(done, [&] { return at(rosenbrock, p); }).ended_by == EndedBy::step_size);
}

TEST_CASE("minimize refuses what is not finite, and leaves the parameters there") {
  const Variable x = leaf({1});
  SGD sgd({{"x", x}}, {.lr = 2});
  check_error<ValueError>([&] { minimize(sgd, [&] { return sum(log(x)); }); },
                          {"[minimize] after 1 steps: ", "the loss is nan", "'log' (1,)"});
  CHECK(x.item() == -1);
  const Variable zero = leaf({0});
  SGD still({{"zero", zero}}, {});
  check_error<ValueError>([&] { minimize(still, [&] { return sum(sqrt(zero)); }); },
                          {"[minimize] after 0 steps: ", "'zero' (1,) is not finite"});
  CHECK(zero.item() == 0);
  const Variable late = leaf({std::numeric_limits<Scalar>::quiet_NaN()});
  const Variable early = leaf({std::numeric_limits<Scalar>::quiet_NaN()});
  SGD two({{"0.weight", early}, {"1.weight", late}}, {});
  check_error<ValueError>(
      [&] { minimize(two, [&] { return sum(early * 2 * late); }); },
      {"[minimize] after 0 steps: [backward] the loss is nan; the first value that is not finite is "
       "that of parameter '0.weight' (1,)"});
}

TEST_CASE("minimize refuses bad conditions and closures") {
  const Variable x = leaf({1});
  SGD sgd({{"x", x}}, {});
  const struct {
    Until until;
    std::string message;
  } refusals[] = {
      {{.gradient_norm = -1}, "[minimize] gradient_norm must be at least 0 and finite, got -1"},
      {{.step_size = std::numeric_limits<double>::quiet_NaN()}, "[minimize] step_size must be at least 0"},
      {{.patience = 0}, "[minimize] patience must be at least 1, got 0"},
      {{.improvement = -1}, "[minimize] improvement must be at least 0 and finite, got -1"},
      {{.max_steps = -1}, "[minimize] max_steps must be at least 0 and finite, got -1"},
  };
  for (const auto& refusal : refusals)
    check_error<ValueError>(
        [&] {
          minimize(
              sgd, [&] { return sum(x); }, refusal.until);
        },
        {refusal.message});
  check_error<ValueError>([&] { minimize(sgd, Closure()); }, {"[minimize] expected a closure, got an empty function"});
  check_error<GraphError>([&] { minimize(sgd, [] { return sum(leaf({1})); }); },
                          {"[minimize] the loss depends on none of the parameters"});
  check_error<GraphError>([&] { minimize(sgd, [] { return Variable(constant(1)); }); }, {"depends on none"});
  check_error<ShapeError>([&] { minimize(sgd, [] { return leaf({1, 2}); }); }, {"(2,)"});
  CHECK(x.item() == 1);
}
