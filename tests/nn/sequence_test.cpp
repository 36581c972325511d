// Layers over sequences: recurrent networks against their cells, attention against its formula.
#include <xgrad/autograd/check.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/attention.h>
#include <xgrad/nn/convolution.h>
#include <xgrad/nn/recurrent.h>

#include <cmath>
#include <limits>

#include "error.h"
#include "numbers.h"

using namespace xgrad;

namespace {

constexpr CheckOptions sequence_options{.tolerance = sizeof(Scalar) == 8 ? 2e-7 : 5e-2};

void check_near(const Variable& got, const Variable& expected) {
  REQUIRE(got.shape() == expected.shape());
  for (std::size_t i = 0; i < got.size(); ++i)
    CHECK(std::abs(got.value().data()[i] - expected.value().data()[i]) < (sizeof(Scalar) == 8 ? 1e-12 : 1e-5));
}

Variable drawn(std::uint64_t start, const Shape& shape) { return Variable(Generator(start).normal(shape), true); }

// A cell with the parameters of one layer, by their names but for the suffix.
template <class Cell>
Cell cell_of(const nn::Module& network, const std::string& suffix, std::size_t input, std::size_t hidden) {
  Cell cell(input, hidden);
  StateDict state;
  for (const auto& [name, parameter] : network.parameters())
    if (name.ends_with(suffix))
      state.tensors.emplace_back(name.substr(0, name.size() - suffix.size()), parameter.value());
  cell.load_state_dict(state);
  return cell;
}

// The parameters and the input, of which a network's outputs are a function.
std::vector<Variable> with_parameters(const nn::Module& module, Variable x) {
  std::vector<Variable> inputs = {std::move(x)};
  for (const auto& [name, parameter] : module.parameters()) inputs.push_back(parameter);
  return inputs;
}

}  // namespace

TEST_CASE("GRU is its cell, step by step, in two layers") {
  seed(1);
  const nn::GRU network(3, 2, {.layers = 2});
  const auto first = cell_of<nn::GRUCell>(network, "_l0", 3, 2), second = cell_of<nn::GRUCell>(network, "_l1", 2, 2);
  const Variable x = drawn(2, {4, 5, 3}), start = drawn(3, {2, 4, 2});
  Variable h = start[0], g = start[1];
  std::vector<Variable> outputs;
  for (const Variable& step : unbind(x, 1)) {
    h = first.step(step, h), g = second.step(h, g);
    outputs.push_back(g);
  }
  const auto [output, state] = network.run(x, {start, {}});
  check_near(output, stack(outputs, 1));
  check_near(state.h, stack({h, g}));
  CHECK_FALSE(state.c);
}

TEST_CASE("LSTM reads from both ends, and padding changes nothing") {
  seed(1);
  nn::LSTM network(3, 2, {.bidirectional = true});
  const auto forward = cell_of<nn::LSTMCell>(network, "_l0", 3, 2),
             backward = cell_of<nn::LSTMCell>(network, "_l0_reverse", 3, 2);
  const Variable x = drawn(2, {2, 5, 3});
  const std::vector<std::size_t> lengths = {5, 3};
  const auto [output, state] = network.run(x, {}, lengths);
  CHECK(output.shape() == Shape{2, 5, 4});
  for (std::size_t n = 0; n < 2; ++n) {
    const std::vector<Variable> steps = unbind(slice(x, 0, n, n + 1), 1);
    nn::LSTMCell::State a, b;
    std::vector<Variable> from_end(5, Variable(zeros({1, 2})));
    std::vector<Variable> from_begin = from_end;
    for (std::size_t t = 0; t < lengths[n]; ++t) from_begin[t] = (a = forward.step(steps[t], a)).h;
    for (std::size_t t = lengths[n]; t-- > 0;) from_end[t] = (b = backward.step(steps[t], b)).h;
    const Variable expected = concatenate({stack(from_begin, 1), stack(from_end, 1)}, 2);
    check_near(slice(output, 0, n, n + 1), expected);
    for (const auto& [got, of_cell] :
         {std::pair{state.h[0], a.h}, {state.h[1], b.h}, {state.c[0], a.c}, {state.c[1], b.c}})
      check_near(slice(got, 0, n, n + 1), of_cell);
  }
  Tensor other = x.value();
  for (std::size_t t = 3; t < 5; ++t) other(1, t, 0) = std::numeric_limits<Scalar>::quiet_NaN();
  CHECK(network.run(Variable(other), {}, lengths).output.value() == output.value());
  CHECK(network(x).value() == network.run(x).output.value());
}

