#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/recurrent.h>

#include <cmath>

namespace xgrad::nn {
namespace {

// Gates [first, first + count) of (batch, gates * hidden).
Variable gates(const Variable& all, const Variable& h, std::size_t first, std::size_t count = 1) {
  const std::size_t hidden = h.shape()[1];
  return slice(all, 1, first * hidden, (first + count) * hidden);
}

}  // namespace

RecurrentCell::RecurrentCell(std::size_t gates, std::size_t input_size, std::size_t hidden_size) {
  for (const std::size_t size : {input_size, hidden_size})
    if (size < 1 || size > std::size_t{1} << 31)
      throw ValueError(message("[recurrent] expected sizes of 1 to 2^31, got ", size));
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
  const auto draw = [&](const Shape& shape) { return default_generator().uniform(shape, -bound, bound); };
  weight_ih = param("weight_ih", draw({gates * hidden_size, input_size}));
  weight_hh = param("weight_hh", draw({gates * hidden_size, hidden_size}));
  bias_ih = param("bias_ih", draw({gates * hidden_size}));
  bias_hh = param("bias_hh", draw({gates * hidden_size}));
}

void RecurrentCell::check(std::string_view operation, const Variable& x, const Variable& h) const {
  const std::size_t input = weight_ih.shape()[1], hidden = weight_hh.shape()[1];
  if (x.shape().size() != 2 || x.shape() != Shape{x.shape()[0], input} || h.shape() != Shape{x.shape()[0], hidden})
    throw ShapeError(message("[", operation, "] expected an input (N, ", input, ") and a state (N, ", hidden, "), got ",
                             x.shape(), " and ", h.shape()));
}

Variable RecurrentCell::zero_state(const Variable& x) const {
  return Variable(zeros({x.shape().empty() ? 0 : x.shape()[0], weight_hh.shape()[1]}));
}

LSTMCell::State LSTMCell::step(const Variable& x, const State& state) const {
  check("lstm_cell", x, state.h);
  check("lstm_cell", x, state.c);
  const Variable all = linear(x, weight_ih, bias_ih) + linear(state.h, weight_hh, bias_hh);
  const Variable i_f = sigmoid(gates(all, state.h, 0, 2)), g = tanh(gates(all, state.h, 2));
  const Variable c = gates(i_f, state.h, 1) * state.c + gates(i_f, state.h, 0) * g;
  return {sigmoid(gates(all, state.h, 3)) * tanh(c), c};
}

Variable LSTMCell::forward(const Variable& x) { return step(x, {zero_state(x), zero_state(x)}).h; }

Variable GRUCell::step(const Variable& x, const Variable& h) const {
  check("gru_cell", x, h);
  const Variable a = linear(x, weight_ih, bias_ih), b = linear(h, weight_hh, bias_hh);
  const Variable r = sigmoid(gates(a, h, 0) + gates(b, h, 0)), z = sigmoid(gates(a, h, 1) + gates(b, h, 1));
  const Variable n = tanh(gates(a, h, 2) + r * gates(b, h, 2));
  return (1 - z) * n + z * h;
}

Variable GRUCell::forward(const Variable& x) { return step(x, zero_state(x)); }

}  // namespace xgrad::nn
