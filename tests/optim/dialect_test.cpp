// Adam and Adamax as five systems compute them.
#include <doctest/doctest.h>
#include <error.h>
#include <optim/helpers.h>

#include <cmath>
#include <functional>

using namespace xgrad;
using namespace xgrad::optim;
using doctest::Approx;

namespace {

constexpr double relative_error = in_double ? 1e-11 : 1e-4;

struct StepMoments {
  double m, v, c1, c2;  // for Adamax, v is u
};

// What the last line of each system's algorithm subtracts, with lr 0.1, betas 0.8 and 0.9, eps 1e-3.
struct Case {
  Dialect dialect;
  std::function<double(const StepMoments&)> adam;
  std::function<double(double u, double g)> u;
  std::function<double(const StepMoments&)> adamax;
};

double paper_adam(const StepMoments& s) { return 0.1 * (s.m / s.c1) / (std::sqrt(s.v / s.c2) + 1e-3); }
double plain_u(double u, double g) { return std::max(0.9 * u, std::abs(g)); }
double torch_u(double u, double g) { return std::max(0.9 * u, std::abs(g) + 1e-3); }

const Case cases[] = {
    {Dialect::paper, paper_adam, plain_u, [](const StepMoments& s) { return s.v == 0 ? 0 : 0.1 / s.c1 * s.m / s.v; }},
    {Dialect::pytorch, paper_adam, torch_u, [](const StepMoments& s) { return 0.1 / s.c1 * s.m / s.v; }},
    {Dialect::optax, paper_adam, torch_u, [](const StepMoments& s) { return 0.1 / s.c1 * s.m / s.v; }},
    {Dialect::keras, [](const StepMoments& s) { return 0.1 * std::sqrt(s.c2) / s.c1 * s.m / (std::sqrt(s.v) + 1e-3); },
     plain_u, [](const StepMoments& s) { return 0.1 / s.c1 * s.m / (s.v + 1e-3); }},
    {Dialect::mlx, [](const StepMoments& s) { return 0.1 * s.m / (std::sqrt(s.v) + 1e-3); }, plain_u,
     [](const StepMoments& s) { return 0.1 * s.m / (s.v + 1e-3); }},
};

template <class Rule, class Options>
double one_step(Options options, double g) {
  const Variable x = leaf(constant(0));
  set_gradient(x, constant(g));
  Rule({{"x", x}}, options).step();
  return double(x.item());
}

}  // namespace

TEST_CASE("each dialect is that system's formula") {
  for (const Case& one : cases) {
    CAPTURE(static_cast<int>(one.dialect));
    Generator generator(4);
    const double start = generator.normal();
    const Variable x = leaf(constant(start)), y = leaf(constant(start));
    Adam adam({{"x", x}}, {.lr = 0.1, .beta1 = 0.8, .beta2 = 0.9, .eps = 1e-3, .dialect = one.dialect});
    Adamax adamax({{"y", y}}, {.lr = 0.1, .beta1 = 0.8, .beta2 = 0.9, .eps = 1e-3, .dialect = one.dialect});
    double by_adam = double(x.item()), by_adamax = by_adam, m = 0, v = 0, u = 0;
    for (int t = 1; t <= 30; ++t) {
      const double g = double(Scalar(t < 3 ? 0 : generator.normal() * std::pow(10, t % 4 - 2)));
      set_gradient(x, constant(g)), set_gradient(y, constant(g));
      adam.step(), adamax.step();
      m = 0.8 * m + (1 - 0.8) * g, v = 0.9 * v + (1 - 0.9) * g * g, u = one.u(u, g);
      const double c1 = 1 - std::pow(0.8, t), c2 = 1 - std::pow(0.9, t);
      by_adam -= one.adam({m, v, c1, c2});
      by_adamax -= one.adamax({m, u, c1, c2});
      CHECK(double(x.item()) == Approx(by_adam).epsilon(relative_error));
      CHECK(double(y.item()) == Approx(by_adamax).epsilon(relative_error));
    }
  }
}

