// Numbers that others have published.
#include <doctest/doctest.h>
#include <optim/helpers.h>
#include <optim/problems.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

using namespace xgrad;

namespace {

// The point after `steps` steps on a function of two coordinates.
template <class Optimizer>
Tensor minimize(const Tensor& start, double lr, int steps, Variable (*f)(const Variable&, const Variable&)) {
  const Variable p = leaf(start);
  Optimizer optimizer({{"p", p}}, {.lr = lr});
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    sum(f(slice(p, 0, 0, 1), slice(p, 0, 1, 2))).backward();
    optimizer.step();
  }
  return p.value();
}

void check_point(const Tensor& got, double x, double y, double tolerance) {
  CHECK(std::abs(double(got(0)) - x) < tolerance);
  CHECK(std::abs(double(got(1)) - y) < tolerance);
}

template <class Optimizer>
void check_named_problems() {
  check_point(minimize<Optimizer>({0, 0}, 0.1, 10000, rosenbrock), 1, 1, 3e-2);                       // Optax
  check_point(minimize<Optimizer>({Scalar(2.9), Scalar(1.9)}, 0.005, 5000, himmelblau), 3, 2, 0.05);  // ensmallen
  check_point(minimize<Optimizer>({1, 1}, 0.02, 10000, beale), 3, 0.5, 0.02);
  const Variable p = leaf({-1, 10, 1}), target(Tensor({1, -1, 1}));  // Optax
  Optimizer optimizer({{"p", p}}, {.lr = 0.1});
  for (int i = 0; i < 10000; ++i) {
    optimizer.zero_grad();
    sum(square(p - target)).backward();
    optimizer.step();
  }
  for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(double(p.value()(i) - target.value()(i))) < 3e-2);
}

}  // namespace

TEST_CASE_TEMPLATE("Adam and Adamax solve the named problems", Optimizer, optim::Adam, optim::Adamax) {
  check_named_problems<Optimizer>();
}

TEST_CASE("Adamax: Optax's objective values on sum(x^2)") {
  const Variable x = leaf({1, 2, 3});
  optim::Adamax adamax({{"x", x}}, {.lr = 0.003});
  for (const double expected : {13.964027, 13.928100, 13.892221, 13.856390, 13.820609}) {
    adamax.zero_grad();
    sum(square(x)).backward();
    adamax.step();
    CHECK(std::abs(double(sum(square(x)).item()) - expected) < (in_double ? 1e-6 : 1e-5));
  }
}

TEST_CASE("Reddi, Kale and Kumar 2018: where Adam goes to the wrong end") {
  // The gradient is 3 every third step and -1 otherwise: the minimum on [-1, 1] is -1.
  const auto end = [](auto& optimizer, const Variable& x) {
    for (int t = 1; t <= 30000; ++t) {
      optimizer.lr() = 0.1 / std::sqrt(t);
      set_gradient(x, constant(t % 3 == 1 ? 3 : -1));
      optimizer.step();
      x.mutable_value().fill(std::clamp(x.item(), Scalar(-1), Scalar(1)));
    }
    return double(x.item());
  };
  const auto adam = [&](bool amsgrad) {
    const Variable x = leaf(constant(0));
    optim::Adam optimizer({{"x", x}}, {.beta1 = 0, .beta2 = 0.1, .amsgrad = amsgrad});
    return end(optimizer, x);
  };
  const auto adamax = [&](double beta2) {
    const Variable x = leaf(constant(0));
    optim::Adamax optimizer({{"x", x}}, {.beta1 = 0, .beta2 = beta2});
    return end(optimizer, x);
  };
  CHECK(adam(false) > 0.99);
  CHECK(adam(true) < -0.99);
  CHECK(adamax(0.1) > 0.99);
  CHECK(adamax(0.5) > 0.99);
  CHECK(adamax(0.999) < -0.99);
}
