// The graph itself: what is recorded, in what order it is differentiated, and what is refused.
#include <xgrad/autograd/check.h>
#include <xgrad/autograd/dot.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/random.h>

#include <cmath>
#include <limits>
#include <thread>

#include "error.h"
#include "operation_tables.h"

using namespace xgrad;

namespace {

Variable leaf(std::initializer_list<Scalar> values) { return Variable(Tensor(values), true); }

}  // namespace

TEST_CASE("gradients of leaves add up, and a value used twice gets both parts") {
  const Variable x = leaf({2, 3});
  sum(x * x + x).backward();
  CHECK(x.grad() == Tensor({5, 7}));
  sum(x).backward();
  CHECK(x.grad() == Tensor({6, 8}));
  x.clear_grad();
  CHECK_FALSE(x.has_grad());
  check_error<GraphError>([&] { x.grad(); }, {"[grad]", "(2,)"});
}

TEST_CASE("one gradient that goes to two leaves is not shared between them") {
  const Variable a = leaf({1, 2}), b = leaf({3, 4});
  sum(a + b).backward();
  a.mutable_grad().fill(7);
  CHECK(b.grad() == Tensor({1, 1}));
}

TEST_CASE("grad leaves no trace, and reaches values inside the graph") {
  const Variable x = leaf({3});
  const Variable y = square(x), z = sum(y * y);
  const std::vector<Variable> gradients = grad(z, {y, x});
  CHECK(gradients[0].item() == doctest::Approx(18));
  CHECK(gradients[1].item() == doctest::Approx(108));
  CHECK_FALSE(x.has_grad());
  const Variable other = leaf({1});
  check_error<GraphError>([&] { grad(sum(x), {x, other}); }, {"[grad]", "input 1", "(1,)", "allow_unused"});
  CHECK(grad(sum(x), {other}, {.allow_unused = true})[0].value() == Tensor({0}));
}

TEST_CASE("derivatives of any order: those of x^5 and of sin") {
  const Variable x = leaf({1.5});
  Variable power = pow(x, 5), wave = sin(x);
  double factor = 1, exponent = 5;
  const double waves[] = {std::cos(1.5), -std::sin(1.5), -std::cos(1.5), std::sin(1.5)};
  for (double expected : waves) {
    power = grad(sum(power), {x}, {.create_graph = true})[0];
    wave = grad(sum(wave), {x}, {.create_graph = true})[0];
    factor *= exponent--;
    CHECK(power.item() == doctest::Approx(factor * std::pow(1.5, exponent)).epsilon(1e-5));
    CHECK(wave.item() == doctest::Approx(expected).epsilon(1e-5));
  }
}

TEST_CASE("nothing is recorded under NoGrad, and guards nest") {
  const Variable x = leaf({1});
  {
    const NoGrad outer;
    { const NoGrad inner; }
    CHECK_FALSE((x * x).requires_grad());
  }
  CHECK((x * x).requires_grad());
  CHECK_FALSE(x.detach().requires_grad());
  CHECK_FALSE((x.detach() * 2).requires_grad());
}

TEST_CASE("what backward refuses") {
  const Variable x = leaf({1, 2});
  check_error<ShapeError>([&] { (x * x).backward(); }, {"[backward]", "scalar", "(2,)"});
  check_error<GraphError>([&] { sum(x.detach()).backward(); }, {"[backward]", "requires a gradient"});
  check_error<GraphError>([&] { Variable().backward(); }, {"empty Variable"});
  SUBCASE("a freed graph") {
    const Variable y = sum(square(x));
    y.backward({.retain_graph = true});
    y.backward();
    CHECK(x.grad() == Tensor({4, 8}));
    check_error<GraphError>([&] { y.backward(); }, {"[backward]", "'sum'", "freed", "retain_graph"});
  }
  SUBCASE("a part of the graph that an earlier pass freed, after which a new pass works") {
    const Variable shared = square(x);
    sum(shared).backward();
    check_error<GraphError>([&] { sum(shared + x).backward(); }, {"'square'", "freed"});
    x.clear_grad();
    sum(x).backward();
    CHECK(x.grad() == Tensor({1, 1}));
  }
  SUBCASE("a value changed in place, whether read or made by the operation") {
    const Variable y = sum(square(x));
    x.mutable_value().fill(5);
    check_error<GraphError>([&] { y.backward(); }, {"'square'", "(2,)", "changed in place"});
    const Variable made = exp(x), z = sum(made);
    made.mutable_value().fill(0);
    check_error<GraphError>([&] { z.backward(); }, {"changed in place"});
  }
  SUBCASE("an operation that gives too few gradients, or gradients of another shape") {
    const auto broken = [&](std::vector<Variable> gradients) {
      return sum(record("broken", x.value(), {x}, [gradients](const Variable&, const Variable&) { return gradients; }));
    };
    check_error<GraphError>([&] { broken({}).backward(); }, {"'broken'", "0 gradients", "1 inputs"});
    check_error<ShapeError>([&] { broken({Variable(ones({3}))}).backward(); }, {"[broken]", "(3,)", "(2,)"});
  }
}

