#include <doctest/doctest.h>
#include <error.h>
#include <optim/helpers.h>
#include <xgrad/optim/lr_range.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace xgrad;
using namespace xgrad::optim;
using doctest::Approx;

TEST_CASE("the range test on a parabola, by hand") {
  // f = x^2 / 2 from 1: a step multiplies x by 1 - lr, with lr 1/8, 1/4, 1/2. The mean begins at f = 1/2 and takes half
  // of each loss.
  const Variable x = leaf({1});
  SGD sgd({{"x", x}}, {.lr = 7});
  const LRRange range =
      lr_range_test(sgd, [&] { return sum(square(x)) / 2; }, {.from = 0.125, .to = 0.5, .steps = 3, .smoothing = 0.5});
  const double x1 = 7. / 8, x2 = x1 * 3 / 4, x3 = x2 / 2;
  const double losses[] = {x1 * x1 / 2, x2 * x2 / 2, x3 * x3 / 2};
  REQUIRE(range.points.size() == 3);
  double mean = 0.5;
  for (std::size_t i = 0; i < 3; ++i) {
    mean = (mean + losses[i]) / 2;
    CHECK(range.points[i].lr == Approx(0.125 * double(1 << i)));
    CHECK(range.points[i].loss == Approx(losses[i]).epsilon(1e-6));
    CHECK(range.points[i].smoothed == Approx(mean).epsilon(1e-6));
  }
  REQUIRE(range.suggested.has_value());
  CHECK(*range.suggested == Approx(0.25));  // the only one with two neighbours
}

TEST_CASE("it suggests where the mean loss falls most, and ends where it diverges") {
  // f = sum h x^2 / 2: with SGD a coordinate grows from lr = 2 / h on, and falls fastest at 1 / h.
  const Variable x = leaf({1, 1, 1}), h(Tensor({1, 2, 4}));
  SGD sgd({{"x", x}}, {});
  const LRRange range = lr_range_test(sgd, [&] { return sum(h * square(x)) / 2; },
                                      {.from = 1e-4, .to = 1e3, .steps = 25, .smoothing = 0});
  CHECK(range.points.back().lr > 0.5);
  CHECK(range.points.back().lr < 10);
  REQUIRE(range.suggested.has_value());
  CHECK(*range.suggested > 0.01);
  CHECK(*range.suggested < 0.5);
  double least = range.points[0].loss, most = 0;
  std::size_t at = 0;
  for (std::size_t i = 1; i + 1 < range.points.size(); ++i) {
    least = std::min(least, range.points[i].loss);
    const double fall = range.points[i - 1].loss - range.points[i + 1].loss;
    if (fall > most) most = fall, at = i;
  }
  CHECK(*range.suggested == range.points[at].lr);
  CHECK(range.points.back().loss > 4 * least);
  CHECK(range.points[range.points.size() - 2].loss <= 4 * least);
}

TEST_CASE("it suggests the middle of the steepest fall, and none after the least loss") {
  const struct {
    std::vector<double> losses;  // the first one is before the first step; then with rates 1, 2, 4, …
    double suggested;
  } cases[] = {
      {{10, 10, 10, 7, 3, 2.9, 2.8}, 4},          // falls by 3 to the third, by 4 from it
      {{10, 10, 10, 6, 3, 2.9, 2.8}, 4},          // falls by 4 to the third, by 3 from it
      {{10, 10, 10, 7, 3, 3, 11.5, 11.5, 4}, 4},  // the last fall is greater, but comes after the least
  };
  for (const auto& [losses, suggested] : cases) {
    const Variable x = leaf({1});
    SGD sgd({{"x", x}}, {});
    std::size_t call = 0;
    const auto steps = static_cast<std::int64_t>(losses.size()) - 1;
    const LRRange range =
        lr_range_test(sgd, [&, &all = losses] { return sum(0 * x) + all[call++]; },
                      {.from = 1, .to = std::ldexp(1, static_cast<int>(steps) - 1), .steps = steps, .smoothing = 0});
    CHECK(call == losses.size());
    CHECK(range.suggested.value_or(0) == Approx(suggested));
  }
}

