// Rules and wrappers whose steps need the closure, and groups of several rules.
#include <doctest/doctest.h>
#include <error.h>
#include <numbers.h>
#include <optim/helpers.h>
#include <optim/problems.h>
#include <xgrad/optim/explain.h>
#include <xgrad/optim/lr_range.h>
#include <xgrad/optim/minimize.h>

#include <cmath>
#include <memory>

using namespace xgrad;
using namespace xgrad::optim;
using doctest::Approx;

namespace {

constexpr double near = in_double ? 1e-10 : 1e-4;

// sum(a x^2 / 2 + x^4 / 4): its Hessian is diagonal, so that Hutchinson's estimate is exact.
const Tensor weights_of_bowl() { return Tensor({1, 2, 3, 0.5, 10}); }
Variable bowl(const Variable& x) {
  return sum(Variable(weights_of_bowl()) * square(x) * Scalar(0.5) + square(square(x)) * Scalar(0.25));
}
double slope(double a, double x) { return a * x + x * x * x; }
double curvature(double a, double x) { return a + 3 * x * x; }
const Tensor at_first = {0.5, -1, 0.25, 2, -0.125};

}  // namespace

TEST_CASE("Sophia and AdaHessian on a Hessian that is known") {
  seed(1);
  const Variable x = leaf(at_first), y = leaf(at_first);
  Sophia sophia({{"x", x}}, {.lr = 0.1, .beta1 = 0.8, .beta2 = 0.7, .rho = 0.5, .weight_decay = 0.1, .interval = 3});
  AdaHessian ada({{"y", y}}, {.lr = 0.2, .beta1 = 0.8, .beta2 = 0.7, .power = 0.5, .weight_decay = 0.1});
  double m[2][5] = {}, h[2][5] = {}, theta[2][5];
  for (auto& row : theta) std::copy(at_first.begin(), at_first.end(), row);
  for (int t = 1; t <= 20; ++t) {
    const double loss = bowl(Variable(x.value())).item();
    CHECK(sophia.step([&] { return bowl(x); }) == Approx(loss));
    ada.step([&] { return bowl(y); });
    for (int i = 0; i < 5; ++i) {
      const double a = double(weights_of_bowl()(std::size_t(i)));
      double g = slope(a, theta[0][i]), d = curvature(a, theta[0][i]);
      m[0][i] = 0.8 * m[0][i] + 0.2 * g;
      if (t % 3 == 1) h[0][i] = 0.7 * h[0][i] + 0.3 * d;
      theta[0][i] = (1 - 0.01) * theta[0][i] - 0.1 * std::clamp(m[0][i] / std::max(0.5 * h[0][i], 1e-12), -1.0, 1.0);
      g = slope(a, theta[1][i]), d = curvature(a, theta[1][i]);
      m[1][i] = 0.8 * m[1][i] + 0.2 * g, h[1][i] = 0.7 * h[1][i] + 0.3 * d * d;
      const double root = std::sqrt(h[1][i] / (1 - std::pow(0.7, t)));
      theta[1][i] = (1 - 0.02) * theta[1][i] - 0.2 * m[1][i] / (1 - std::pow(0.8, t)) / (std::sqrt(root) + 1e-4);
      CHECK(double(x.value()(std::size_t(i))) == Approx(theta[0][i]).epsilon(near).scale(1));
      CHECK(double(y.value()(std::size_t(i))) == Approx(theta[1][i]).epsilon(near).scale(1));
    }
  }
}

TEST_CASE("AdaHessian averages the curvature over the window of a convolution") {
  seed(1);
  const Variable w = leaf(ones({1, 2, 1, 2}));
  AdaHessian ada({{"w", w}}, {.lr = 0.1});
  const Variable scale(Tensor({{{{1, 3}}, {{5, 7}}}}));
  ada.step([&] { return sum(scale * square(w)); });
  const Tensor& d = ada.state("w", "estimate");
  CHECK(double(d(0, 0, 0, 0)) == Approx(4));  // of 2 and 6
  CHECK(double(d(0, 1, 0, 1)) == Approx(12));
}

TEST_CASE("Polyak's length brings a quadratic loss down by the share that its theory says") {
  const Variable x = leaf({3, -4});
  Polyak polyak({{"x", x}}, {.lr = 10});
  CHECK(polyak.step([&] { return sum(square(x)); }) == 25);
  CHECK(double(x.value()(0)) == Approx(1.5));  // (25 / 100) of 2 * 3
  CHECK(polyak.number("x", "length") == Approx(0.25));
  Polyak bounded({{"x", x}}, {.lr = 0.01});
  bounded.step([&] { return sum(square(x)); });
  CHECK(double(x.value()(0)) == Approx(1.5 * 0.98));
}