TEST_CASE("check_finite names the first operation that is not finite") {
  const Variable x = leaf({0, 1});
  check_error<ValueError>([&] { sum(3 * log(x) + 1).backward({.check_finite = true}); }, {"'log'", "(2,)", "-inf"});
  check_error<ValueError>([&] { sum(sqrt(x) * 2).backward({.check_finite = true}); },
                          {"[sqrt]", "gradient of input 0", "(2,)"});
  const Variable bad(Tensor({std::numeric_limits<Scalar>::quiet_NaN()}), true);
  check_error<ValueError>([&] { sum(bad * 2).backward({.check_finite = true}); }, {"an input", "(1,)"});
  CHECK_FALSE(bad.has_grad());
}

TEST_CASE("check_finite names the leaf by its name, the one that is read first whatever was made first") {
  const Scalar nan = std::numeric_limits<Scalar>::quiet_NaN();
  const Variable late = leaf({nan, nan}), early = leaf({nan}), good = leaf({0});
  const NamedVariables names = {{"1.weight", late}, {"0.weight", early}, {"0.bias", good}};
  const Variable data(Tensor({nan}));
  const struct {
    Variable loss;
    const NamedVariables* names;
    std::string message;
  } cases[] = {
      {sum(early * 2 * late), &names,
       "[backward] the loss is nan; the first value that is not finite is that of parameter '0.weight' (1,)"},
      {sum(late * 2 * early), &names, "is that of parameter '1.weight' (2,)"},
      {sum(early * late), &names, "is that of parameter '0.weight' (1,)"},
      {sum(data * early), &names, "is that of an input (1,)"},
      {sum(good * 1) + sum(log(good)), &names, "is that of 'log' (1,)"},
      {sum(early * 2), nullptr, "is that of an input (1,)"},
      {sum(sqrt(good)), &names, "[sqrt] the gradient of parameter '0.bias' (1,) is not finite"},
      {sum(sqrt(good)), nullptr, "[sqrt] the gradient of input 0 (1,) is not finite"},
  };
  for (const auto& c : cases)
    check_error<ValueError>([&] { c.loss.backward({.check_finite = true, .names = c.names}); }, {c.message});
}

TEST_CASE("a million chained operations, forward, backward and freed without overflow of the stack") {
  const int count = 1'000'000;
  const Variable x = leaf({1});
  const Variable one(Tensor({1}));
  {
    Variable y = x;
    for (int i = 0; i < count; ++i) y = y + one;
    CHECK(y.item() == count + 1);
    y.backward();
    CHECK(x.grad() == Tensor({1}));
  }
  Variable y = x;
  for (int i = 0; i < count; ++i) y = y * one;  // dropped without a backward pass
}