TEST_CASE("no rate is suggested where the loss only rises, and none is tried after it is infinite") {
  const Variable x = leaf({1});
  SGD up({{"x", x}}, {.maximize = true});
  const auto loss = [&] { return sum(exp(square(x))); };
  const LRRange range = lr_range_test(up, loss, {.divergence = 1e300});
  CHECK_FALSE(range.suggested.has_value());
  CHECK(range.points.size() > 10);
  CHECK(range.points.size() < 100);
  CHECK(std::isfinite(range.points.back().smoothed));
}

TEST_CASE("a loss below 0 is not taken for one that diverges") {
  const Variable x = leaf({0});
  SGD sgd({{"x", x}}, {});
  int calls = 0;
  CHECK(
      lr_range_test(sgd, [&] { return ++calls, sum(x) - 10; }, {.from = 1e-3, .to = 1e-1, .steps = 20}).points.size() ==
      20);
  CHECK(calls == 21);
}

TEST_CASE("everything is put back, also after an error") {
  for (const bool fails : {false, true}) {
    const Variable a = leaf({1, 2}), b = leaf({3});
    Adam adam({{.parameters = {{"a", a}}, .options = {.lr = 0.1}}, {.parameters = {{"b", b}}, .options = {.lr = 0.2}}});
    int calls = 0;
    const auto loss = [&] {
      if (fails && ++calls == 30) throw std::runtime_error("the data is gone");
      return sum(square(a)) + sum(square(b));
    };
    loss().backward();
    adam.step();
    const Tensor a_before = a.value(), b_before = b.value();
    const StateDict before = adam.state_dict();
    if (fails)
      CHECK_THROWS_AS(lr_range_test(adam, loss), std::runtime_error);
    else
      CHECK(lr_range_test(adam, loss).points.size() > 50);
    CHECK(a.value() == a_before);
    CHECK(b.value() == b_before);
    CHECK(adam.state_dict().scalars == before.scalars);
    CHECK(adam.state_dict().tensors == before.tensors);
    CHECK(adam.lr(0) == 0.1);
    CHECK(adam.lr(1) == 0.2);
    CHECK_FALSE(a.has_grad());
  }
}

TEST_CASE("the range test refuses bad options and losses, and leaves the rate alone") {
  const Variable x = leaf({1});
  SGD sgd({{"x", x}}, {.lr = 0.5});
  const auto loss = [&] { return sum(square(x)); };
  const struct {
    LRRangeOptions options;
    Closure closure;
    std::string message;
  } refusals[] = {
      {{.from = 0}, loss, "[lr_range_test] from must be above 0 and finite, got 0"},
      {{.to = std::numeric_limits<double>::infinity()}, loss, "[lr_range_test] to must be above 0 and finite, got inf"},
      {{.from = 1, .to = 1}, loss, "[lr_range_test] to must be above 1, got 1"},
      {{.steps = 2}, loss, "[lr_range_test] steps must be above 2, got 2"},
      {{.smoothing = 1}, loss, "[lr_range_test] smoothing must be in [0, 1), got 1"},
      {{.divergence = 1}, loss, "[lr_range_test] divergence must be above 1, got 1"},
      {{}, Closure(), "[lr_range_test] expected a closure, got an empty function"},
      {{}, [&] { return sum(log(x - 2)); }, "[lr_range_test] the loss is nan before the first step"},
  };
  for (const auto& refusal : refusals)
    check_error<ValueError>([&] { lr_range_test(sgd, refusal.closure, refusal.options); }, {refusal.message});
  CHECK(sgd.lr() == 0.5);
  CHECK(x.item() == 1);
}

TEST_CASE("a closure that leaves other options changed is told so, and the parameters are back") {
  const Variable x = leaf({1});
  Adam adam({{"x", x}}, {});
  const auto closure = [&] { return adam.groups()[0].options.beta1 = 0.5, sum(square(x)); };
  check_error<DataError>([&] { lr_range_test(adam, closure, {.steps = 3}); },
                         {"options.0.beta1: expected 0.5, got 0.9"});
  CHECK(x.item() == 1);
}
