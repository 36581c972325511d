// A node of the graph. Operations and layers do not need it: they see Variables.
#pragma once

#include <xgrad/autograd/variable.h>

#include <optional>
#include <unordered_map>

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

/// What some leaves keep beside their tensors, such as a TableExtension (table.h).
class LeafExtension {
 public:
  virtual ~LeafExtension() = default;
  virtual void before_value_is_read() = 0;
  virtual bool has_grad() const = 0;  ///< a part of the gradient is kept here
  /// The whole gradient, where there is any. Who only looks at it gets a copy of what is kept here; who changes it gets
  /// Node::grad, into which that has moved.
  virtual Tensor& dense_grad(Node& leaf, bool look) = 0;
  virtual void clear_grad() = 0;
};

struct Node {
  explicit Node(Tensor tensor) : value(std::move(tensor)) {}
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// The changes in place of the value and of the inputs' values. It only grows, so one sum tells whether any changed.
  std::uint64_t versions() const;

  Tensor value;
  std::string operation;  // "" for a leaf
  std::vector<Variable> inputs;
  Attributes attributes;
  Backward backward;           // empty for a leaf, and once the graph is freed
  std::uint64_t number = 0;    // of creation: an operation's is above those of its inputs
  std::uint64_t version = 0;   // how often the value was changed in place
  std::uint64_t recorded = 0;  // versions() at the time of recording
  bool requires_grad = false;
  bool target = false;                       // grad() wants this node's gradient
  std::unique_ptr<Tensor> grad;              // of a leaf, after backward()
  std::unique_ptr<LeafExtension> extension;  // of a leaf; mostly null
  GradientSum pending;                       // the gradient so far, during a backward pass
};

/// True on this thread in backward(), which fills the gradients of leaves, and false in grad(). An operation may then
/// give a leaf's extension its gradient, and return an empty Variable.
bool is_filling_leaves();

/// While it lives, operations of this thread that read a leaf record another Variable in its place. They compute with
/// the leaf's value as it is: who substitutes gives it the other one's.
class Substitution {
 public:
  Substitution();
  ~Substitution();
  Substitution(const Substitution&) = delete;
  Substitution& operator=(const Substitution&) = delete;

  /// False where the leaf has a substitute already.
  bool add(const Variable& leaf, const Variable& instead) { return instead_.emplace(leaf.node(), instead).second; }
  /// In the innermost one that lives on this thread.
  static void apply(std::vector<Variable>& inputs);

 private:
  std::unordered_map<const Node*, Variable> instead_;
  Substitution* outer_;
};

}  // namespace xgrad
