// A node of the graph. Operations and layers do not need it: they see Variables.
#pragma once

#include <xgrad/autograd/variable.h>

#include <optional>

namespace xgrad {

struct Node {
  explicit Node(Tensor tensor) : value(std::move(tensor)) {}
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// The changes in place of the value and of the inputs' values. It only grows, so one sum tells whether any changed.
  std::uint64_t versions() const;
  void make_grad_dense();

  Tensor value;
  std::string operation;  // "" for a leaf
  std::vector<Variable> inputs;
  Backward backward;           // empty for a leaf, and once the graph is freed
  std::uint64_t number = 0;    // of creation: an operation's is above those of its inputs
  std::uint64_t version = 0;   // how often the value was changed in place
  std::uint64_t recorded = 0;  // versions() at the time of recording
  bool requires_grad = false;
  bool target = false;                           // grad() wants this node's gradient
  std::unique_ptr<Tensor> grad;                  // of a leaf, after backward()
  std::unique_ptr<RowGradient> row_grad;         // the same in place of `grad`, while none but rows arrived
  std::shared_ptr<const IndexTensor> rows_read;  // backward() may add this node's gradient to these rows of its input's
  Variable pending;                              // the gradient so far, during a backward pass
};

/// Adds the i-th of the rows at destination(index[i], width), for each i. Rows are as wide as they come.
template <class F>
void add_each_row(const IndexTensor& index, const Tensor& rows, F destination) {
  const Scalar* from = rows.data();
  const std::size_t width = index.size() == 0 ? 0 : rows.size() / index.size();
  for (const std::int64_t row : index) {
    Scalar* to = destination(static_cast<std::size_t>(row), width);
    for (std::size_t i = 0; i < width; ++i) to[i] += *from++;
  }
}

}  // namespace xgrad