TEST_CASE("SAM steps with the gradient from where the loss is worst nearby") {
  for (const bool adaptive : {false, true}) {
    const Variable x = leaf(at_first);
    Sam sam(std::make_unique<SGD>(ParameterList{{"x", x}}, SGDOptions{.lr = 0.05}), {.rho = 0.3, .adaptive = adaptive});
    double theta[5];
    std::copy(at_first.begin(), at_first.end(), theta);
    for (int t = 0; t < 10; ++t) {
      sam.step([&] { return bowl(x); });
      double squares = 0, unit[5], g[5];
      for (int i = 0; i < 5; ++i) {
        unit[i] = adaptive ? std::abs(theta[i]) + 0.01 : 1;
        g[i] = slope(double(weights_of_bowl()(std::size_t(i))), theta[i]);
        squares += unit[i] * unit[i] * g[i] * g[i];
      }
      for (int i = 0; i < 5; ++i) {
        const double there = theta[i] + 0.3 * unit[i] * unit[i] * g[i] / std::sqrt(squares);
        theta[i] -= 0.05 * slope(double(weights_of_bowl()(std::size_t(i))), there);
        CHECK(double(x.value()(std::size_t(i))) == Approx(theta[i]).epsilon(near).scale(1));
      }
    }
    CHECK(sam.rule() == "SAM(SGD)");
    check_error<GraphError>([&] { sam.step(); }, {"[SAM(SGD)]", "call step(closure)"});
  }
}

TEST_CASE("SAM puts the parameters back where the closure throws or its loss is not finite") {
  const Variable x = leaf(at_first);
  Sam sam(std::make_unique<SGD>(ParameterList{{"x", x}}, SGDOptions{.lr = 0.05}));
  int calls = 0;
  check_error<ValueError>([&] { sam.step([&] { return bowl(x) * Scalar(++calls == 2 ? not_a_number : 1); }); },
                          {"[SAM(SGD)] the loss at a distance of rho is nan"});
  CHECK(x.value() == at_first);
  CHECK(sam.step_count("x") == 0);
}

TEST_CASE("Lookahead goes a share of the way of k steps, and evaluates with the slow weights") {
  const Variable x = leaf({1});
  Lookahead ahead(std::make_unique<SGD>(ParameterList{{"x", x}}, SGDOptions{.lr = 0.1}), {.k = 3, .alpha = 0.25});
  double slow = 1, fast = 1;
  for (int t = 1; t <= 10; ++t) {
    set_gradient(x, x.value() * Scalar(2));
    ahead.step();
    fast *= 0.8;
    if (t % 3 == 0) fast = slow += 0.25 * (fast - slow);
    CHECK(double(x.item()) == Approx(fast));
    const EvaluationWeights guard(ahead);
    CHECK(double(x.item()) == Approx(slow));
    CHECK_THROWS_AS(explain(ahead), GraphError);
  }
}

TEST_CASE("wrappers resume with the same bits, and refuse what is not theirs") {
  const auto make = [](const Variable& x) {
    return std::make_unique<Lookahead>(std::make_unique<Adam>(ParameterList{{"x", x}}), LookaheadOptions{.k = 3});
  };
  const Variable x = leaf(at_first);
  const auto run = [](Optimizer& optimizer, const Variable& at, int steps) {
    for (int t = 0; t < steps; ++t) optimizer.step([&] { return bowl(at); });
  };
  const auto whole = make(x);
  run(*whole, x, 4);
  const StateDict saved = whole->state_dict();
  const Variable copy = leaf(x.value());
  const auto resumed = make(copy);
  resumed->load_state_dict(saved);
  run(*whole, x, 4), run(*resumed, copy, 4);
  CHECK(copy.value() == x.value());
  CHECK(resumed->step_count("x") == 8);

  Sam sam(std::make_unique<Adam>(ParameterList{{"x", x}}));
  check_error<DataError>([&] { sam.load_state_dict(saved); }, {"rule: expected SAM(Adam), got 'Lookahead(Adam)'"});
  StateDict bad = saved;
  bad.scalars.emplace_back("more", 1);
  check_error<DataError>([&] { resumed->load_state_dict(bad); }, {"unexpected: more"});
  bad = saved;
  for (auto& [name, value] : bad.scalars)
    if (name == "wrapper.alpha") value = 0.3;
  check_error<DataError>([&] { resumed->load_state_dict(bad); }, {"k and alpha: expected 3 and 0.5, got 3 and 0.3"});
}

TEST_CASE("groups of several rules are one optimizer with one state") {
  const auto make = [](const Variable& a, const Variable& b) {
    return std::make_unique<RuleGroups>(RuleGroup({{"a", a}}, AdamRule({.lr = 0.1})),
                                        RuleGroup({{"b", b}}, NAdamRule({.lr = 0.2}), {.cautious = true}));
  };
  const Variable a = leaf(at_first), b = leaf(at_first), alone = leaf(at_first);
  const auto mixed = make(a, b);
  CHECK(mixed->rule() == "Adam + NAdam");
  Adam adam({{"alone", alone}}, {.lr = 0.1});
  const auto run = [](Optimizer& optimizer, const std::vector<Variable>& all, int steps) {
    for (int t = 0; t < steps; ++t)
      optimizer.step([&] {
        Variable loss = bowl(all[0]);
        for (std::size_t i = 1; i < all.size(); ++i) loss = loss + bowl(all[i]);
        return loss;
      });
  };
  run(*mixed, {a, b}, 5), run(adam, {alone}, 5);
  CHECK(a.value() == alone.value());
  CHECK(mixed->lr(1) == 0.2);
  const StateDict saved = mixed->state_dict();
  const Variable a2 = leaf(a.value()), b2 = leaf(b.value());
  const auto resumed = make(a2, b2);
  resumed->load_state_dict(saved);
  run(*mixed, {a, b}, 3), run(*resumed, {a2, b2}, 3);
  CHECK(a2.value() == a.value());
  CHECK(b2.value() == b.value());
  RuleGroups without(RuleGroup({{"a", a}}, AdamRule({.lr = 0.1})), RuleGroup({{"b", b}}, NAdamRule({.lr = 0.2})));
  check_error<DataError>([&] { without.load_state_dict(saved); }, {"unexpected: options.1.cautious = 1"});
}