TEST_CASE("gradients go through whole sequences, twice") {
  seed(1);
  const nn::RNN network(2, 2, {.layers = 2, .bidirectional = true});
  const nn::LSTM lstm(2, 2);
  const std::vector<std::size_t> lengths = {3, 2};
  const Function of_rnn = [&](const auto& in) { return network.run(in[0], {}, lengths).output; };
  const Function of_lstm = [&](const auto& in) { return lstm.run(in[0], {}, lengths).state.c; };
  CHECK_NOTHROW(check_gradients(of_rnn, with_parameters(network, drawn(2, {2, 3, 2})), sequence_options));
  CHECK_NOTHROW(check_gradients(of_lstm, with_parameters(lstm, drawn(2, {2, 3, 2})), sequence_options));
  CHECK_NOTHROW(check_second_gradients(of_lstm, with_parameters(lstm, drawn(2, {2, 3, 2})), sequence_options));
}

TEST_CASE("a recurrent network has PyTorch's names, and refuses what does not fit") {
  const nn::GRU network(3, 2, {.layers = 2, .bidirectional = true, .dropout = 0.5});
  const NamedVariables parameters = network.parameters();
  REQUIRE(parameters.size() == 16);
  CHECK(parameters[0].first == "weight_ih_l0");
  CHECK(parameters[5].first == "weight_hh_l0_reverse");
  CHECK(parameters[8].first == "weight_ih_l1");
  CHECK(parameters[8].second.shape() == Shape{6, 4});
  const Variable x(ones({2, 4, 3}));
  check_error<ShapeError>([&] { network.run(Variable(ones({2, 3}))); }, {"[gru]", "(N, steps, 3)", "(2, 3)"});
  check_error<ShapeError>([&] { network.run(Variable(ones({2, 0, 3}))); }, {"[gru]", "(2, 0, 3)"});
  check_error<ShapeError>(
      [&] {
        network.run(x, {Variable(ones({4, 2, 3})), {}});
      },
      {"[gru]", "(4, 2, 2)", "(4, 2, 3)"});
  check_error<ValueError>([&] { network.run(x, {{}, x}); }, {"[gru]", "without c"});
  check_error<ShapeError>([&] { network.run(x, {}, {1}); }, {"[gru]", "2 sequences, got 1"});
  check_error<ValueError>([&] { network.run(x, {}, {0, 1}); }, {"[gru]", "1 to 4, got 0"});
  check_error<ValueError>([&] { network.run(x, {}, {1, 5}); }, {"[gru]", "1 to 4, got 5"});
  check_error<ValueError>([] { nn::LSTM(3, 2, {.layers = 0}); }, {"[lstm]", "got 0"});
}

TEST_CASE("attention is a softmax of scores times values, for what a query sees") {
  const Variable q = drawn(1, {2, 3, 4, 5}), k = drawn(2, {2, 3, 6, 5}), v = drawn(3, {2, 3, 6, 2});
  const Variable scores = einsum("bhqd,bhkd->bhqk", {q, k}) / std::sqrt(5.0);
  check_near(nn::scaled_dot_product_attention(q, k, v), einsum("bhqk,bhkd->bhqd", {softmax(scores), v}));

  // Sums over what is seen, element by element.
  Tensor third = zeros({4, 6});
  for (std::size_t i = 0; i < 4; ++i) third(i, (2 * i) % 6) = third(i, 0) = 1;
  const nn::AttentionMask masks[] = {
      {.causal = true}, {.lengths = {6, 2}}, {.causal = true, .lengths = {1, 3}}, {.seen = third}};
  for (const nn::AttentionMask& mask : masks) {
    const Variable got = nn::scaled_dot_product_attention(q, k, v, mask);
    for (std::size_t n = 0; n < 2; ++n)
      for (std::size_t i = 0; i < 4; ++i) {
        const auto seen = [&](std::size_t j) {
          return (!mask.causal || j <= i) && (mask.lengths.empty() || j < mask.lengths[n]) &&
                 (mask.seen.dimension() == 0 || mask.seen(i, j) != 0);
        };
        double total = 0, sum_of_values = 0;
        for (std::size_t j = 0; j < 6; ++j)
          if (seen(j)) {
            const double weight = std::exp(double(scores.value()(n, 1, i, j)));
            total += weight, sum_of_values += weight * double(v.value()(n, 1, j, 0));
          }
        CHECK(double(got.value()(n, 1, i, 0)) == doctest::Approx(sum_of_values / total).epsilon(1e-4));
      }
  }
  const Function masked = [&](const auto& in) {
    return nn::scaled_dot_product_attention(in[0], in[1], in[2], {.causal = true, .lengths = {2}});
  };
  const std::vector<Variable> small = {drawn(4, {1, 1, 3, 2}), drawn(5, {1, 1, 3, 2}), drawn(6, {1, 1, 3, 2})};
  CHECK_NOTHROW(check_gradients(masked, small, sequence_options));
  CHECK_NOTHROW(check_second_gradients(masked, small, sequence_options));

  check_error<ShapeError>([&] { nn::scaled_dot_product_attention(q, v, v); },
                          {"[attention]", "(2, 3, 4, 5)", "(2, 3, 6, 2)"});
  check_error<ValueError>([&] { nn::scaled_dot_product_attention(q, k, v, {.lengths = {0, 1}}); }, {"1 to 6, got 0"});
  check_error<ShapeError>([&] { nn::scaled_dot_product_attention(q, k, v, {.lengths = {1}}); }, {"2 sequences, got 1"});
  check_error<ShapeError>(
      [&] {
        nn::scaled_dot_product_attention(q, k, v, {.seen = ones({3, 6})});
      },
      {"[attention]", "(3, 6)"});
  check_error<ValueError>(
      [&] {
        nn::scaled_dot_product_attention(q, k, v, {.seen = zeros({4, 6})});
      },
      {"without any key"});
}