TEST_CASE("each thread builds and differentiates its own graph") {
  std::vector<double> results(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < results.size(); ++t)
    threads.emplace_back([t, &results] {
      for (int round = 0; round < 200; ++round) {
        const Variable x = leaf({static_cast<Scalar>(t + 1)});
        Variable y = x;
        for (int i = 0; i < 20; ++i) y = y * x;
        if (t == 3) {
          const NoGrad no_grad;  // other threads go on recording
          results[t] += (x * x).requires_grad() ? -1e9 : 0;
        }
        sum(y * 0 + x * x).backward();
        results[t] += static_cast<double>(x.grad().data()[0]);
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < results.size(); ++t)
    CHECK(results[t] == doctest::Approx(400.0 * static_cast<double>(t + 1)));
}

TEST_CASE("gradients are the same bits from run to run") {
  const auto run = [] {
    Generator generator(1);
    const Variable x(generator.normal({8, 8}), true);
    Variable total(zeros({}));
    for (int i = 0; i < 5; ++i) total = total + sum(tanh(matmul(x, x) + x * x));
    total.backward();
    return x.grad();
  };
  CHECK(run() == run());
}

TEST_CASE("the checks find a wrong gradient, in small inputs and in large ones") {
  for (std::size_t size : {3u, 1000u}) {
    const Variable x(Generator(1).normal({size}), true);
    const auto with_gradient = [](Scalar factor) {
      return [factor](const std::vector<Variable>& in) {
        Tensor value = square(in[0].detach()).value();
        return record("wrong", std::move(value), {in[0]},
                      [factor](const Variable& y, const Variable& g) { return std::vector{g * y.input(0) * factor}; });
      };
    };
    CHECK_NOTHROW(check_gradients(with_gradient(2), {x}));
    check_error<ValueError>([&] { check_gradients(with_gradient(Scalar(2.2)), {x}); },
                            {"[wrong]", "input 0", "element", "differences say"});
  }
  // One wrong element of many is found by halves; what is wrong everywhere by little, along a direction only.
  const Variable many(Generator(1).uniform({100'000}, 1, 2), true);
  const auto with_error = [&](const Tensor& error) {
    return [error](const std::vector<Variable>& in) {
      return record("wrong", square(in[0].detach()).value(), {in[0]},
                    [error](const Variable& y, const Variable& g) { return std::vector{g * y.input(0) * 2 + error}; });
    };
  };
  Tensor error = zeros({100'000});
  CHECK_NOTHROW(check_gradients(with_error(error), {many}));
  error(77'777) = 1e4;
  check_error<ValueError>([&] { check_gradients(with_error(error), {many}); }, {"[wrong]", "at element 77777"});
  const auto constant = [](const std::vector<Variable>& in) {
    return record("constant", zeros({}), {in[0]}, [](const Variable&, const Variable& g) {
      return std::vector{g * full({100'000}, scalar_is_double ? Scalar(5e-8) : Scalar(1e-2))};
    });
  };
  check_error<ValueError>([&] { check_gradients(constant, {many}); }, {"[constant]", "along a random direction"});
  // A first gradient that is right and a second that is not: detach cuts the graph.
  const auto cut = [](const std::vector<Variable>& in) {
    return record("cut", square(in[0].detach()).value(), {in[0]},
                  [](const Variable& y, const Variable& g) { return std::vector{g * y.input(0).detach() * 2}; });
  };
  const Variable x = leaf({1, 2});
  CHECK_NOTHROW(check_gradients(cut, {x}));
  check_error<ValueError>([&] { check_second_gradients(cut, {x}); }, {"[cut]", "second gradient"});
  check_error<GraphError>([&] { check_gradients(cut, {x.detach()}); }, {"no input requires"});
}

TEST_CASE("the checks know how exact the sums are that they compare") {
  const Function functions[] = {[](const auto& in) { return in[0] * 1; },
                                [](const auto& in) { return sum(square(in[0])); },
                                [](const auto& in) { return mean(square(in[0])); }};
  for (const std::size_t size : {64u, 1000u, 10'000u})
    for (const double low : {-10.0, -1.0, 0.0})
      for (std::uint64_t number = 0; number < 3; ++number) {
        const Variable x(Generator(number).uniform({size}, low, low < -1 ? 10 : 1), true);
        for (const Function& function : functions) CHECK_NOTHROW(check_gradients(function, {x}));
      }
}

TEST_CASE("the checks reach the parameters of a layer, and leave them as they were") {
  const Variable weight = leaf({1, 2}), x = leaf({3, 4});
  const Tensor before = weight.value();
  const auto layer = [&](const std::vector<Variable>& in) { return weight * square(in[0]); };
  CHECK_NOTHROW(check_gradients(layer, {x, weight}));
  CHECK_NOTHROW(check_second_gradients(layer, {x, weight}));
  CHECK(weight.value() == before);
}

TEST_CASE("to_dot writes operations, shapes and names") {
  const Variable w(ones({2, 3}), true), x(ones({4, 3}));
  const std::string dot = to_dot(sum(relu(linear(x, w))), {{"fc\"1.weight", w}});
  for (const char* piece : {"digraph", "linear\\n(4, 2)", "relu\\n(4, 2)", "sum\\n()", "fc\\\"1.weight\\n(2, 3)",
                            "constant\\n(4, 3)", "->"})
    CHECK_MESSAGE(dot.find(piece) != std::string::npos, piece, " is not in ", dot);
}

TEST_CASE("operations have their numbers as attributes, and to_dot shows them") {
  const Variable y = conv2d(Variable(ones({1, 2, 5, 6})), Variable(ones({4, 1, 2, 1}), true), {},
                            {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 3}, .groups = 2});
  CHECK(y.attributes() ==
        Attributes{{"strides", {2, 1}}, {"pads", {1, 0, 1, 0}}, {"dilations", {1, 3}}, {"group", {2}}});
  CHECK(relu(y).attributes().empty());
  CHECK(Variable(ones({1})).attributes().empty());
  CHECK(sum(y, {1, -1}, true).attributes() == Attributes{{"axes", {1, 3}}, {"keepdims", {1}}});
  CHECK(leaky_relu(y, 0.25).attributes() == Attributes{{"alpha", {0.25}}});
  CHECK(slice(y, -1, 2, 5).attributes() == Attributes{{"axes", {3}}, {"starts", {2}}, {"ends", {5}}});
  {
    const NoGrad no_grad;
    CHECK(sum(y).attributes().empty());
  }
  const std::string many = to_dot(take_rows(Variable(ones({2}), true), IndexTensor(xt::zeros<std::int64_t>({20}))));
  CHECK_MESSAGE(many.find("indices 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 …\"") != std::string::npos, many);
  const std::string dot = to_dot(y);
  const char* const label = "conv2d\\n(1, 4, 3, 6)\\ndilations 1 3\\ngroup 2\\npads 1 0 1 0\\nstrides 2 1\"";
  CHECK_MESSAGE(dot.find(label) != std::string::npos, dot);
}
