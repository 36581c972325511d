#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
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
  const Variable all = linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh);
  const Variable i = sigmoid(part(all, 0, h)), f = sigmoid(part(all, 1, h)), g = tanh(part(all, 2, h));
  const Variable next = f * c + i * g;
  return {sigmoid(part(all, 3, h)) * tanh(next), next};
}

Variable GRUCell::step(const Variable& x, const Variable& state) const {
  const Variable h = checked_state("gru_cell", x, state);
  const Variable a = linear(x, weight_ih, bias_ih), b = linear(h, weight_hh, bias_hh);
  const Variable r = sigmoid(part(a, 0, h) + part(b, 0, h)), z = sigmoid(part(a, 1, h) + part(b, 1, h));
  const Variable n = tanh(part(a, 2, h) + r * part(b, 2, h));
  return n + z * (h - n);
}

}  // namespace xgrad::nn