TEST_CASE("MultiheadAttention projects, attends with each head, and projects back") {
  seed(2);
  nn::MultiheadAttention attention(6, 2);
  CHECK(attention.in_proj_bias.value() == zeros({18}));
  const Variable x = drawn(1, {2, 4, 6}), other = drawn(2, {2, 3, 6});
  StateDict state = attention.state_dict();
  CHECK(state.tensors[0].first == "in_proj_weight");
  CHECK(state.tensors[2].first == "out_proj.weight");
  const auto by_hand = [&](const Variable& query, const Variable& key) {
    std::vector<Variable> heads;
    const std::vector<Variable> w = split(attention.in_proj_weight, {3, 3, 3, 3, 3, 3});
    for (std::size_t h = 0; h < 2; ++h) {
      const Variable q = linear(query, w[h]), k = linear(key, w[2 + h]), v = linear(key, w[4 + h]);
      heads.push_back(matmul(softmax(matmul(q, k, {.transpose_b = true}) / std::sqrt(3.0)), v));
    }
    return linear(concatenate(heads, 2), Variable(*state.find("out_proj.weight")));
  };
  check_near(attention(x), by_hand(x, x));
  check_near(attention.attend(x, other, other), by_hand(x, other));
  check_error<ShapeError>(
      [&] {
        attention(Variable(ones({2, 4, 5})));
      },
      {"[multihead_attention]", "(N, steps, 6)", "(2, 4, 5)"});
  check_error<ShapeError>([&] { attention.attend(x, other, x); }, {"[multihead_attention]", "(2, 3, 6) and (2, 4, 6)"});
  check_error<ValueError>([] { nn::MultiheadAttention(6, 4); }, {"4 heads do not divide the width 6"});
}

TEST_CASE("a causal TransformerBlock does not see what comes later, and has gradients") {
  seed(3);
  nn::TransformerBlock block(4, 2, {.dim_feedforward = 3, .causal = true});
  const Variable x = drawn(1, {1, 3, 4});
  Tensor changed = x.value();
  changed(0, 2, 1) = 5;
  check_near(slice(block(x), 1, 0, 2), slice(block(Variable(changed)), 1, 0, 2));
  CHECK(block(x).value() != block(Variable(changed)).value());
  CHECK_NOTHROW(
      check_gradients([&](const auto& in) { return block(in[0]); }, with_parameters(block, x), sequence_options));
  CHECK(block.parameters().size() == 12);
}

TEST_CASE("Conv1d slides along sequences, and same_padding keeps sizes") {
  seed(4);
  nn::Conv1d layer(2, 3, 4, {.padding = nn::same_padding.width, .dilation = 2});
  CHECK(layer.weight.shape() == Shape{3, 2, 4});
  const Variable x = drawn(1, {2, 2, 7});
  const Variable y = layer(x);
  CHECK(y.shape() == Shape{2, 3, 7});
  for (std::size_t o = 0; o < 3; ++o)
    for (std::size_t t = 0; t < 7; ++t) {
      double total = double(layer.bias.value()(o));
      for (std::size_t c = 0; c < 2; ++c)
        for (std::size_t k = 0; k < 4; ++k) {
          const std::ptrdiff_t at = std::ptrdiff_t(t + 2 * k) - 3;  // 6 pixels of padding: 3 of them before
          if (at >= 0 && at < 7)
            total += double(layer.weight.value()(o, c, k)) * double(x.value()(1, c, std::size_t(at)));
        }
      CHECK(double(y.value()(1, o, t)) == doctest::Approx(total).epsilon(1e-4));
    }
  CHECK(nn::Conv1d(2, 4, 3, {.stride = 2, .groups = 2})(x).shape() == Shape{2, 4, 3});
  CHECK(nn::Conv2d(1, 2, {2, 3}, {.padding = nn::same_padding})(Variable(ones({1, 1, 4, 5}))).shape() ==
        Shape{1, 2, 4, 5});
  check_error<ShapeError>([&] { layer(Variable(ones({2, 2}))); }, {"[conv1d]", "(2, 2)"});
  check_error<ValueError>([] { nn::Conv2d(1, 1, 3, {.stride = 2, .padding = nn::same_padding}); },
                          {"[conv2d]", "stride of 1"});
  check_error<ValueError>([] { nn::Conv1d(3, 2, 3, {.groups = 2}); }, {"[conv1d]", "2 groups for 2 and 3"});
}
