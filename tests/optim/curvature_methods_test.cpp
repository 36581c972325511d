// Newton's method with a trust region, and nonlinear conjugate gradients.
#include <doctest/doctest.h>
#include <error.h>
#include <numbers.h>
#include <optim/helpers.h>
#include <optim/problems.h>
#include <xgrad/optim/minimize.h>
#include <xgrad/optim/newton_cg.h>

#include <cmath>
#include <memory>

using namespace xgrad;
using namespace xgrad::optim;
using doctest::Approx;

namespace {

// x'A x / 2 - b'x with eigenvalues from 1 to 100, and its minimum by hand: A is diagonal in the basis of its columns.
struct Quadratic {
  explicit Quadratic(std::size_t n) {
    Generator generator(4);
    Tensor root = generator.normal({n, n});
    a = matmul(Variable(root), Variable(root), {.transpose_b = true}).value() / Scalar(n);
    for (std::size_t i = 0; i < n; ++i) a(i, i) += 1;
    solution = generator.normal({n});
    b = reshape(matmul(Variable(a), reshape(Variable(solution), {n, 1})), {n}).value();
  }
  Variable operator()(const Variable& x) const {
    return sum(reshape(x, {b.size(), 1}) * matmul(Variable(a), reshape(x, {b.size(), 1}))) * Scalar(0.5) -
           sum(Variable(b) * x);
  }
  double distance(const Variable& x) const {
    return std::sqrt(double(xgrad::sum(square(x - Variable(solution))).item()));
  }
  Tensor a, b, solution;
};

const auto make_newton = [](const ParameterList& list) { return std::make_unique<NewtonCG>(list); };
const auto make_conjugate = [](const ParameterList& list) { return std::make_unique<ConjugateGradient>(list); };

}  // namespace

TEST_CASE("Newton's method minimizes a quadratic by as many products as it has dimensions, within its radius") {
  const Quadratic f(8);
  const Variable x = leaf(zeros({8}));
  NewtonCG newton({{"x", x}}, {.lr = 100, .max_iterations = 10, .tolerance_grad = in_double ? 1e-9 : 1e-4});
  newton.step([&] { return f(x); });
  CHECK(f.distance(x) < (in_double ? 1e-8 : 1e-3));

  const Variable y = leaf(zeros({8}));
  NewtonCG careful({{"y", y}}, {.lr = 0.01});
  careful.step([&] { return f(y); });
  CHECK(std::sqrt(double(sum(square(y)).item())) == Approx(0.01).epsilon(1e-5));
  CHECK(careful.lr() == 0.02);  // the model was right, and the edge was in the way
}

TEST_CASE("Newton's method leaves a saddle and a place of negative curvature") {
  const Variable x = leaf({0x1p-10, 1});  // (x^2 - 1)^2 + y^2: a saddle at 0
  NewtonCG newton({{"x", x}}, {.max_iterations = 60});
  const auto f = [&] {
    const Variable u = slice(x, 0, 0, 1), v = slice(x, 0, 1, 2);
    return sum(square(square(u) - 1) + square(v));
  };
  CHECK(newton.step(f) < 1e-6);
  CHECK(std::abs(double(x.value()(0))) == Approx(1).epsilon(1e-3));
}

TEST_CASE("conjugate gradients minimize a quadratic in some more iterations than it has dimensions") {
  const Quadratic f(8);
  const Variable x = leaf(zeros({8}));
  ConjugateGradient conjugate({{"x", x}}, {.max_iterations = 20, .c1 = 1e-6, .c2 = 1e-3});
  conjugate.step([&] { return f(x); });
  CHECK(f.distance(x) < (in_double ? 1e-5 : 1e-2));
}

TEST_CASE("both find the minima of named functions") {
  const auto minimum = [](auto make, auto f, const Tensor& from, const Tensor& to) {
    const Variable p = leaf(from);
    const std::unique_ptr<Optimizer> optimizer = make({{"p", p}});
    const Minimum result = minimize(*optimizer, [&] { return at(f, p); }, {.gradient_norm = 1e-5, .max_steps = 300});
    for (std::size_t i = 0; i < 2; ++i) CHECK(double(p.value()(i)) == Approx(double(to(i))).epsilon(5e-3));
    return result;
  };
  for (const auto& [from, to] : {std::pair<Tensor, Tensor>{{-1.25, 1}, {1, 1}}, {{3, -2}, {1, 1}}}) {
    CHECK(minimum(make_newton, rosenbrock, from, to).steps < 60);
    CHECK(minimum(make_conjugate, rosenbrock, from, to).steps < 60);
  }
  minimum(make_newton, himmelblau, {2.875, 1.875}, {3, 2});
  minimum(make_conjugate, himmelblau, {2.875, 1.875}, {3, 2});
  minimum(make_newton, beale, {1, 0.75}, {3, 0.5});
  minimum(make_conjugate, beale, {1, 0.75}, {3, 0.5});
}