TEST_CASE("one step with a gradient of 1e-8 tells the dialects apart") {
  const struct {
    AdamOptions options;
    double expected;
  } adams[] = {{{}, -5.0e-4},
               {{.dialect = Dialect::paper}, -5.0e-4},
               {{.dialect = Dialect::optax}, -5.0e-4},
               {{.dialect = Dialect::keras}, -3.06534e-5},
               {{.eps = 0, .dialect = Dialect::optax, .eps_root = 1e-8}, -1.0e-7},
               {{.dialect = Dialect::mlx, .bias_correction = true}, -5.0e-4}};
  for (const auto& one : adams) CHECK(one_step<Adam>(one.options, 1e-8) == Approx(one.expected).epsilon(1e-5));
  for (const Dialect dialect : {Dialect::pytorch, Dialect::keras, Dialect::optax})
    CHECK(one_step<Adamax>(AdamaxOptions{.dialect = dialect}, 1e-8) == Approx(-1.0e-3).epsilon(1e-5));
  CHECK(one_step<Adamax>(AdamaxOptions{.dialect = Dialect::paper}, 1e-8) == Approx(-2.0e-3).epsilon(1e-5));
}

TEST_CASE("the defaults are those of the system") {
  CHECK(AdamOptions::of(Dialect::keras).eps == 1e-7);
  CHECK(AdamOptions::of(Dialect::mlx).eps == 1e-8);
  CHECK(AdamOptions::of(Dialect::optax).dialect == Dialect::optax);
  CHECK(AdamaxOptions::of(Dialect::keras).lr == 1e-3);
  CHECK(AdamaxOptions::of(Dialect::pytorch).lr == 2e-3);
}

TEST_CASE("Keras's published sequence for Adamax") {
  Tensor rising = Tensor::from_shape({10});
  for (std::size_t i = 0; i < 10; ++i) rising(i) = Scalar(0.1 * double(i + 1));
  AdamaxOptions options = AdamaxOptions::of(Dialect::keras);
  options.lr = 0.2, options.beta1 = 0.85, options.beta2 = 0.95, options.eps = 1e-6;
  const Variable x = leaf(ones({10}));
  Adamax adamax({{"x", x}}, options);
  const double expected[][3] = {{.8, .8, .8},
                                {.682724, .690074, .690993},
                                {.533279, .545122, .546603},
                                {.367970, .382896, .384761},
                                {.193308, .210484, .212631}};
  for (std::size_t t = 0; t < 5; ++t) {
    set_gradient(x, t == 0 ? constant(0.01, 10) : rising);
    adamax.step();
    const std::size_t shown[] = {0, 4, 9};
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(double(x.value()(shown[i])) == Approx(expected[t][i]).epsilon(t == 0 ? 2e-4 : 2e-5));
  }
}

TEST_CASE("without bias correction the first steps of Adam are long, those of Adamax short") {
  AdamOptions adam{.lr = 1, .bias_correction = false};
  CHECK(one_step<Adam>(adam, 5) == Approx(-0.1 / std::sqrt(0.001)).epsilon(1e-5));
  AdamaxOptions adamax{.lr = 1, .bias_correction = false};
  CHECK(one_step<Adamax>(adamax, 5) == Approx(-0.1).epsilon(1e-5));
}

TEST_CASE("in the dialect of Keras weight decay is decoupled") {
  const auto after = [](auto options, auto make) {
    const Variable x = leaf(constant(2));
    set_gradient(x, constant(0));
    options.lr = 0.5, options.weight_decay = 0.1, options.dialect = Dialect::keras;
    make(ParameterList{{"x", x}}, options);
    return double(x.item());
  };
  CHECK(after(AdamOptions{}, [](auto x, auto options) { Adam(x, options).step(); }) == Approx(1.9));
  CHECK(after(AdamaxOptions{}, [](auto x, auto options) { Adamax(x, options).step(); }) == Approx(1.9));
}

