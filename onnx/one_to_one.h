// Operations of the library that are one operator of ONNX.
#pragma once

#include <map>
#include <string_view>
#include <vector>

namespace xgrad::onnx {

/// Those without options.
inline const std::map<std::string_view, const char*>& same_operators() {
  static const std::map<std::string_view, const char*> all = {
      {"add", "Add"},         {"subtract", "Sub"}, {"multiply", "Mul"}, {"divide", "Div"},       {"negate", "Neg"},
      {"maximum", "Max"},     {"minimum", "Min"},  {"exp", "Exp"},      {"log", "Log"},          {"sqrt", "Sqrt"},
      {"abs", "Abs"},         {"sin", "Sin"},      {"cos", "Cos"},      {"erf", "Erf"},          {"tanh", "Tanh"},
      {"sigmoid", "Sigmoid"}, {"prelu", "PRelu"},  {"relu", "Relu"},    {"softplus", "Softplus"}};
  return all;
}

/// An operator, and the attributes that it takes over.
struct OperatorWithOptions {
  const char* op;
  std::vector<const char*> lists = {}, integers = {}, reals = {};
};
inline const std::map<std::string_view, OperatorWithOptions>& operators_with_options() {
  static const std::map<std::string_view, OperatorWithOptions> all = {
      {"leaky_relu", {"LeakyRelu", {}, {}, {"alpha"}}},
      {"elu", {"Elu", {}, {}, {"alpha"}}},
      {"softmax", {"Softmax", {}, {"axis"}}},
      {"log_softmax", {"LogSoftmax", {}, {"axis"}}},
      {"max", {"ReduceMax", {"axes"}, {"keepdims"}}},
      {"min", {"ReduceMin", {"axes"}, {"keepdims"}}},
      {"norm", {"ReduceL2", {"axes"}, {"keepdims"}}},
      {"logsumexp", {"ReduceLogSumExp", {"axes"}, {"keepdims"}}},
      {"conv2d", {"Conv", {"strides", "pads", "dilations"}, {"group"}}},
      {"conv2d_input", {"ConvTranspose", {"strides", "pads", "dilations", "output_padding"}, {"group"}}},
      {"max_pool2d", {"MaxPool", {"kernel_shape", "strides", "dilations"}}},
      {"transpose", {"Transpose", {"perm"}}},
      {"concatenate", {"Concat", {}, {"axis"}}},
  };
  return all;
}

}  // namespace xgrad::onnx
