// Recurrent cells: one step through a sequence. Names, order of gates and initial weights (uniform in ±1 /
// sqrt(hidden)) are PyTorch's.
//
//   Variable h;  // an empty state stands for zeros
//   for (const Variable& x : sequence) h = cell.step(x, h);
//
// forward(x) is step(x, {}). ValueError for sizes outside 1 to 2^31, ShapeError unless x is (batch, input) and each
// part of the state (batch, hidden).
#pragma once

#include <xgrad/nn/module.h>

#include <cstddef>

namespace xgrad::nn {

/// The parameters, with the rows of one gate after those of another.
struct RecurrentCell : Module {
  Parameter weight_ih, weight_hh;  ///< (gates * hidden, input) and (gates * hidden, hidden)
  Parameter bias_ih, bias_hh;      ///< (gates * hidden,)

 protected:
  RecurrentCell(std::size_t gates, std::size_t input_size, std::size_t hidden_size);
  Variable checked_state(std::string_view operation, const Variable& x, const Variable& state) const;

 private:
  std::size_t input_, hidden_;
};

/// With the parts i, f, g and o of W_ih x + b_ih + W_hh h + b_hh:
///   c' = sigmoid(f) c + sigmoid(i) tanh(g),  h' = sigmoid(o) tanh(c')
/// Hochreiter & Schmidhuber 1997, with the forget gate f of Gers et al. 2000.
struct LSTMCell : RecurrentCell {
  struct State {
    Variable h, c;
  };
  LSTMCell(std::size_t input_size, std::size_t hidden_size) : RecurrentCell(4, input_size, hidden_size) {}
  State step(const Variable& x, const State& state) const;
  Variable forward(const Variable& x) override { return step(x, {}).h; }
};

/// With the parts r, z and n of a = W_ih x + b_ih and of b = W_hh h + b_hh:
///   r = sigmoid(a_r + b_r),  z = sigmoid(a_z + b_z),  n = tanh(a_n + r b_n),  h' = (1 - z) n + z h
/// Cho et al. 2014, except that r scales b_n, as in PyTorch, and not h.
struct GRUCell : RecurrentCell {
  GRUCell(std::size_t input_size, std::size_t hidden_size) : RecurrentCell(3, input_size, hidden_size) {}
  Variable step(const Variable& x, const Variable& h) const;
  Variable forward(const Variable& x) override { return step(x, {}); }
};

}  // namespace xgrad::nn
