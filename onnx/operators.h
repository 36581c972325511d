// ONNX's operators, written with the library's operations. A node of an ONNX graph has inputs and attributes; an
// operator makes its outputs from them. What each computes, and what its inputs and attributes mean, is said in
// onnx.ai/onnx/operators.
#pragma once

#include <xgrad/autograd/variable.h>
#include <xgrad/core/errors.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace xgrad::onnx {

using Integers = std::vector<std::int64_t>;
using Attribute =
    std::variant<std::int64_t, double, std::string, Integers, std::vector<double>, std::vector<std::string>, Tensor>;

struct Node {
  std::vector<Variable> inputs;  // an empty one stands for an input that is left out
  std::map<std::string, Attribute> attributes = {};
  std::size_t outputs = 1;  // how many of its outputs are asked for

  bool has(std::size_t input) const { return input < inputs.size() && inputs[input]; }
  /// ValueError for an input that is left out: the operator cannot do without.
  const Variable& operator[](std::size_t input) const;
  Variable get(std::size_t input) const { return has(input) ? inputs[input] : Variable(); }

  /// ValueError for an attribute that is missing or of another type. A whole number may stand for any other.
  template <class T>
  T attribute(const char* name) const;
  template <class T>
  T attribute(const char* name, T otherwise) const {
    return attributes.contains(name) ? attribute<T>(name) : otherwise;
  }
  /// The whole numbers of a constant input, such as axes; none where it is left out. ValueError unless there are
  /// `count`, where that is given.
  Integers integers(std::size_t input) const;
  Integers integers(std::size_t input, std::size_t count) const;
  std::int64_t integer(std::size_t input) const { return integers(input, 1)[0]; }
  /// The axes to reduce over: an input since opset 18 (13 for ReduceSum), and an attribute before.
  Integers axes() const { return has(1) ? integers(1) : attribute("axes", Integers()); }
};

template <class T>
T Node::attribute(const char* name) const {
  const auto found = attributes.find(name);
  if (found == attributes.end()) throw ValueError(message("expected an attribute '", name, "', got none"));
  if constexpr (std::is_arithmetic_v<T>) {
    const auto* const whole = std::get_if<std::int64_t>(&found->second);
    if (whole && (std::is_signed_v<T> || *whole >= 0)) return static_cast<T>(*whole);
  }
  if constexpr (!std::is_integral_v<T>)
    if (const T* const value = std::get_if<T>(&found->second)) return *value;
  throw ValueError(message("the attribute '", name, "' has another type than expected, or is negative"));
}

/// One Variable or several.
struct Outputs : std::vector<Variable> {
  Outputs(Variable output) { push_back(std::move(output)); }
  Outputs(std::vector<Variable> outputs) : vector(std::move(outputs)) {}
};

/// An attribute of our own, of nodes whose inputs are all whole numbers.
inline constexpr const char* whole_numbers = "xgrad:whole";

using Operator = std::function<Outputs(const Node&)>;
using Operators = std::map<std::string, Operator>;

// The operators by their names, in parts.

Operators element_operators();
Operators shape_operators();
Operators position_operators();
Operators window_operators();
Operators layer_operators();
/// All of these.
const Operators& operators();

/// x at these positions of an axis, which take the place of the axis: negative ones count from the end.
Variable take(const Variable& x, std::ptrdiff_t axis, IndexTensor positions);
/// x with two axes in each other's place.
Variable swap_axes(const Variable& x, std::ptrdiff_t a, std::ptrdiff_t b);
IndexTensor index(const Variable& x);
Shape shape_of(const Integers& sizes);  ///< ValueError for a negative size
/// A number of an operator's formula.
inline Variable constant(double value) { return Variable(full({}, static_cast<Scalar>(value))); }
/// The number of a constant: it needs no gradient, so that an operation may take it as an option.
inline bool is_number(const Variable& x) { return x.size() == 1 && !x.requires_grad(); }

/// The axes from `first` to the last one of a shape.
Integers axes_from(std::size_t first, const Shape& shape);
/// (channels,) as (channels, 1, …, 1), to be broadcast to x (batch, channels, …).
Variable per_channel(const Variable& v, const Variable& x);

}  // namespace xgrad::onnx
