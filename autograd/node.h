// A node of the graph. Operations and layers do not need it: they see Variables.
#pragma once

#include <xgrad/autograd/variable.h>

#include <optional>

namespace xgrad {

/// The sum of the gradients that arrive at a node, taken in pairs of equal numbers of them, as a tree: a running sum of
/// a million float numbers, of a parameter that is used so often, would be wrong in its second digit.
class GradientSum {
 public:
  void add(Variable gradient);
  /// The sum; nothing is left, also where it throws.
  Variable take();
  void forget() { last_ = {}, before_.clear(), count_ = 0; }
  bool empty() const { return count_ == 0; }

 private:
  Variable last_;
  std::vector<Variable> before_;  // sums of 2^k gradients, for the binary digits of the count but the lowest
  std::size_t count_ = 0;
};

struct Node {
  explicit Node(Tensor tensor) : value(std::move(tensor)) {}
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// The changes in place of the value and of the inputs' values. It only grows, so one sum tells whether any changed.
  std::uint64_t versions() const;
  void add_rows_to_grad(const IndexTensor& index, const Tensor& rows);
  /// False where the value was given another shape since rows of its gradient arrived.
  bool row_grad_fits() const;
  /// The dense gradient, with the rows in it. While they alone hold the gradient, they do so still after a look.
  Tensor& dense_grad(bool look);

  Tensor value;
  std::string operation;  // "" for a leaf
  std::vector<Variable> inputs;
  Attributes attributes;
  Backward backward;           // empty for a leaf, and once the graph is freed
  std::uint64_t number = 0;    // of creation: an operation's is above those of its inputs
  std::uint64_t version = 0;   // how often the value was changed in place
  std::uint64_t recorded = 0;  // versions() at the time of recording
  bool requires_grad = false;
  bool target = false;                           // grad() wants this node's gradient
  std::unique_ptr<Tensor> grad;                  // of a leaf, after backward()
  std::unique_ptr<RowGradient> row_grad;         // to be added to `grad`
  std::unique_ptr<Tensor> row_grad_copy;         // dense, for those who look
  bool row_grad_copied = false;                  // it is up to date
  std::shared_ptr<const IndexTensor> rows_read;  // for add_rows_to_grad, where the input is a leaf
  /// Brings rows of the value (all, where null) up to date: an optimizer lets rows without a gradient wait until read.
  std::function<void(const IndexTensor*)> refresh;
  GradientSum pending;  // the gradient so far, during a backward pass
};

}  // namespace xgrad
