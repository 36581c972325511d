#include <doctest/doctest.h>
#include <error.h>
#include <optim/helpers.h>
#include <optim/problems.h>
#include <xgrad/optim/lbfgs.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace xgrad;
using namespace xgrad::optim;
using doctest::Approx;

namespace {

double dot(const Tensor& a, const Tensor& b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += double(a(i)) * double(b(i));
  return total;
}

double largest(const Tensor& x) {
  double most = 0;
  for (const Scalar v : x) most = std::max(most, std::abs(double(v)));
  return most;
}

}  // namespace

TEST_CASE("L-BFGS solves the named problems in a few dozens of evaluations") {
  const struct {
    Variable (*f)(const Variable&, const Variable&);
    Tensor start, end;
    int most;
  } problems[] = {
      {rosenbrock, {Scalar(-1.2), 1}, {1, 1}, 50},
      {himmelblau, {Scalar(2.9), Scalar(1.9)}, {3, 2}, 10},
      {beale, {1, 1}, {3, 0.5}, 20},
  };
  for (const auto& [f, start, end, most] : problems) {
    const Variable p = leaf(start);
    int evaluations = 0;
    LBFGS lbfgs({{"p", p}}, {.max_iterations = 100, .max_evaluations = 100});
    const double loss = lbfgs.step([&, g = f] { return ++evaluations, at(g, p); });
    CHECK(evaluations <= most);
    CHECK(loss == double(at(f, p).item()));
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(std::abs(double(p.value()(i)) - double(end(i))) < (in_double ? 1e-8 : 1e-3));
  }
}

TEST_CASE("every iteration satisfies both Wolfe conditions, as far as numbers go") {
  for (const double c2 : {0.9, 0.1})
    for (const auto f : {rosenbrock, himmelblau, beale}) {
      const Variable p = leaf({Scalar(-1.2), Scalar(0.9)});
      const LBFGSOptions options = {.max_iterations = 1, .c1 = 1e-3, .c2 = c2};
      LBFGS lbfgs({{"p", p}}, options);
      const auto look = [&] {
        const Variable loss = at(f, p);
        return std::pair(double(loss.item()), grad(loss, {p})[0].value());
      };
      int iterations = 0;
      for (; iterations < 40; ++iterations) {
        const auto [loss, gradient] = look();
        if (largest(gradient) < (in_double ? 1e-6 : 1e-1)) break;
        const Tensor before = p.value();
        lbfgs.step([&] { return at(f, p); });
        const auto [new_loss, new_gradient] = look();
        const Tensor moved = {p.value()(0) - before(0), p.value()(1) - before(1)};
        const double slope = dot(gradient, moved);
        CHECK(slope < 0);
        CHECK(new_loss <= loss + options.c1 * slope);
        CHECK(std::abs(dot(new_gradient, moved)) <= c2 * std::abs(slope) * (1 + (in_double ? 1e-9 : 1e-3)));
      }
      CHECK(iterations >= 3);
    }
}

TEST_CASE("line searches on the functions of Moré & Thuente 1994, section 5, from far too short to far too long") {
  const auto round = [](const Variable& x) { return -x / (square(x) + 2); };                       // (5.1)
  const auto steep = [](const Variable& x) { return pow(x + 0.004, 5) - 2 * pow(x + 0.004, 4); };  // (5.2)
  const auto waves = [](const Variable& x) {                                                       // (5.3)
    constexpr double beta = 0.01, l = 39, pi = 3.14159265358979323846;
    const Variable far = abs(x - 1), near = square(x - 1) / (2 * beta) + beta / 2;
    const Tensor is_near = full(x.shape(), std::abs(double(x.item()) - 1) < beta ? Scalar(1) : Scalar(0));
    return where(Variable(is_near), near, far) + 2 * (1 - beta) / (l * pi) * sin(l * pi / 2 * x);
  };
  const auto corners = [](const Variable& x) {  // (5.4), with the parameters of their sixth
    return 0.999 * sqrt(square(1 - x) + 1e-4) + 0.99 * sqrt(square(x) + 1e-6);
  };
  const struct {
    Variable (*f)(const Variable&);
    double c1, c2;
  } problems[] = {{round, 1e-3, 0.1}, {waves, 0.0999, 0.1}, {corners, 0.0009, 0.001}, {steep, 0.0999, 0.1}};
  for (const auto& [f, c1, c2] : problems)
    for (const double length : {1e-3, 1e-1, 1e1, 1e3}) {
      if (!in_double && f == problems[3].f) continue;  // slopes below 5e-8 next to a wall
      const Variable x = leaf({0});
      const auto look = [&, g = f] {
        const Variable loss = sum(g(x));
        return std::pair(double(loss.item()), double(grad(loss, {x})[0].item()));
      };
      const auto [loss, slope] = look();
      const double lr = length / std::min(1.0, std::abs(slope));  // the first step is `length`
      LBFGS lbfgs({{"x", x}}, {.lr = lr, .max_iterations = 1, .tolerance_grad = 0, .c1 = c1, .c2 = c2});
      int evaluations = 0;
      lbfgs.step([&, g = f] { return ++evaluations, sum(g(x)); });
      const auto [new_loss, new_slope] = look();
      CHECK(new_loss <= loss + c1 * slope * double(x.item()) + (in_double ? 0 : 1e-6));
      CHECK(std::abs(new_slope) <= c2 * std::abs(slope) * (1 + 1e-6));
      CHECK(evaluations <= 22);
    }
}

