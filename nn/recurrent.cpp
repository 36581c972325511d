#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/dropout.h>
#include <xgrad/nn/recurrent.h>

#include <cmath>
#include <utility>

namespace xgrad::nn {
namespace {

// Part k of (batch, parts * hidden).
Variable part(const Variable& all, std::size_t k, const Variable& h) {
  const std::size_t hidden = h.shape()[1];
  return slice(all, 1, k * hidden, (k + 1) * hidden);
}

// The rows of all gates, given the shape of one's.
Tensor draw(std::size_t gates, Shape shape) {
  shape = detail::checked_sizes("recurrent", std::move(shape));
  const double bound = 1 / std::sqrt(static_cast<double>(shape[0]));
  shape[0] *= gates;
  return default_generator().uniform(shape, -bound, bound);
}

// The steps, given a = W_ih x + b_ih.

RecurrentState rnn_step(const Variable& a, const RecurrentState& state, const Variable& weight, const Variable& bias) {
  return {tanh(a + linear(state.h, weight, bias)), {}};
}

RecurrentState lstm_step(const Variable& a, const RecurrentState& state, const Variable& weight, const Variable& bias) {
  const Variable& h = state.h;
  const Variable all = a + linear(h, weight, bias);
  const Variable i = sigmoid(part(all, 0, h)), f = sigmoid(part(all, 1, h)), g = tanh(part(all, 2, h));
  const Variable next = f * state.c + i * g;
  return {sigmoid(part(all, 3, h)) * tanh(next), next};
}

RecurrentState gru_step(const Variable& a, const RecurrentState& state, const Variable& weight, const Variable& bias) {
  const Variable &h = state.h, b = linear(h, weight, bias);
  const Variable r = sigmoid(part(a, 0, h) + part(b, 0, h)), z = sigmoid(part(a, 1, h) + part(b, 1, h));
  const Variable n = tanh(part(a, 2, h) + r * part(b, 2, h));
  return {n + z * (h - n), {}};
}

}  // namespace

RecurrentCell::RecurrentCell(std::size_t gates, std::size_t input_size, std::size_t hidden_size)
    : weight_ih(param("weight_ih", draw(gates, {hidden_size, input_size}))),
      weight_hh(param("weight_hh", draw(gates, {hidden_size, hidden_size}))),
      bias_ih(param("bias_ih", draw(gates, {hidden_size}))),
      bias_hh(param("bias_hh", draw(gates, {hidden_size}))),
      input_(input_size),
      hidden_(hidden_size) {}

Variable RecurrentCell::checked_state(std::string_view operation, const Variable& x, const Variable& state) const {
  const std::size_t batch = x.shape().empty() ? 0 : x.shape()[0];
  const Shape input = {batch, input_}, expected = {batch, hidden_};
  const Variable h = state ? state : Variable(zeros(expected));
  if (x.shape() != input || h.shape() != expected)
    throw ShapeError(message("[", operation, "] expected an input (N, ", input[1], ") and a state (N, ", expected[1],
                             "), got ", x.shape(), " and ", h.shape()));
  return h;
}

LSTMCell::State LSTMCell::step(const Variable& x, const State& state) const {
  const Variable h = checked_state("lstm_cell", x, state.h), c = checked_state("lstm_cell", x, state.c);
  return lstm_step(linear(x, weight_ih, bias_ih), {h, c}, weight_hh, bias_hh);
}

Variable GRUCell::step(const Variable& x, const Variable& state) const {
  const Variable h = checked_state("gru_cell", x, state);
  return gru_step(linear(x, weight_ih, bias_ih), {h, {}}, weight_hh, bias_hh).h;
}

Recurrent::Recurrent(std::string_view operation, std::size_t gates, Step step, std::size_t input_size,
                     std::size_t hidden_size, RecurrentOptions options)
    : operation_(operation),
      step_(step),
      input_(input_size),
      hidden_(hidden_size),
      directions_(options.bidirectional ? 2 : 1) {
  detail::checked_sizes(operation, {options.layers, input_size, hidden_size});
  for (std::size_t i = 0; i < options.layers; ++i)
    for (const char* const direction : {"", "_reverse"}) {
      if (*direction != 0 && !options.bidirectional) continue;
      const std::string suffix = "_l" + std::to_string(i) + direction;
      const auto drawn = [&](const char* name, const Shape& shape) { return param(name + suffix, draw(gates, shape)); };
      layers_.push_back({drawn("weight_ih", {hidden_size, i == 0 ? input_size : directions_ * hidden_size}),
                         drawn("weight_hh", {hidden_size, hidden_size}), drawn("bias_ih", {hidden_size}),
                         drawn("bias_hh", {hidden_size})});
    }
  if (options.dropout != 0) dropout_ = &add<Dropout>("dropout", options.dropout);
}

Recurrent::Result Recurrent::run_layer(const Variable& x, const RecurrentState& start, std::size_t index,
                                       const std::vector<Variable>& inside) const {
  const auto& [weight_ih, weight_hh, bias_ih, bias_hh] = layers_[index];
  const bool from_end = index % directions_ == 1;
  RecurrentState state = start;
  // What comes from the input is one product for all steps.
  std::vector<Variable> steps = unbind(linear(x, weight_ih, bias_ih), 1);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::size_t t = from_end ? steps.size() - 1 - i : i;
    const RecurrentState next = step_(steps[t], state, weight_hh, bias_hh);
    const auto unless_padding = [&](const Variable& a, const Variable& b) {
      return inside.empty() || !a ? a : where(inside[t], a, b);
    };
    state = {unless_padding(next.h, state.h), unless_padding(next.c, state.c)};
    steps[t] = unless_padding(next.h, Variable(zeros({})));
  }
  return {stack(steps, 1), state};
}

