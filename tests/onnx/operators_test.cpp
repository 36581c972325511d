// ONNX's operators, written with the library's operations, against values from their definitions, which
// tests/data/onnx_nodes.py computes; and the gradients and second gradients of those that have them.
#include <xgrad/autograd/ops.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "autograd/operation_tables.h"
#include "training_operators.h"

using namespace xgrad;
using Json = nlohmann::json;

namespace {

onnx::Operators all_operators() {
  onnx::Operators all = onnx::operators();
  all.merge(onnx::training_operators());
  return all;
}

Tensor tensor(const Json& json) {
  const auto shape = json.at("shape").get<std::vector<std::size_t>>();
  Tensor result = Tensor::from_shape(Shape(shape.begin(), shape.end()));
  std::size_t i = 0;
  for (const auto& value : json.at("data"))  // JSON has no NaN and no infinity: they are texts
    result.data()[i++] = static_cast<Scalar>(value.is_string() ? std::stod(value.get<std::string>()) : double(value));
  return result;
}

onnx::Attribute attribute(const Json& json) {
  if (json.is_object()) return tensor(json);
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array() && !json.empty() && json[0].is_string()) return json.get<std::vector<std::string>>();
  if (json.is_array()) return json.get<onnx::Integers>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  return json.get<double>();
}

onnx::Node node(const Json& test) {
  onnx::Node result;
  for (const Json& input : test.at("inputs"))
    result.inputs.push_back(input.is_null() ? Variable() : Variable(tensor(input)));
  if (test.contains("attributes"))
    for (const auto& [name, value] : test.at("attributes").items()) result.attributes.emplace(name, attribute(value));
  result.outputs = test.at("outputs").size();
  return result;
}

// What is wrong with an output, or "".
std::string difference(const Tensor& got, const Tensor& expected) {
  constexpr double tolerance = scalar_is_double ? 1e-10 : 2e-5;
  if (got.shape() != expected.shape()) return message(got.shape(), ", expected ", expected.shape());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto a = static_cast<double>(got.data()[i]), e = static_cast<double>(expected.data()[i]);
    if (a == e || (a != a && e != e)) continue;
    if (!(std::abs(a - e) <= tolerance * (1 + std::abs(e)))) return message("element ", i, ": ", a, ", expected ", e);
  }
  return "";
}

void check_values(const Json& test, const onnx::Operator& apply) {
  const onnx::Outputs outputs = apply(node(test));
  if (outputs.size() != test.at("outputs").size()) throw ValueError(message(outputs.size(), " outputs"));
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (const std::string wrong = difference(outputs[i].value(), tensor(test.at("outputs")[i])); !wrong.empty())
      throw ValueError(message("output ", i, ": ", wrong));
}

// The gradients of all outputs, joined, in the inputs that the case names.
void check_derivatives(const Json& test, const onnx::Operator& apply) {
  onnx::Node at = node(test);
  for (const std::size_t i : test.at("grad")) at.inputs[i] = Variable(at.inputs[i].value(), true);
  const Function joined = [&](const Inputs& inputs) {
    std::vector<Variable> flat;
    for (const Variable& output : apply({inputs, at.attributes, at.outputs}))
      flat.push_back(reshape(output, {output.size()}));
    return concatenate(flat);
  };
  check_gradients(joined, at.inputs, difference_options);
  check_second_gradients(joined, at.inputs, difference_options);
}

std::string fault(const Json& test, const onnx::Operator& apply) {
  try {
    check_values(test, apply);
    if (test.contains("grad")) check_derivatives(test, apply);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("ONNX's operators have the values of their definitions, and right gradients of both orders") {
  const onnx::Operators operators = all_operators();
  std::set<std::string> used;
  const Json cases = Json::parse(std::ifstream("tests/data/onnx_nodes.json")).at("cases");
  for (const Json& test : cases) {
    const std::string name = test.at("name"), op = test.at("op");
    used.insert(op);
    const auto found = operators.find(op);
    if (found == operators.end()) {
      FAIL_CHECK("no code for ", op);
      continue;
    }
    const std::string wrong = fault(test, found->second);
    CHECK_MESSAGE(wrong.empty(), op, " ", name, ": ", wrong);
  }
  for (const auto& row : operators) CHECK_MESSAGE(used.contains(row.first), "no case for ", row.first);
}
