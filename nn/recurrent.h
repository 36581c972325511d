// Recurrent networks, over whole sequences and by the step. Names, order of gates and initial weights (uniform in ±1 /
// sqrt(hidden)) are PyTorch's. ValueError for sizes outside 1 to 2^31.
#pragma once

#include <xgrad/nn/module.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace xgrad::nn {

/// What a network remembers; c for LSTM only. Where h is empty it stands for zeros, and so does c.
struct RecurrentState {
  Variable h, c;
};

// Cells make one step. ShapeError unless x is (batch, input) and each part of the state (batch, hidden).
//
//   Variable h;
//   for (const Variable& x : sequence) h = cell.step(x, h);
//
// forward(x) is step(x, {}).

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
  using State = RecurrentState;
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

struct RecurrentOptions {
  std::size_t layers = 1;      ///< each reads the outputs of the one before
  bool bidirectional = false;  ///< a second network reads from the end; its outputs stand beside those of the first
  double dropout = 0;          ///< between layers: see Dropout
};

/// What RNN, GRU and LSTM share: sequences (batch, steps, input), batch first.
class Recurrent : public Module {
 public:
  struct Result {
    Variable output;       ///< the last layer's h after each step: (batch, steps, directions * hidden)
    RecurrentState state;  ///< each layer's after its last step: (layers * directions, batch, hidden), forward first
  };
  /// From a state of that shape, or from zeros. With `lengths`, a number of steps for each sequence, what lies beyond
  /// is padding: outputs are 0 there, and a network that reads from the end begins at the last step that counts.
  /// ShapeError for other shapes, ValueError for lengths outside 1 to the number of steps.
  Result run(const Variable& x, const RecurrentState& state = {}, const std::vector<std::size_t>& lengths = {}) const;
  Variable forward(const Variable& x) override { return run(x).output; }

 protected:
  /// The next state of one layer, (batch, hidden), given W_ih x + b_ih of the step.
  using Step = RecurrentState (*)(const Variable& from_input, const RecurrentState& state, const Variable& weight_hh,
                                  const Variable& bias_hh);
  Recurrent(std::string_view operation, std::size_t gates, Step step, std::size_t input_size, std::size_t hidden_size,
            RecurrentOptions options);

 private:
  struct Layer {
    Parameter weight_ih, weight_hh, bias_ih, bias_hh;
  };
  Result run_layer(const Variable& x, const RecurrentState& state, std::size_t index,
                   const std::vector<Variable>& inside) const;

  std::string_view operation_;
  Step step_;
  std::size_t input_, hidden_, directions_;
  std::vector<Layer> layers_;  // layer by layer, forward first
  Module* dropout_ = nullptr;
};

/// h' = tanh(W_ih x + b_ih + W_hh h + b_hh): Elman 1990.
struct RNN : Recurrent {
  RNN(std::size_t input_size, std::size_t hidden_size, RecurrentOptions options = {});
};
/// LSTMCell's steps.
struct LSTM : Recurrent {
  LSTM(std::size_t input_size, std::size_t hidden_size, RecurrentOptions options = {});
};
/// GRUCell's steps.
struct GRU : Recurrent {
  GRU(std::size_t input_size, std::size_t hidden_size, RecurrentOptions options = {});
};

}  // namespace xgrad::nn
