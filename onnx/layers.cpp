// Normalizations, recurrent layers, attention and dropout.
#include <xgrad/autograd/ops.h>
#include <xgrad/nn/dropout.h>
#include <xgrad/onnx/operators.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace xgrad::onnx {
namespace {

double epsilon(const Node& n) { return n.attribute("epsilon", 1e-5); }

// Inputs: x, scale, bias, mean, variance. In training the outputs are y and the statistics that follow the batch.
Outputs batch_normalization(const Node& n) {
  const Variable& x = n[0];
  const auto normalized = [&](const Variable& mean, const Variable& variance) {
    return batch_norm(x, mean, variance, epsilon(n), n[1], n[2]);
  };
  if (n.attribute("training_mode", 0) == 0) return normalized(n[3], n[4]);
  Integers axes = axes_from(2, x.shape());
  axes.push_back(0);
  const Variable batch_mean = mean(x, axes), batch_variance = variance(x, axes);
  const double kept = n.attribute("momentum", 0.9);
  return std::vector{normalized(batch_mean, batch_variance), kept * n[3] + (1 - kept) * batch_mean,
                     kept * n[4] + (1 - kept) * batch_variance};
}

// Groups of channels, each of each sample: a group for each channel is instance normalization.
Variable group_normalization(const Node& n, std::size_t groups) {
  const Shape& shape = n[0].shape();
  if (shape.size() < 3 || groups == 0 || shape[1] % groups != 0)
    throw ShapeError(message("expected (batch, channels, …) in ", groups, " groups of channels, got ", shape));
  const std::size_t count = shape[0] * groups;
  const Variable y =
      normalize(n[0], {.outer = 1, .count = count, .inner = n[0].size() / std::max<std::size_t>(count, 1)}, epsilon(n));
  return y * per_channel(n[1], n[0]) + per_channel(n[2], n[0]);
}

Integers normalized_axes(const Node& n) {
  return axes_from(checked_axis("LayerNormalization", n.attribute("axis", -1), n[0].shape()), n[0].shape());
}

// The outputs are y, the mean, and 1 / the standard deviation.
Outputs layer_normalization(const Node& n) {
  const Integers axes = normalized_axes(n);
  std::size_t width = 1;
  for (const std::int64_t axis : axes) width *= n[0].shape()[static_cast<std::size_t>(axis)];
  const GroupView view = {.outer = 1, .count = n[0].size() / std::max<std::size_t>(width, 1), .inner = width};
  const Variable y = normalize(n[0], view, epsilon(n)) * n[1];
  Outputs outputs(n.has(2) ? y + n[2] : y);
  if (n.outputs > 1) outputs.push_back(mean(n[0], axes, true));
  if (n.outputs > 2) outputs.push_back(1 / sqrt(variance(n[0], axes, true) + epsilon(n)));
  return outputs;
}

Variable rms_normalization(const Node& n) {
  return n[0] / sqrt(mean(square(n[0]), normalized_axes(n), true) + epsilon(n)) * n[1];
}

Variable mean_variance_normalization(const Node& n) {
  const Integers axes = n.attribute("axes", Integers{0, 2, 3});
  return (n[0] - mean(n[0], axes, true)) / sqrt(variance(n[0], axes, true));
}

Variable lp_normalization(const Node& n) {
  const std::ptrdiff_t axis = n.attribute("axis", -1);
  return n[0] / (n.attribute("p", 2) == 1 ? sum(abs(n[0]), axis, true) : sqrt(sum(square(n[0]), axis, true)));
}

// The neighbouring channels are added by a pooling in which the channels are the height of an image.
Variable local_response_normalization(const Node& n) {
  const Shape& shape = n[0].shape();
  const auto size = n.attribute<std::ptrdiff_t>("size");
  if (shape.size() < 2 || size < 1) throw ShapeError(message("expected (batch, channels, …), got ", shape));
  const Variable planes =
      reshape(square(n[0]), {shape[0], 1, shape[1], n[0].size() / std::max<std::size_t>(shape[0] * shape[1], 1)});
  // The mean over `size` channels, those outside of the image counting as 0.
  const Variable means = avg_pool2d(pad2d(planes, {(size - 1) / 2, 0}, {size / 2, 0}), {size, 1}, {.stride = 1});
  const Variable divisor = n.attribute("bias", 1.0) + n.attribute("alpha", 1e-4) * reshape(means, shape);
  return n[0] / pow(divisor, n.attribute("beta", 0.75));
}

// What belongs to one direction: x[d].
Variable at(const Variable& x, std::size_t d) {
  return reshape(slice(x, 0, d, d + 1), Shape(x.shape().begin() + 1, x.shape().end()));
}

// One direction of a recurrent layer: its parameters, and a part of them for each gate, in ONNX's order.
struct Cell {
  Variable w, r, wb, rb, p;  // (gates * hidden, input), (gates * hidden, hidden), (gates * hidden,) or empty, peepholes
  std::size_t hidden;
  std::string activation;
  bool linear_before_reset;

