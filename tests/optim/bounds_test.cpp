// Bounds that follow from the formulas, against gradients that rapidcheck invents.
#include <doctest/doctest.h>
#include <optim/helpers.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <vector>

using namespace xgrad;
using namespace xgrad::optim;
using doctest::Approx;

namespace {

// Magnitudes over 12 powers of ten, with runs that grow or decay at a rate near the betas, and zeros.
rc::Gen<std::vector<double>> gradients() {
  return rc::gen::exec([] {
    std::vector<double> result;
    for (int run = *rc::gen::inRange(1, 6); run > 0; --run) {
      double g = std::pow(10.0, *rc::gen::inRange(-60, 60) / 10.0) * (*rc::gen::arbitrary<bool>() ? 1 : -1);
      const double rate = *rc::gen::element(0.0, 0.5, 0.9, 0.99, 0.999, 1.0, 1.001, 1.11, 2.0, -1.0);
      const int most = rate > 1.5 ? 20 : rate > 1.05 ? 100 : 400;
      for (int t = *rc::gen::inRange(1, most); t > 0; --t, g *= rate) result.push_back(g);
    }
    return result;
  });
}

double beta() { return *rc::gen::inRange(0, 9999) / 1e4; }

// f(step, gradient) after each step of one element from 0, in units of lr.
template <class Rule, class Options, class F>
void for_each_step(Options options, const std::vector<double>& g, F f) {
  const Variable x = leaf(constant(0));
  Rule optimizer({{"x", x}}, options);
  for (const double value : g) {
    x.mutable_value().fill(0);
    set_gradient(x, constant(value));
    optimizer.step();
    f(std::abs(double(x.item())), std::abs(double(Scalar(value))), optimizer);
  }
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

constexpr double slack = 1 + (in_double ? 1e-9 : 1e-3);

// The same gradients in each run, unless the environment asks for others.
[[maybe_unused]] const int seeded = setenv("RC_PARAMS", "seed=2015", 0);

void check(const char* what, const std::function<void()>& property) { CHECK(rc::check(what, property)); }

}  // namespace

TEST_CASE("no gradients make a step of Adam or Adamax longer than its bound") {
  const auto property = [](auto rule, auto options) {
    using Rule = decltype(rule);
    options.lr = 1, options.beta1 = beta(), options.beta2 = beta();
    options.eps = in_double ? 0 : 1e-12;  // in float, v underflows before m does
    const double bound = typename Rule::type::RuleType(options).bound();
    for_each_step<typename Rule::type>(options, *gradients(), [&](double step, double, auto&) {
      RC_ASSERT(std::isnan(step) || step <= bound * slack);
    });
  };
  check("Adam", [&] { property(std::type_identity<Adam>(), AdamOptions{}); });
  check("Adam, no bias correction",
        [&] { property(std::type_identity<Adam>(), AdamOptions{.bias_correction = false}); });
  check("AMSGrad", [&] { property(std::type_identity<Adam>(), AdamOptions{.amsgrad = true}); });
  check("Adamax", [&] { property(std::type_identity<Adamax>(), AdamaxOptions{}); });
}

TEST_CASE("at the defaults: 7.27 and 1.00909") {
  CHECK(AdamRule({.lr = 1}).bound() == Approx(7.27).epsilon(1e-3));
  CHECK(AdamaxRule({.lr = 1}).bound() == Approx(1.00909).epsilon(1e-5));
  CHECK(std::isinf(AdamRule({.beta1 = 0.9, .beta2 = 0.81}).bound()));
  CHECK(std::isinf(AdamaxRule({.beta1 = 0.9, .beta2 = 0.9}).bound()));
  check("Adam", [] {
    for_each_step<Adam>(AdamOptions{.lr = 1}, *gradients(), [](double step, double, auto&) { RC_ASSERT(step < 7.28); });
  });
  check("Adamax", [] {
    for_each_step<Adamax>(AdamaxOptions{.lr = 1}, *gradients(),
                          [](double step, double, auto&) { RC_ASSERT(step < 1.0092); });
  });
}

TEST_CASE("the infinity norm is never below the gradient, and Adam's v never below its share of the square") {
  check("u >= |g|", [] {
    for_each_step<Adamax>(AdamaxOptions{.beta2 = beta()}, *gradients(), [](double, double g, Adamax& adamax) {
      RC_ASSERT(double(adamax.state("x", "exp_inf")(0)) >= g);
    });
  });
  check("v >= (1 - beta2) g^2", [] {
    const double beta2 = beta();
    for_each_step<Adam>(AdamOptions{.beta2 = beta2}, *gradients(), [&](double, double g, Adam& adam) {
      RC_ASSERT(double(adam.state("x", "exp_avg_sq")(0)) * slack >= (1 - beta2) * g * g - 1e-37);
    });
  });
}

TEST_CASE("after one gradient 100 times the usual, steps come back to 0.9 lr") {
  const auto recovery = [](auto& optimizer, const Variable& x) {
    int back = 0;
    for (int t = 0; t < 12000; ++t) {
      x.mutable_value().fill(0);
      set_gradient(x, constant(t == 3000 ? 100 : 1));
      optimizer.step();
      if (t > 3100 && back == 0 && std::abs(double(x.item())) >= 0.9) back = t - 3000;
    }
    return back;
  };
  const Variable x = leaf(constant(0));
  Adam adam({{"x", x}}, {.lr = 1});
  Adamax adamax({{"x", x}}, {.lr = 1});
  CHECK(recovery(adam, x) == Approx(3760).epsilon(0.05));
  CHECK(recovery(adamax, x) == Approx(4500).epsilon(0.01));
}

TEST_CASE("no step is longer than its bound, and adversaries come near it") {
  // A gradient that decays at rate beta2 keeps u falling with it, while m still remembers the larger ones.
  const double adamax = largest_step<optim::Adamax>([](int t) { return std::pow(0.999, t); }, 3000);
  CHECK(adamax > 1.005);
  CHECK(adamax <= 1.00909 + 1e-4);
  // Gradients that grow by beta2 / beta1 a step, up to 1.
  const double growth = 0.999 / 0.9;
  const double adam = largest_step<optim::Adam>([&](int t) { return std::pow(growth, t - 6000); }, 6001);
  CHECK(adam > 7.2);
  CHECK(adam <= 7.28);
  const auto spike = [](int t) { return t == 20000 ? 1.0 : 0.0; };
  CHECK(largest_step<optim::Adam>(spike, 20001) == Approx(3.162).epsilon(1e-3));
  CHECK(largest_step<optim::Adamax>(spike, 20001) == Approx(0.1).epsilon(1e-3));

  Generator generator(5);
  const auto wild = [&](int) { return std::pow(10, generator.uniform(-6, 3)) * (generator.uniform() < 0.5 ? -1 : 1); };
  CHECK(largest_step<optim::Adamax>(wild, 2000) <= 1.00909 + 1e-4);
  CHECK(largest_step<optim::Adam>(wild, 2000) <= 7.28);
}