TEST_CASE("a quadratic of n dimensions takes about n iterations") {
  constexpr std::size_t n = 20;
  Tensor scale = ones({n});
  for (std::size_t i = 0; i < n; ++i) scale(i) = static_cast<Scalar>(100 * (i + 1));
  const Variable x = leaf(ones({n})), factors(scale);
  LBFGS lbfgs({{"x", x}}, {.history_size = n, .max_iterations = 1, .c2 = 0.1});
  std::size_t iterations = 0, evaluations = 0;
  do {
    lbfgs.step([&] { return ++evaluations, sum(factors * square(x)) / 2; });
  } while (++iterations < 100 && largest(x.grad()) > (in_double ? 1e-6 : 1e-2));
  CHECK(iterations <= n + n / 2);
  CHECK(evaluations <= 4 * n);
}

TEST_CASE("L-BFGS brings the gradient of a logistic regression to rounding") {
  Generator generator(5);
  const Variable features(generator.normal({200, 5}));
  Tensor sides = ones({200, 1});
  for (std::size_t i = 0; i < 200; ++i)
    sides(i, 0) = double(features.value()(i, 0)) + generator.normal() > 0 ? Scalar(1) : Scalar(-1);
  const Variable weight = leaf(zeros({5, 1})), bias = leaf(zeros({1})), signs(sides);
  const auto loss = [&] {
    return mean(log1p(exp(-signs * (matmul(features, weight) + bias)))) + 0.01 * sum(square(weight));
  };
  LBFGS lbfgs({{"weight", weight}, {"bias", bias}}, {.max_iterations = 100, .max_evaluations = 200});
  lbfgs.step(loss);
  for (const Variable& gradient : grad(loss(), {weight, bias}))
    CHECK(largest(gradient.value()) < (in_double ? 1e-6 : 1e-4));
}

TEST_CASE("L-BFGS goes on from saved state as if it had not stopped") {
  const auto make = [](const Variable& p) { return LBFGS({{"p", p}}, {.history_size = 3, .max_iterations = 2}); };
  const Variable p = leaf({Scalar(-1.2), 1});
  LBFGS whole = make(p);
  for (int i = 0; i < 8; ++i) {
    const Variable copy = leaf(p.value());
    LBFGS resumed = make(copy);
    resumed.load_state_dict(whole.state_dict());
    CHECK(whole.state_dict().tensors.size() == static_cast<std::size_t>(2 * std::min(2 * i, 3)));
    whole.step([&] { return at(rosenbrock, p); });
    resumed.step([&] { return at(rosenbrock, copy); });
    CHECK(copy.value() == p.value());
  }
}

TEST_CASE("a line search turns back from where the loss is not finite") {
  const Variable x = leaf({2});  // x - log(x), from which Newton's step leads to x = 0 and beyond
  LBFGS lbfgs({{"x", x}}, {.lr = 4});
  lbfgs.step([&] { return sum(x - log(x)); });
  CHECK(double(x.item()) == Approx(1).epsilon(1e-5));
}