Recurrent::Result Recurrent::run(const Variable& x, const RecurrentState& start,
                                 const std::vector<std::size_t>& lengths) const {
  if (x.shape().size() != 3 || x.shape()[1] == 0 || x.shape()[2] != input_)
    throw ShapeError(message("[", operation_, "] expected sequences (N, steps, ", input_, "), got ", x.shape()));
  const std::size_t batch = x.shape()[0], count = x.shape()[1];
  const Shape expected = {layers_.size(), batch, hidden_};
  const bool has_cell = step_ == lstm_step;
  const auto parts = [&](const Variable& given, const char* name) {
    if (given && given.shape() != expected)
      throw ShapeError(
          message("[", operation_, "] expected a state ", name, " of shape ", expected, ", got ", given.shape()));
    return given ? unbind(given) : std::vector<Variable>(layers_.size(), Variable(zeros({batch, hidden_})));
  };
  if (start.c && !has_cell) throw ValueError(message("[", operation_, "] expected a state without c"));
  const std::vector<Variable> h = parts(start.h, "h"),
                              c = has_cell ? parts(start.c, "c") : std::vector<Variable>(h.size());

  std::vector<Variable> inside;  // 1 for each sequence that has this step
  if (!lengths.empty())
    for (const Variable& step : unbind(Variable(detail::steps_inside(operation_, lengths, batch, count)), 1))
      inside.push_back(reshape(step, {batch, 1}));

  Variable y = x;
  std::vector<Variable> last_h, last_c;
  for (std::size_t i = 0; i < layers_.size(); i += directions_) {
    std::vector<Variable> outputs;
    for (std::size_t k = i; k < i + directions_; ++k) {
      Result result = run_layer(y, {h[k], c[k]}, k, inside);
      outputs.push_back(std::move(result.output));
      last_h.push_back(std::move(result.state.h)), last_c.push_back(std::move(result.state.c));
    }
    y = directions_ == 1 ? outputs[0] : concatenate(outputs, 2);
    if (dropout_ && i + directions_ < layers_.size()) y = (*dropout_)(y);
  }
  return {y, {stack(last_h), has_cell ? stack(last_c) : Variable()}};
}

RNN::RNN(std::size_t input_size, std::size_t hidden_size, RecurrentOptions options)
    : Recurrent("rnn", 1, rnn_step, input_size, hidden_size, options) {}
LSTM::LSTM(std::size_t input_size, std::size_t hidden_size, RecurrentOptions options)
    : Recurrent("lstm", 4, lstm_step, input_size, hidden_size, options) {}
GRU::GRU(std::size_t input_size, std::size_t hidden_size, RecurrentOptions options)
    : Recurrent("gru", 3, gru_step, input_size, hidden_size, options) {}

}  // namespace xgrad::nn
