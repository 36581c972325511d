// ONNX's operators, written with the library's operations (see onnx.h), against values from their definitions, which
// tests/data/onnx_nodes.py computes; and the gradients and second gradients of those that have them.
#include "onnx.h"

#include <xgrad/autograd/ops.h>

#include <cmath>
#include <fstream>
#include <set>

#include "operation_tables.h"

using namespace xgrad;
using Json = nlohmann::json;

namespace {

onnx::Operators all_operators() {
  onnx::Operators all = onnx::element_operators();
  for (onnx::Operators part : {onnx::shape_operators(), onnx::window_operators(), onnx::layer_operators()})
    all.merge(part);
  return all;
}

onnx::Node node(const Json& test) {
  onnx::Node result;
  for (const Json& input : test.at("inputs"))
    result.inputs.push_back(input.is_null() ? Variable() : Variable(onnx::tensor(input)));
  if (test.contains("attributes")) result.attributes = test.at("attributes");
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
    if (const std::string wrong = difference(outputs[i].value(), onnx::tensor(test.at("outputs")[i])); !wrong.empty())
      throw ValueError(message("output ", i, ": ", wrong));
}

// The gradients of all outputs, joined, in the inputs that the case names.
void check_derivatives(const Json& test, const onnx::Operator& apply) {
  onnx::Node at = node(test);
  for (const std::size_t i : test.at("grad")) at.inputs[i] = Variable(at.inputs[i].value(), true);
  const Function joined = [&](const Inputs& inputs) {
    std::vector<Variable> flat;
    for (const Variable& output : apply({inputs, at.attributes})) flat.push_back(reshape(output, {output.size()}));
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
