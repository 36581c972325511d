// What is done with a whole model: frozen, cloned, loaded in part, called with other values, printed.
#include <xgrad/autograd/ops.h>
#include <xgrad/autograd/print.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/activations.h>
#include <xgrad/nn/dropout.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/losses.h>
#include <xgrad/nn/sequential.h>
#include <xgrad/optim/adam.h>

#include <sstream>

#include "error.h"

using namespace xgrad;

namespace {

nn::Sequential small_model(std::size_t classes = 2) {
  return nn::Sequential{nn::Linear(3, 4), nn::Tanh(), nn::Linear(4, classes)};
}

const Variable three_rows(Tensor({{1, 2, 3}, {-1, 0, 1}, {0.5, 0.25, -2}}));

template <class T>
std::string printed(const T& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

}  // namespace

TEST_CASE("a part without gradients keeps its values, and its gradients are not computed") {
  seed(1);
  nn::Sequential model = small_model();
  sum(model(three_rows)).backward();
  model[0].requires_grad(false);
  const Tensor before = model[0].parameters()[0].second.value(), last = model[2].parameters()[0].second.value();
  CHECK_FALSE(model[0].parameters()[0].second.has_grad());
  optim::Adam adam(model.parameters());
  adam.zero_grad();
  const Variable loss = sum(square(model(three_rows)));
  CHECK(loss.input(0).input(0).input(0).operation().empty());  // the tanh below is no part of the graph
  loss.backward();
  adam.step();
  CHECK(model[0].parameters()[0].second.value() == before);
  CHECK(model[2].parameters()[0].second.value() != last);
  model[0].requires_grad(true);
  sum(model(three_rows)).backward();
  CHECK(model[0].parameters()[0].second.has_grad());
}

TEST_CASE("a clone has the same values and modes, and nothing in common") {
  seed(2);
  nn::Sequential model = small_model();
  model[2].eval();
  const std::uint64_t next = Generator(default_generator()).bits();
  nn::Sequential copy = nn::clone(model, [] { return small_model(); });
  CHECK(default_generator().bits() == next);
  CHECK(copy(three_rows).value() == model(three_rows).value());
  CHECK(copy[0].training());
  CHECK_FALSE(copy[2].training());
  copy.parameters()[0].second.mutable_value()(0, 0) += 1;
  CHECK(copy.parameters()[0].second.value() != model.parameters()[0].second.value());
  check_error<DataError>([&] { nn::clone(model, [] { return small_model(3); }); }, {"2.weight"});
}

TEST_CASE("what fits is loaded, and the rest is told") {
  seed(3);
  const nn::Sequential from = small_model(5);
  nn::Sequential to = small_model(2);
  StateDict state = from.state_dict();
  state.tensors.erase(state.tensors.begin() + 1);
  state.tensors.emplace_back("3.scale", ones({1}));
  const Tensor bias = to.parameters()[1].second.value();
  const nn::Module::PartialLoad report = to.load_matching(state);
  using Names = std::vector<std::string>;
  CHECK(report.taken == Names{"0.weight"});
  CHECK(report.missing == Names{"0.bias"});
  CHECK(report.unexpected == Names{"3.scale"});
  CHECK(report.misshaped == Names{"2.weight", "2.bias"});
  CHECK(to.parameters()[0].second.value() == from.parameters()[0].second.value());
  CHECK(to.parameters()[1].second.value() == bias);
}

TEST_CASE("functional_call computes with other values, which get the gradients, of both orders") {
  seed(4);
  nn::Sequential model = small_model();
  const Variable w = model.parameters()[0].second;
  const Tensor before = w.value();
  const Variable other(Generator(5).normal({4, 3}), true);
  const Variable y = sum(square(nn::functional_call(model, {{"0.weight", other}}, three_rows)));
  CHECK(w.value() == before);
  const Tensor gradient = grad(y, {other})[0].value();

  nn::Sequential copy = nn::clone(model, [] { return small_model(); });
  copy.parameters()[0].second.mutable_value() = other.value();
  const Variable expected = sum(square(copy(three_rows)));
  CHECK(y.item() == expected.item());
  CHECK(gradient == grad(expected, {copy.parameters()[0].second})[0].value());

  // The loss after a step of gradient descent, by the weights before it: against differences.
  const auto after_step = [&] {
    const Variable loss = sum(square(model(three_rows)));
    const Variable g = grad(loss, {w}, {.create_graph = true})[0];
    return sum(square(nn::functional_call(model, {{"0.weight", w - 0.05 * g}}, three_rows)));
  };
  const double slope = double(grad(after_step(), {w})[0].value()(1, 2)), step = sizeof(Scalar) == 8 ? 1e-5 : 1e-2;
  w.mutable_value()(1, 2) = Scalar(before(1, 2) + step);
  const double above = double(after_step().item());
  w.mutable_value()(1, 2) = Scalar(before(1, 2) - step);
  const double below = double(after_step().item());
  CHECK((above - below) / (2 * step) == doctest::Approx(slope).epsilon(sizeof(Scalar) == 8 ? 1e-6 : 2e-2));

  w.mutable_value() = before;
  check_error<DataError>(
      [&] {
        nn::functional_call(model, {{"5.weight", other}}, three_rows);
      },
      {"no parameter '5.weight'"});
  check_error<ShapeError>(
      [&] {
        nn::functional_call(model, {{"0.bias", other}}, three_rows);
      },
      {"'0.bias'", "(4,)", "(4, 3)"});
  check_error<ShapeError>(
      [&] {
        nn::functional_call(model, {{"0.weight", other}}, Variable(ones({1})));
      },
      {"[linear]"});
  CHECK(w.value() == before);
  CHECK(sum(model(three_rows)).requires_grad());
}

TEST_CASE("Variables and modules print themselves") {
  const Variable x(Tensor({{1, 2}, {3, 4.5}}), true);
  CHECK(printed(x) == "[[ 1. ,  2. ],\n [ 3. ,  4.5]] (2, 2), requires a gradient");
  CHECK(printed(2 * x).ends_with("(2, 2), from multiply"));
  CHECK(printed(Variable(full({}, 3))) == " 3. ()");
  CHECK(printed(Variable()) == "no gradient");
  const std::string many = printed(Variable(zeros({30, 50})));
  CHECK(many.find("...") != std::string::npos);
  CHECK(many.size() < 600);
  seed(1);
  nn::Sequential model{nn::Linear(3, 4), nn::Sequential{nn::Tanh(), nn::Dropout(0.5)}};
  CHECK(printed(model) ==
        "Sequential\n  0: Linear weight (4, 3) bias (4,)\n  1: Sequential\n    0: Tanh\n    1: Dropout\n");
}
