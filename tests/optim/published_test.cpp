// Numbers that others have published, and bounds that follow from the formulas.
#include <doctest/doctest.h>
#include <optim/helpers.h>
#include <optim/problems.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

using namespace xgrad;
using doctest::Approx;

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

// How far one step goes after each of these gradients, in units of lr; the largest of them.
template <class Optimizer>
double largest_step(const std::function<double(int)>& gradient, int steps) {
  const Variable x = leaf(constant(0));
  Optimizer optimizer({{"x", x}}, {.lr = 1});
  double largest = 0;
  for (int t = 0; t < steps; ++t) {
    x.mutable_value().fill(0);
    set_gradient(x, constant(gradient(t)));
    optimizer.step();
    largest = std::max(largest, std::abs(double(x.item())));
  }
  return largest;
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

TEST_CASE("Adamax: Keras's sequence") {
  // Keras divides by u + eps and we, like PyTorch, by max(beta2 u, |g| + eps): with eps 1e-6 and gradients of 0.01 and
  // more a step differs by a part in 10^4 at most, 0.2e-4 in these numbers. They are printed to six places.
  const Variable x = leaf(ones({10}));
  optim::Adamax adamax({{"x", x}}, {.lr = 0.2, .beta1 = 0.85, .beta2 = 0.95, .eps = 1e-6});
  Tensor rising = ones({10});
  for (std::size_t i = 0; i < 10; ++i) rising(i) = static_cast<Scalar>(0.1 * double(i + 1));
  const double expected[5][3] = {{.8, .8, .8},
                                 {.682724, .690074, .690993},
                                 {.533279, .545122, .546603},
                                 {.367970, .382896, .384761},
                                 {.193308, .210484, .212631}};
  for (int t = 0; t < 5; ++t) {
    set_gradient(x, t == 0 ? constant(0.01, 10) : rising);
    adamax.step();
    for (std::size_t k = 0; k < 3; ++k) {
      const std::size_t element[] = {0, 4, 9};
      CHECK(std::abs(double(x.value()(element[k])) - expected[t][k]) < 3e-5);
    }
  }
}

TEST_CASE("one step with a gradient as small as eps tells the dialects apart") {
  const auto step = [](auto make) {
    const Variable x = leaf(constant(0));
    set_gradient(x, constant(1e-8));
    make(optim::ParameterList{{"x", x}});
    return double(x.item());
  };
  CHECK(step([](auto list) { optim::Adam(list).step(); }) == Approx(-5.0e-4).epsilon(1e-4));
  CHECK(step([](auto list) { optim::AdamW(list).step(); }) == Approx(-5.0e-4).epsilon(1e-4));
  CHECK(step([](auto list) { optim::Adamax(list).step(); }) == Approx(-1.0e-3).epsilon(1e-4));
}

TEST_CASE("no step is longer than its bound, and adversaries come near it") {
  // A gradient that decays at rate beta2 keeps u falling with it, while m still remembers the larger ones.
  const double adamax = largest_step<optim::Adamax>([](int t) { return std::pow(0.999, t); }, 3000);
  CHECK(adamax > 1.005);
  CHECK(adamax <= 1.00909 + 1e-4);
  // Gradients that grow by beta2 / beta1 a step, up to 1.
  const double growth = 0.999 / 0.9;
  const double adam = largest_step<optim::Adam>([&](int t) { return std::pow(growth, t - 600); }, 601);
  CHECK(adam <= 7.28);
  const auto spike = [](int t) { return t == 20000 ? 1.0 : 0.0; };
  CHECK(largest_step<optim::Adam>(spike, 20001) == Approx(3.162).epsilon(1e-3));
  CHECK(largest_step<optim::Adamax>(spike, 20001) == Approx(0.1).epsilon(1e-3));

  Generator generator(5);
  const auto wild = [&](int) { return std::pow(10, generator.uniform(-6, 3)) * (generator.uniform() < 0.5 ? -1 : 1); };
  CHECK(largest_step<optim::Adamax>(wild, 2000) <= 1.00909 + 1e-4);
  CHECK(largest_step<optim::Adam>(wild, 2000) <= 7.28);
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