  Cell(const Node& n, std::size_t d)
      : w(at(n[1], d)),
        r(at(n[2], d)),
        hidden(n.attribute<std::size_t>("hidden_size")),
        activation(n.attribute("activations", std::vector<std::string>{"Tanh", "Tanh"}).at(d)),
        linear_before_reset(n.attribute("linear_before_reset", 0) != 0) {
    if (n.has(3)) wb = half(at(n[3], d), 0), rb = half(at(n[3], d), 1);
    if (n.has(7)) p = at(n[7], d);
  }

  static Variable half(const Variable& b, std::size_t which) {
    return slice(b, 0, which * b.size() / 2, (which + 1) * b.size() / 2);
  }
  Variable gate(const Variable& x, std::size_t k, std::ptrdiff_t axis = 1) const {
    return x ? slice(x, axis, k * hidden, (k + 1) * hidden) : x;
  }
  Variable with_peephole(const Variable& x, const Variable& c, std::size_t k) const {
    return p ? x + gate(p, k, 0) * c : x;
  }
};

// h, and c where there is one: each (batch, hidden).
using State = std::vector<Variable>;
using Step = State (*)(const Cell& cell, const Variable& x, const State& state);

State rnn_step(const Cell& cell, const Variable& x, const State& state) {
  const Variable a = linear(x, cell.w, cell.wb) + linear(state[0], cell.r, cell.rb);
  return {cell.activation == "Relu" ? relu(a) : cell.activation == "Sigmoid" ? sigmoid(a) : tanh(a)};
}

// The gates are i, o, f and c.
State lstm_step(const Cell& cell, const Variable& x, const State& state) {
  const Variable gates = linear(x, cell.w, cell.wb) + linear(state[0], cell.r, cell.rb), &old = state[1];
  const Variable i = sigmoid(cell.with_peephole(cell.gate(gates, 0), old, 0));
  const Variable f = sigmoid(cell.with_peephole(cell.gate(gates, 2), old, 2));
  const Variable c = f * old + i * tanh(cell.gate(gates, 3));
  const Variable o = sigmoid(cell.with_peephole(cell.gate(gates, 1), c, 1));
  return {o * tanh(c), c};
}

// The gates are z, r and h. nn::GRUCell is the one with linear_before_reset.
State gru_step(const Cell& cell, const Variable& x, const State& state) {
  const Variable a = linear(x, cell.w, cell.wb), b = linear(state[0], cell.r, cell.rb), &h = state[0];
  const Variable z = sigmoid(cell.gate(a, 0) + cell.gate(b, 0)), r = sigmoid(cell.gate(a, 1) + cell.gate(b, 1));
  const Variable from_h =
      cell.linear_before_reset ? r * cell.gate(b, 2) : linear(r * h, cell.gate(cell.r, 2, 0), cell.gate(cell.rb, 2, 0));
  return {(1 - z) * tanh(cell.gate(a, 2) + from_h) + z * h};
}

// Inputs: x (time, batch, input), weights (directions, …), and initial states (directions, batch, hidden), from the
// sixth on. Outputs: all h (time, directions, batch, hidden), and the last states.
Outputs recurrent(const Node& n, Step step, std::size_t parts) {
  const bool batch_first = n.attribute("layout", 0) == 1;
  const auto swapped = [&](const Variable& x) { return batch_first ? swap_axes(x, 0, 1) : x; };
  if (n[0].shape().size() != 3 || n[1].shape().size() != 3)
    throw ShapeError(message("expected (time, batch, input) and (directions, rows, input), got ", n[0].shape(), " and ",
                             n[1].shape()));
  const Variable x = swapped(n[0]);
  const std::size_t directions = n[1].shape()[0], time = x.shape()[0], hidden = n.attribute<std::size_t>("hidden_size");
  std::vector<std::vector<Variable>> all(time), last(parts);
  for (std::size_t d = 0; d < directions; ++d) {
    const Cell cell(n, d);
    State state;
    for (std::size_t part = 0; part < parts; ++part)
      state.push_back(n.has(5 + part) ? at(swapped(n[5 + part]), d) : Variable(zeros({x.shape()[1], hidden})));
    const bool backwards = d == 1 || n.attribute<std::string>("direction", "forward") == "reverse";
    for (std::size_t i = 0; i < time; ++i) {
      const std::size_t t = backwards ? time - 1 - i : i;
      state = step(cell, at(x, t), state);
      all[t].push_back(state[0]);
    }
    for (std::size_t part = 0; part < parts; ++part) last[part].push_back(state[part]);
  }
  std::vector<Variable> steps;
  for (const std::vector<Variable>& of_directions : all) steps.push_back(stack(of_directions));
  const Variable y = stack(steps);
  std::vector<Variable> outputs = {batch_first ? transpose(y, {2, 0, 1, 3}) : y};
  for (const std::vector<Variable>& part : last) outputs.push_back(swapped(stack(part)));
  return outputs;
}

// (batch, sequence, heads * size) as (batch, heads, sequence, size).
Variable apart(const Variable& x, std::size_t heads) {
  const Shape& s = x.shape();
  if (s.size() != 4 && (s.size() != 3 || heads == 0 || s[2] % heads != 0))
    throw ShapeError(message("expected (batch, sequence, heads * size) with ", heads, " heads, got ", s));
  return s.size() == 4 ? x : swap_axes(reshape(x, {s[0], s[1], heads, s[2] / heads}), 1, 2);
}

// x with as many heads as the queries have: neighbours share one.
Variable shared(const Variable& x, std::size_t heads) {
  IndexTensor from = IndexTensor::from_shape({heads});
  for (std::size_t i = 0; i < heads; ++i) from(i) = static_cast<std::int64_t>(i * x.shape()[1] / heads);
  return take(x, 1, from);
}

// -infinity where a query would see a later key.
Variable causal_mask(std::size_t queries, std::size_t keys) {
  Tensor mask = zeros({queries, keys});
  for (std::size_t i = 0; i < queries; ++i)
    for (std::size_t j = i + 1; j < keys; ++j) mask(i, j) = -std::numeric_limits<Scalar>::infinity();
  return Variable(mask);
}

// Inputs: queries, keys, values, and perhaps a mask to be added, and past keys and values, which make the present ones
// outputs. Vaswani et al. 2017.
Outputs attention(const Node& n) {
  const std::size_t kv_heads = n.attribute<std::size_t>("kv_num_heads", 0);
  const Variable q = apart(n[0], n.attribute<std::size_t>("q_num_heads", 0));
  const Variable new_k = apart(n[1], kv_heads), new_v = apart(n[2], kv_heads);
  const Variable k = n.has(4) ? concatenate({n[4], new_k}, 2) : new_k;
  const Variable v = n.has(5) ? concatenate({n[5], new_v}, 2) : new_v;
  const Shape& s = q.shape();  // (batch, heads, queries, size)
  const double scale = n.attribute("scale", 1 / std::sqrt(static_cast<double>(s[3]))),
               cap = n.attribute("softcap", 0.0);
  Variable scores = scale * matmul(q, shared(k, s[1]), {.transpose_b = true});
  if (cap > 0) scores = cap * tanh(scores / cap);
  if (n.has(3)) scores = scores + n[3];
  if (n.attribute("is_causal", 0) != 0) scores = scores + causal_mask(s[2], k.shape()[2]);
  const Variable y = matmul(softmax(scores), shared(v, s[1]));
  const Variable joined = n[0].shape().size() == 4 ? y : reshape(swap_axes(y, 1, 2), {s[0], s[2], s[1] * v.shape()[3]});
  return n.has(4) ? Outputs({joined, k, v}) : Outputs(joined);
}

// Nothing is dropped in evaluation, which is the default.
Variable dropout(const Node& n) {
  nn::Dropout layer(n.has(1) ? static_cast<double>(n[1].item()) : 0.5);
  layer.train(n.has(2) && n.integer(2) != 0);
  return layer(n[0]);
}

}  // namespace

Operators layer_operators() {
  return {
      {"BatchNormalization", batch_normalization},
      {"InstanceNormalization", [](const Node& n) { return group_normalization(n, n[0].shape()[1]); }},
      {"GroupNormalization",
       [](const Node& n) { return group_normalization(n, n.attribute<std::size_t>("num_groups")); }},
      {"LayerNormalization", layer_normalization},
      {"RMSNormalization", rms_normalization},
      {"MeanVarianceNormalization", mean_variance_normalization},
      {"LpNormalization", lp_normalization},
      {"LRN", local_response_normalization},
      {"RNN", [](const Node& n) { return recurrent(n, rnn_step, 1); }},
      {"LSTM", [](const Node& n) { return recurrent(n, lstm_step, 2); }},
      {"GRU", [](const Node& n) { return recurrent(n, gru_step, 1); }},
      {"Attention", attention},
      {"Dropout", dropout},
  };
}

}  // namespace xgrad::onnx