TEST_CASE("without a lower loss the parameters stay") {
  const Variable x = leaf({1});
  LBFGS lbfgs({{"x", x}}, {.max_evaluations = 1000});
  int calls = 0;  // the gradient says left, and everywhere else the loss is higher
  const auto loss = [&] { return sum(x) + (++calls > 1 ? 10 : 0); };
  CHECK(lbfgs.step(loss) == 1);
  CHECK(x.item() == 1);
  CHECK(calls == 26);
}

TEST_CASE("a pair that leads nowhere is forgotten, and one of negative curvature is not kept") {
  const Variable x = leaf({1});
  LBFGS misled({{"x", x}}, {.max_evaluations = 100});
  misled.load_state_dict(
      {.tensors = {{"s.0", Tensor({Scalar(1e-30)})}, {"y.0", Tensor({1})}}, .scalars = {{"pairs", 1}}});
  misled.step([&] { return sum(square(x)); });
  CHECK(std::abs(double(x.item())) < 1e-6);

  const Variable y = leaf({1});  // -y^2 / 2 falls ever faster: the slope condition never holds
  LBFGS falling({{"y", y}}, {.max_evaluations = 2});
  falling.step([&] { return -sum(square(y)) / 2; });
  CHECK(y.item() == 2);
  CHECK(falling.state_dict().tensors.empty());
}

TEST_CASE("the newest pair scales the directions that no pair has seen") {
  const Variable x = leaf({0, 1});  // 50 |x|^2, of whose curvature the pair knows in the other direction: one step
  LBFGS lbfgs({{"x", x}});
  lbfgs.load_state_dict({.tensors = {{"s.0", Tensor({1, 0})}, {"y.0", Tensor({100, 0})}}, .scalars = {{"pairs", 1}}});
  int calls = 0;
  lbfgs.step([&] { return ++calls, 50 * sum(square(x)); });
  CHECK(calls == 2);
  CHECK(std::abs(double(x.value()(1))) < 1e-6);
}

TEST_CASE("a step ends where no element of the step or of the gradient is above its tolerance") {
  const Variable x = leaf({1});  // a quarter of the way in the first iteration, and all of it in the second
  LBFGS lbfgs({{"x", x}}, {.lr = 0.25, .tolerance_grad = 0, .tolerance_change = 0.3});
  lbfgs.step([&] { return sum(square(x)) / 2; });
  CHECK(x.item() == 0.75);
  LBFGS there({{"x", x}}, {.tolerance_grad = 0.75});
  there.step([&] { return sum(square(x)) / 2; });
  CHECK(x.item() == 0.75);
}

TEST_CASE("L-BFGS refuses bad options, lists and losses") {
  const Variable a = leaf({1}), b = leaf({1});
  const ParameterList list = {{"a", a}};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const struct {
    std::function<void()> make;
    std::string message;
  } refusals[] = {
      {[&] { LBFGS(list, {.lr = 0}); }, "[LBFGS] lr must be above 0 and finite, got 0"},
      {[&] { LBFGS(list, {.history_size = 0}); }, "[LBFGS] history_size must be at least 1, got 0"},
      {[&] { LBFGS(list, {.max_iterations = 0}); }, "[LBFGS] max_iterations must be at least 1, got 0"},
      {[&] { LBFGS(list, {.max_evaluations = 0}); }, "[LBFGS] max_evaluations must be at least 1, got 0"},
      {[&] { LBFGS(list, {.tolerance_grad = -1}); }, "[LBFGS] tolerance_grad must be at least 0"},
      {[&] { LBFGS(list, {.tolerance_change = nan}); }, "[LBFGS] tolerance_change must be at least 0"},
      {[&] { LBFGS(list, {.c1 = 0.9, .c2 = 0.1}); }, "[LBFGS] expected 0 < c1 < c2 < 1, got 0.9 and 0.1"},
      {[&] { LBFGS({}); }, "[LBFGS] expected parameters, got an empty list"},
      {[&] {
         LBFGS({{"a", a}, {"a", b}});
       },
       "[LBFGS] the name 'a' is given twice"},
      {[&] {
         LBFGS({{"a", a}, {"b", a}});
       },
       "[LBFGS] 'a' and 'b' are the same parameter"},
      {[&] {
         LBFGS({{"a", a + b}});
       },
       "[LBFGS] expected parameters, but 'a' is the output of 'add'"},
      {[&] { LBFGS(list).step(Closure()); }, "[LBFGS] expected a closure, got an empty function"},
      {[&] { LBFGS(list).step([&] { return sum(log(a - 2)); }); }, "[LBFGS] the loss or its gradient is nan"},
      {[&] { LBFGS(list).step([&] { return sum(sqrt(a - 1)); }); }, "[LBFGS] the loss or its gradient is nan"},
  };
  for (const auto& refusal : refusals) check_error<ValueError>(refusal.make, {refusal.message});
  check_error<GraphError>([&] { LBFGS(list).step([&] { return sum(b); }); },
                          {"[LBFGS] the loss depends on none of the parameters"});
  LBFGS changed(list);
  changed.lr() = nan;
  check_error<ValueError>([&] { changed.step([&] { return sum(a); }); }, {"[LBFGS] lr must be above 0"});
  CHECK(a.item() == 1);
}

