// Cells over several steps. Their values and gradients in one step are in reference_test.cpp.
#include <xgrad/autograd/check.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/recurrent.h>

#include <cmath>

#include "error.h"

using namespace xgrad;

namespace {

using Inputs = std::vector<Variable>;
constexpr CheckOptions check_options{.tolerance = sizeof(Scalar) == 8 ? 2e-7 : 5e-2};

// Three steps of (2, 3), and the parameters.
Inputs inputs(const nn::Module& cell) {
  Inputs result;
  for (int t = 0; t < 3; ++t) result.emplace_back(Generator(5, static_cast<std::uint64_t>(t)).normal({2, 3}), true);
  for (const auto& [name, parameter] : cell.parameters()) result.push_back(parameter);
  return result;
}

}  // namespace

TEST_CASE("gradients go through an unrolled GRU, twice") {
  seed(1);
  const nn::GRUCell cell(3, 2);
  const Function function = [&](const Inputs& in) {
    Variable h;
    for (std::size_t t = 0; t < 3; ++t) h = cell.step(in[t], h);
    return h;
  };
  CHECK_NOTHROW(check_gradients(function, inputs(cell), check_options));
  CHECK_NOTHROW(check_second_gradients(function, inputs(cell), check_options));
}

TEST_CASE("gradients go through an unrolled LSTM, twice") {
  seed(1);
  const nn::LSTMCell cell(3, 2);
  const Function function = [&](const Inputs& in) {
    nn::LSTMCell::State state;
    for (std::size_t t = 0; t < 3; ++t) state = cell.step(in[t], state);
    return state.h + state.c;
  };
  CHECK_NOTHROW(check_gradients(function, inputs(cell), check_options));
  CHECK_NOTHROW(check_second_gradients(function, inputs(cell), check_options));
}

TEST_CASE("forward is a step from a state of zeros") {
  const Variable x(Generator(1).normal({4, 3})), zero(zeros({4, 2}));
  nn::GRUCell gru(3, 2);
  nn::LSTMCell lstm(3, 2);
  CHECK(gru(x).value() == gru.step(x, zero).value());
  CHECK(lstm(x).value() == lstm.step(x, {zero, zero}).h.value());
}

TEST_CASE("cells draw their parameters in order, uniform in 1 / sqrt(hidden)") {
  seed(7);
  const nn::GRUCell cell(3, 4);
  Generator generator(7);
  const std::pair<const char*, Shape> expected[] = {
      {"weight_ih", {12, 3}}, {"weight_hh", {12, 4}}, {"bias_ih", {12}}, {"bias_hh", {12}}};
  const NamedVariables parameters = cell.parameters();
  REQUIRE(parameters.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(parameters[i].first == expected[i].first);
    CHECK(parameters[i].second.value() == generator.uniform(expected[i].second, -0.5, 0.5));
  }
}

TEST_CASE("cells refuse shapes and sizes that do not fit") {
  nn::GRUCell gru(3, 2);
  nn::LSTMCell lstm(3, 2);
  const auto zero = [](const Shape& shape) { return Variable(zeros(shape)); };
  const struct {
    Shape x, h;
  } cases[] = {{{4, 2}, {4, 2}}, {{4, 3}, {4, 3}}, {{4, 3}, {1, 2}}, {{3}, {2}}, {{}, {}}, {{4, 3}, {}}};
  for (const auto& c : cases) {
    check_error<ShapeError>([&] { gru.step(zero(c.x), zero(c.h)); },
                            {"[gru_cell]", "(N, 3)", "(N, 2)", to_string(c.x), to_string(c.h)});
    check_error<ShapeError>(
        [&] {
          lstm.step(zero(c.x), {zero(c.h), zero(c.h)});
        },
        {"[lstm_cell]", "(N, 3)", "(N, 2)", to_string(c.x), to_string(c.h)});
  }
  check_error<ShapeError>([&] { lstm.step(zero({4, 3}), {zero({4, 2}), zero({1, 2})}); }, {"[lstm_cell]", "(1, 2)"});
  check_error<ShapeError>([&] { gru(zero({})); }, {"[gru_cell]", "()"});
  gru.weight_ih.mutable_value() = gru.weight_hh.mutable_value() = Tensor(Scalar(1));  // not to be read by their sizes
  CHECK_THROWS_AS(gru(zero({4, 3})), ShapeError);
  check_error<ValueError>([] { nn::GRUCell(0, 2); }, {"[recurrent]", "got 0"});
  check_error<ValueError>([] { nn::LSTMCell(2, 0); }, {"[recurrent]", "got 0"});
}
