// Variables, the graph that operations record, and reverse-mode differentiation over it.
#pragma once

#include <xgrad/core/tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xgrad {

struct Node;
class Variable;

/// Names with Variables, such as a model's parameters: {"fc1.weight", …}.
using NamedVariables = std::vector<std::pair<std::string, Variable>>;

struct BackwardOptions {
  bool retain_graph = false;  ///< keep the graph for another backward pass
  /// ValueError that names the first operation with a NaN or infinite value or gradient, or the leaf that it came from.
  bool check_finite = false;
  const NamedVariables* names = nullptr;  ///< with which check_finite calls leaves, such as &optimizer.parameters()
};

/// Numbers that an operation was recorded with, such as a convolution's {"strides", {2, 2}}, by their names in ONNX. A
/// double holds every size, position and option.
using Attributes = std::map<std::string, std::vector<double>>;

/// A tensor in the graph: a shared handle, so that copying one is copying a pointer. An empty one stands for "no
/// gradient". Each thread may build and differentiate graphs of its own, as long as they share no Variable that
/// requires a gradient; under NoGrad several threads may read any that nobody changes.
class Variable {
 public:
  Variable() = default;
  Variable(Tensor value, bool requires_grad = false);

  // What is asked of a temporary, as in softmax(x).value(), is returned by value: a reference would dangle.

  const Tensor& value() const&;
  Tensor value() &&;
  /// The value, to be changed in place. Backward through a graph that recorded the old value is then a GraphError.
  Tensor& mutable_value() const;
  const Shape& shape() const&;
  Shape shape() && { return Shape(static_cast<const Variable&>(*this).shape()); }
  std::size_t size() const;
  /// Element `index` of the first axis, without that axis, as part of the graph: a row of a matrix. Negative ones count
  /// from the end. ShapeError for a scalar, ValueError outside the axis. To walk through many, see unbind() in
  /// shapes.h.
  Variable operator[](std::ptrdiff_t index) const;
  /// The only element. ShapeError where there are more or none.
  Scalar item() const;

  bool requires_grad() const;
  bool has_grad() const;
  /// The gradient that backward() passes have added up. To look does not change it: of one that is kept in another form
  /// (LeafExtension, node.h) this is a copy, which later passes reach when grad() is called again. GraphError where
  /// there is none; ShapeError where such a form does not fit the value, which was given another shape since.
  const Tensor& grad() const&;
  Tensor grad() && { return Tensor(static_cast<const Variable&>(*this).grad()); }
  Tensor& mutable_grad() const;
  void clear_grad() const;

  /// Adds the gradients of this scalar to the leaves that require them. ShapeError where this is not a scalar;
  /// GraphError where nothing requires a gradient, the graph was freed, or a recorded value was changed in place.
  void backward(BackwardOptions options = {}) const;
  /// The same value outside the graph (a copy).
  Variable detach() const { return Variable(value()); }

  /// The operation that made it, or "" for a leaf, and what that operation read. An input is empty where an operation
  /// was recorded without it, such as a bias.
  std::string_view operation() const&;
  std::string operation() && { return std::string(static_cast<const Variable&>(*this).operation()); }
  const std::vector<Variable>& inputs() const&;
  std::vector<Variable> inputs() && { return static_cast<const Variable&>(*this).inputs(); }
  const Variable& input(std::size_t index) const& { return inputs()[index]; }
  Variable input(std::size_t index) && { return static_cast<const Variable&>(*this).inputs()[index]; }
  const Attributes& attributes() const&;
  Attributes attributes() && { return static_cast<const Variable&>(*this).attributes(); }

  /// True where no other handle shares this node.
  bool unique() const { return node_.use_count() == 1; }
  explicit operator bool() const { return node_ != nullptr; }
  Node* node() const { return node_.get(); }

 private:
  friend Variable record(std::string_view, Tensor, std::vector<Variable>,
                         std::function<std::vector<Variable>(const Variable&, const Variable&)>, Attributes);
  std::shared_ptr<Node> node_;
};

/// Given an operation's output and the gradient with respect to it, the gradients with respect to its inputs, in order.
/// It is written with differentiable operations, so that it can be differentiated in turn. An empty Variable means that
/// an input needs none. A gradient may have the shape to which its input was broadcast: it is summed back. The output
/// reaches the function as an argument; capturing it would be a cycle that leaks.
using Backward = std::function<std::vector<Variable>(const Variable& output, const Variable& grad)>;

/// Makes the output of an operation. It is part of the graph where an input requires a gradient and no NoGrad is alive.
/// An input may be an empty Variable: an optional one that was not given, which gets no gradient.
Variable record(std::string_view operation, Tensor value, std::vector<Variable> inputs, Backward backward,
                Attributes attributes = {});

struct GradOptions {
  bool create_graph = false;  ///< record the backward pass, so that the gradients can be differentiated
  bool retain_graph = false;  ///< keep the graph for another pass; create_graph implies it
  bool allow_unused = false;  ///< zeros, rather than a GraphError, for an input on which the output does not depend
};

/// What grad() returns: a list of Variables. An element of a temporary list is a handle of its own, so that
/// grad(y, {x})[0].value() does not dangle.
struct Gradients : std::vector<Variable> {
  using std::vector<Variable>::vector;
  const Variable& operator[](std::size_t index) const& { return std::vector<Variable>::operator[](index); }
  Variable& operator[](std::size_t index) & { return std::vector<Variable>::operator[](index); }
  Variable operator[](std::size_t index) && { return std::move((*this)[index]); }
};

/// The gradients of a scalar with respect to the inputs, in order; an empty Variable for an empty one. No Variable's
/// grad() changes.
Gradients grad(const Variable& output, const std::vector<Variable>& inputs, GradOptions options = {});

/// Nothing is recorded on this thread while it lives. Guards nest.
class NoGrad {
 public:
  NoGrad() : NoGrad(false) {}
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 protected:
  explicit NoGrad(bool recording);

 private:
  bool previous_;
};

/// False on this thread while a NoGrad lives, and in a backward pass without create_graph.
bool is_recording();

}  // namespace xgrad