TEST_CASE("Adamax to the letter makes no step where there never was a gradient, and NaN travels") {
  const Variable x = leaf({1, 2});
  Adamax adamax({{"x", x}}, {.lr = 0.5, .dialect = Dialect::paper});
  set_gradient(x, {0, 1});
  adamax.step();
  CHECK(x.value()(0) == 1);
  CHECK(double(x.value()(1)) == Approx(1.5));
  set_gradient(x, {Scalar(std::nan("")), 1});
  adamax.step();
  CHECK(std::isnan(x.value()(0)));
  CHECK(double(x.value()(1)) == Approx(1));
}

namespace {

// One step of a matrix with a second moment that rows share, and of a vector, where they share nothing.
template <class Rule, class Options>
std::pair<Tensor, Tensor> row_shared_steps(Options options) {
  options.row_shared = true;
  const Variable w = leaf(zeros({2, 3})), b = leaf(zeros({2}));
  Rule optimizer({{"w", w}, {"b", b}}, options);
  for (int t = 1; t <= 2; ++t) {
    set_gradient(w, Tensor({{1, -2, 2}, {0, Scalar(0.3 * t), Scalar(-0.4 * t)}}));
    set_gradient(b, Tensor({4, Scalar(-0.01)}));
    optimizer.step();
  }
  return {w.value(), b.value()};
}

}  // namespace

TEST_CASE("a row shares the mean square in Adam, and the largest gradient in Adamax") {
  const auto [w, b] = row_shared_steps<Adam>(AdamOptions{.lr = 0.1, .eps = 0});
  // Row 0 has the mean square 3 in both steps; row 1 has 0.25 / 3 and four times that.
  CHECK(double(w(0, 0)) == Approx(-0.2 / std::sqrt(3)).epsilon(1e-5));
  CHECK(double(w(0, 1)) == Approx(0.4 / std::sqrt(3)).epsilon(1e-5));
  const double m = (0.9 * 0.1 * 0.3 + 0.1 * 0.6) / 0.19, v = (0.999 * 0.25 / 3 + 1.0 / 3) * 0.001 / (1 - 0.999 * 0.999);
  CHECK(double(w(1, 1)) == Approx(-0.1 * 0.3 / std::sqrt(0.25 / 3) - 0.1 * m / std::sqrt(v)).epsilon(1e-5));
  CHECK(w(1, 0) == 0);
  CHECK(double(b(0)) == Approx(-0.2).epsilon(1e-5));
  CHECK(double(b(1)) == Approx(0.2).epsilon(1e-5));

  const auto [x, c] = row_shared_steps<Adamax>(AdamaxOptions{.lr = 0.1, .eps = 0});
  CHECK(double(x(0, 0)) == Approx(-0.1).epsilon(1e-5));
  CHECK(double(x(0, 2)) == Approx(-0.2).epsilon(1e-5));
  CHECK(double(x(1, 1)) == Approx(-0.1 * 0.3 / 0.4 - 0.1 * m / 0.8).epsilon(1e-5));
  CHECK(double(c(1)) == Approx(0.2).epsilon(1e-5));
}

TEST_CASE_TEMPLATE("a NaN reaches what rows share, and no other row", Rule, Adam, Adamax) {
  using Options = typename Rule::Options;
  const Variable w = leaf(zeros({2, 3}));
  Rule optimizer({{"w", w}}, Options{.row_shared = true});
  set_gradient(w, ones({2, 3}));
  optimizer.step();
  set_gradient(w, Tensor({{1, Scalar(std::nan("")), 1}, {1, 1, 1}}));
  optimizer.step();
  for (std::size_t i = 0; i < 6; ++i) CHECK(std::isnan(w.value().data()[i]) == (i < 3));
}