TEST_CASE("steps that need the closure say so, and what they cannot use is refused") {
  const Variable x = leaf(at_first);
  const ParameterList list = {{"x", x}};
  Polyak polyak(list);
  set_gradient(x, at_first);
  check_error<GraphError>([&] { polyak.step(); }, {"[Polyak] a step needs the loss", "call step(closure)"});
  check_error<ValueError>([&] { explain(polyak); }, {"[explain] a step of Polyak depends on the loss"});
  check_error<GraphError>([&] { Sophia(list).step(); }, {"[Sophia]", "call step(closure)"});
  check_error<ValueError>([&] { polyak.step(Closure()); }, {"[Polyak] expected a closure"});
  check_error<ValueError>([&] { polyak.step([&] { return sum(log(x - 9)); }); }, {"[Polyak] the loss is nan"});
  check_error<ValueError>([&] { Sophia(list).step([&] { return sum(log(x - 9)); }); }, {"[Sophia] the loss is nan"});
  check_error<GraphError>([&] { Adam(list).step([&] { return Variable(ones({})); }); }, {"depends on none"});
  check_error<GraphError>([&] { Sophia(list).step([&] { return Variable(ones({})); }); }, {"depends on none"});
  check_error<ValueError>([&] { Sam(nullptr); }, {"[SAM] expected an optimizer, got none"});
  check_error<ValueError>([&] { Sam(std::make_unique<Polyak>(list)); }, {"needs a closure itself"});
  check_error<ValueError>([&] { Lookahead(std::make_unique<SGD>(list), {.k = 0}); }, {"k must be at least 1"});
  check_error<ValueError>([&] { Lookahead(std::make_unique<SGD>(list), {.alpha = 1.5}); }, {"alpha must be in"});
  check_error<ValueError>([&] { SGD(list, {}, {.decoupled_weight_decay = -1}); }, {"decoupled_weight_decay must be"});
}

TEST_CASE("the range test steps with the closure where it must") {
  const Variable x = leaf(at_first);
  Polyak polyak({{"x", x}});
  const LRRange range = lr_range_test(polyak, [&] { return bowl(x); }, {.from = 1e-4, .to = 1e-1, .steps = 20});
  CHECK(range.points.size() == 20);
  CHECK(range.points.back().loss < range.points.front().loss);
  CHECK(x.value() == at_first);
}

TEST_CASE("minimize drives every kind: Barzilai-Borwein, Polyak and SAM on a bowl") {
  const auto minimum = [](auto make) {
    const Variable x = leaf(at_first);
    const std::unique_ptr<Optimizer> optimizer = make(ParameterList{{"x", x}});
    return minimize(*optimizer, [&] { return bowl(x); }, {.gradient_norm = 1e-4, .max_steps = 2000});
  };
  CHECK(minimum([](auto list) { return std::make_unique<BarzilaiBorwein>(list); }).steps < 60);
  CHECK(minimum([](auto list) { return std::make_unique<Polyak>(list); }).ended_by == EndedBy::gradient_norm);
  const auto sam = minimum([](auto list) {
    return std::make_unique<Sam>(std::make_unique<SGD>(list, SGDOptions{.lr = 0.05}), SamOptions{.rho = 1e-3});
  });
  CHECK(sam.loss < 1e-4);
}

TEST_CASE("a rate of its own: Schedule-Free comes nearer to the minimum than SGD of the same rate, under noise") {
  const auto distance_after = [](Optimizer& optimizer, const Variable& x) {
    Generator generator(5);
    for (int t = 0; t < 3000; ++t) {
      set_gradient(x, x.value() + generator.normal({50}));
      optimizer.step();
    }
    const EvaluationWeights guard(optimizer);
    return double(sum(square(x)).item());
  };
  const Variable a = leaf(ones({50})), b = leaf(ones({50})), c = leaf(ones({50}));
  SGD sgd({{"a", a}}, {.lr = 0.5});
  ScheduleFreeSGD free({{"b", b}}, {.lr = 0.5});
  ASGD averaged({{"c", c}}, {.lr = 0.5, .lambd = 0});
  const double of_sgd = distance_after(sgd, a);
  CHECK(distance_after(free, b) < of_sgd / 50);
  CHECK(distance_after(averaged, c) < of_sgd / 50);
}