TEST_CASE_TEMPLATE("they resume with the same bits, and refuse what is not theirs", Method, NewtonCG,
                   ConjugateGradient) {
  const Variable p = leaf({-1.25, 1});
  using Options = std::conditional_t<std::is_same_v<Method, NewtonCG>, NewtonCGOptions, ConjugateGradientOptions>;
  Method whole({{"p", p}}, Options{.max_iterations = 2});
  const auto run = [](Method& method, const Variable& x, int steps) {
    for (int t = 0; t < steps; ++t) method.step([&] { return at(rosenbrock, x); });
  };
  run(whole, p, 3);
  const StateDict saved = whole.state_dict();
  const Variable copy = leaf(p.value());
  Method resumed({{"p", copy}}, Options{.max_iterations = 2});
  resumed.load_state_dict(saved);
  run(whole, p, 3), run(resumed, copy, 3);
  CHECK(copy.value() == p.value());
  CHECK(resumed.step_count("p") == 6);
  Method other({{"p", copy}}, Options{.max_iterations = 3});
  check_error<DataError>([&] { other.load_state_dict(saved); }, {"options.0.max_iterations: expected 3, got 2"});
  StateDict bad = saved;
  for (auto& [name, value] : bad.scalars)
    if (name == "options.0.lr") value = -1;
  check_error<DataError>([&] { resumed.load_state_dict(bad); }, {"options.0.lr: expected"});
  CHECK(resumed.step_count("p") == 6);
}

TEST_CASE("what they cannot use is refused") {
  const Variable a = leaf({1}), b = leaf({1});
  const ParameterList list = {{"a", a}};
  const struct {
    std::function<void()> make;
    std::string message;
  } refusals[] = {
      {[&] { NewtonCG(list, {.lr = 0}); }, "[NewtonCG] lr must be above 0 and finite, got 0"},
      {[&] { NewtonCG(list, {.radius_max = 0.5}); }, "[NewtonCG] radius_max must be at least lr, 1, and finite"},
      {[&] { NewtonCG(list, {.max_iterations = 0}); }, "[NewtonCG] max_iterations must be at least 1"},
      {[&] { NewtonCG(list, {.max_products = 0}); }, "[NewtonCG] max_products must be at least 1"},
      {[&] { NewtonCG(list, {.tolerance_grad = -1}); }, "[NewtonCG] tolerance_grad must be at least 0"},
      {[&] { NewtonCG(list, {.acceptance = 0.3}); }, "[NewtonCG] acceptance must be in [0, 1/4), got 0.3"},
      {[&] { NewtonCG({}); }, "[NewtonCG] expected parameters"},
      {[&] { NewtonCG(list).step(Closure()); }, "[NewtonCG] expected a closure"},
      {[&] { NewtonCG(list).step([&] { return sum(log(a - 2)); }); }, "[NewtonCG] the loss or its gradient is nan"},
      {[&] { ConjugateGradient(list, {.lr = -1}); }, "[ConjugateGradient] lr must be above 0"},
      {[&] { ConjugateGradient(list, {.c2 = 0.5}); }, "[ConjugateGradient] expected 0 < c1 < c2 < 1/2"},
      {[&] { ConjugateGradient(list, {.max_evaluations = 0}); }, "max_evaluations must be at least 1"},
      {[&] { ConjugateGradient(list).step([&] { return sum(sqrt(a - 1)); }); }, "the loss or its gradient is nan"},
  };
  for (const auto& refusal : refusals) check_error<ValueError>(refusal.make, {refusal.message});
  check_error<GraphError>([&] { NewtonCG(list).step([&] { return sum(Variable(ones({2}))); }); }, {"depends on none"});
  check_error<GraphError>([&] { NewtonCG(list).step(); }, {"[NewtonCG] a step needs the loss"});
}
