// ONNX's operators, written with the library's operations: what a converter from ONNX would do. A node of an ONNX graph
// has inputs and attributes; an operator makes its outputs from them.
#pragma once

#include <xgrad/autograd/variable.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace xgrad::onnx {

using Integers = std::vector<std::ptrdiff_t>;

struct Node {
  std::vector<Variable> inputs;  // an empty one stands for an input that is left out
  nlohmann::json attributes = nlohmann::json::object();

  bool has(std::size_t input) const { return input < inputs.size() && inputs[input]; }
  const Variable& operator[](std::size_t input) const { return inputs.at(input); }
  Variable get(std::size_t input) const { return has(input) ? inputs[input] : Variable(); }

  template <class T>
  T attribute(const char* name, T otherwise) const {
    return attributes.value(name, otherwise);
  }
  /// The whole numbers of a constant input, such as axes; none where it is left out.
  Integers integers(std::size_t input) const;
  std::ptrdiff_t integer(std::size_t input) const { return integers(input).at(0); }
};

/// One Variable or several.
struct Outputs : std::vector<Variable> {
  Outputs(Variable output) { push_back(std::move(output)); }
  Outputs(std::vector<Variable> outputs) : vector(std::move(outputs)) {}
};

using Operator = std::function<Outputs(const Node&)>;
using Operators = std::map<std::string, Operator>;

// The operators by their names, in parts.

Operators element_operators();
Operators shape_operators();
Operators window_operators();
Operators layer_operators();

/// A tensor of a node: {"shape": [2], "data": [1, "nan"]}.
Tensor tensor(const nlohmann::json& json);

/// x at these positions of an axis, which take the place of the axis: negative ones count from the end.
Variable take(const Variable& x, std::ptrdiff_t axis, IndexTensor positions);
/// x with two axes in each other's place.
Variable swap_axes(const Variable& x, std::ptrdiff_t a, std::ptrdiff_t b);
IndexTensor index(const Variable& x);
/// A number of an operator's formula.
inline Variable constant(double value) { return Variable(full({}, static_cast<Scalar>(value))); }

/// The axes from `first` to the last one of a shape.
Integers axes_from(std::size_t first, const Shape& shape);
/// (channels,) as (channels, 1, …, 1), to be broadcast to x (batch, channels, …).
Variable per_channel(const Variable& v, const Variable& x);

}  // namespace xgrad::onnx