TEST_CASE("L-BFGS refuses a parameter or a gradient of another shape, and names it") {
  const std::function<void(const Variable&)> changes[] = {
      [](const Variable& y) { y.mutable_value() = ones({1}); },
      [](const Variable& y) {
        y.mutable_value() = ones({3, 2});
      },
      [](const Variable& y) { y.mutable_value() = full({3}, std::numeric_limits<Scalar>::infinity()); }};
  for (const auto& change : changes)
    for (const int when : {0, 1, 3}) {
      if (when == 1 && &change == &changes[2]) continue;  // the first loss must be finite
      const Variable x = leaf({1}), y = leaf({1, 2});
      LBFGS lbfgs({{"x", x}, {"y", y}});
      int calls = 0;
      const auto closure = [&] {
        if (++calls == when) change(y);
        return sum(square(square(x))) + sum(square(square(y)));
      };
      if (when == 0) lbfgs.step(closure), change(y);
      check_error<ShapeError>([&] { lbfgs.step(closure); }, {"[LBFGS] 'y': expected (2,), got ("});
    }
  const Variable x = leaf({1}), y = leaf({1, 2});
  LBFGS lbfgs({{"x", x}, {"y", y}});
  const auto closure = [&] {
    sum(y).backward();
    y.mutable_grad() = ones({1});
    return sum(square(x));
  };
  check_error<ShapeError>([&] { lbfgs.step(closure); }, {"[LBFGS] 'y': expected (2,), got (1,)"});
}

TEST_CASE("L-BFGS refuses the state of another") {
  LBFGS lbfgs({{"a", leaf({1, 1})}}, {.history_size = 1});
  const Tensor one = {1, 0};
  const struct {
    StateDict dict;
    std::vector<std::string> pieces;
  } refusals[] = {
      {{.tensors = {{"s.0", one}}, .scalars = {{"pairs", 1}, {"step", 1}}}, {"missing: y.0", "unexpected: step"}},
      {{.tensors = {{"s.0", one}, {"x", one}}, .scalars = {}}, {"missing: pairs", "unexpected: x"}},
      {{.tensors = {{"s.0", one}, {"s.0", one}}, .scalars = {{"pairs", 1}}}, {"repeated: s.0"}},
      {{.tensors = {{"s.0", ones({3})}, {"y.0", one}}, .scalars = {{"pairs", 1}}}, {"s.0: expected (2,), got (3,)"}},
      {{.tensors = {{"s.0", one}, {"y.0", Tensor({0, 1})}}, .scalars = {{"pairs", 1}}},
       {"pair 0: expected a curvature above 0"}},
      {{.tensors = {{"s.0", one}, {"y.0", one}, {"s.1", one}, {"y.1", one}}, .scalars = {{"pairs", 2}}},
       {"pairs: expected at most 1, got 2", "unexpected: s.1"}},
      {{.scalars = {{"pairs", 0}, {"options.0.lr", 0}}}, {"options.0.lr: expected a rate above 0, got 0"}},
  };
  for (const auto& [dict, pieces] : refusals)
    for (const std::string& piece : pieces)
      check_error<DataError>([&, state = dict] { lbfgs.load_state_dict(state); }, {"[LBFGS]", piece});
  CHECK(lbfgs.state_dict().tensors.empty());
}
