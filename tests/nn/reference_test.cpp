// Layers, activations and losses against PyTorch's numbers, and the gradients of sum(output * weight).
#include <doctest/doctest.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/nn/activations.h>
#include <xgrad/nn/convolution.h>
#include <xgrad/nn/embedding.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/losses.h>
#include <xgrad/nn/normalization.h>
#include <xgrad/nn/pooling.h>
#include <xgrad/nn/recurrent.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

using namespace xgrad;
using Json = nlohmann::json;

namespace {

using Variables = std::map<std::string, Variable>;
// The output for named inputs and parameters (one map) and options.
using Apply = std::function<Variable(Variables&, const Json&)>;

Tensor tensor(const Json& json) {
  const auto shape = json.at("shape").get<std::vector<std::size_t>>();
  Tensor result = Tensor::from_shape(Shape(shape.begin(), shape.end()));
  const auto data = json.at("data").get<std::vector<double>>();
  REQUIRE(data.size() == result.size());
  for (std::size_t i = 0; i < data.size(); ++i) result.data()[i] = static_cast<Scalar>(data[i]);
  return result;
}

IndexTensor labels(const Variable& x) {
  IndexTensor result = IndexTensor::from_shape({x.size()});
  std::copy_n(x.value().data(), x.size(), result.data());
  return result;
}

nn::Reduction reduction(const Json& options) {
  const std::string name = options.value("reduction", "mean");
  return name == "none" ? nn::Reduction::none : name == "sum" ? nn::Reduction::sum : nn::Reduction::mean;
}

template <class Layer, class... Options>
Apply layer(Options... names) {
  return [names...](Variables& v, const Json& options) { return Layer(options.at(names)...)(v["x"]); };
}

template <class Loss>
Apply loss(Loss function) {
  return [function](Variables& v, const Json& options) { return function(v["x"], v["target"], options); };
}

// The layer with the parameters of the case; its own take their place in the map.
template <class Layer>
Layer loaded(Layer layer, Variables& v) {
  StateDict state;
  for (const auto& [name, parameter] : layer.parameters()) state.tensors.emplace_back(name, v.at(name).value());
  for (const auto& [name, buffer] : layer.buffers()) state.tensors.emplace_back(name, buffer.value());
  layer.load_state_dict(state);
  for (const auto& [name, parameter] : layer.parameters()) v[name] = parameter;
  return layer;
}

template <class Layer>
Apply layer_with_parameters(const char* size) {
  return [size](Variables& v, const Json& options) { return loaded(Layer(options.at(size)), v)(v["x"]); };
}

Variable apply_linear(Variables& v, const Json& options) {
  return loaded(
      nn::Linear(options.at("in_features"), options.at("out_features"), {.bias = options.value("bias", true)}),
      v)(v["x"]);
}

Variable apply_layer_norm(Variables& v, const Json& options) {
  const auto shape = options.at("normalized_shape").get<std::vector<std::size_t>>();
  return loaded(nn::LayerNorm(Shape(shape.begin(), shape.end())), v)(v["x"]);
}

Variable apply_embedding(Variables& v, const Json& options) {
  return loaded(nn::Embedding(options.at("num_embeddings"), options.at("embedding_dim")), v)(v["x"]);
}

Variable apply_lstm_cell(Variables& v, const Json& options) {
  const nn::LSTMCell cell = loaded(nn::LSTMCell(options.at("input_size"), options.at("hidden_size")), v);
  const auto [h, c] = cell.step(v["x"], {v["h"], v["c"]});
  return concatenate({h, c}, 1);
}

Variable apply_gru_cell(Variables& v, const Json& options) {
  return loaded(nn::GRUCell(options.at("input_size"), options.at("hidden_size")), v).step(v["x"], v["h"]);
}

Size2d size(const Json& options, const char* name, std::ptrdiff_t otherwise = 0) {
  if (!options.contains(name)) return otherwise;
  const Json& value = options.at(name);
  return value.is_array() ? Size2d(value[0], value[1]) : Size2d(value);
}

Variable apply_conv2d(Variables& v, const Json& options) {
  return loaded(nn::Conv2d(options.at("in_channels"), options.at("out_channels"), size(options, "kernel_size"),
                           {.stride = size(options, "stride", 1),
                            .padding = size(options, "padding"),
                            .bias = options.value("bias", true)}),
                v)(v["x"]);
}

template <class Layer>
Variable apply_pool(Variables& v, const Json& options) {
  PoolOptions pool{.padding = size(options, "padding")};
  if (options.contains("stride")) pool.stride = size(options, "stride");
  return Layer(size(options, "kernel_size"), pool)(v["x"]);
}

const std::map<std::string, Apply> layers_by_name = {
    {"Linear", apply_linear},
    {"Conv2d", apply_conv2d},
    {"MaxPool2d", apply_pool<nn::MaxPool2d>},
    {"AvgPool2d", apply_pool<nn::AvgPool2d>},
    {"BatchNorm1d", layer_with_parameters<nn::BatchNorm1d>("num_features")},
    {"BatchNorm2d", layer_with_parameters<nn::BatchNorm2d>("num_features")},
    {"LayerNorm", apply_layer_norm},
    {"Embedding", apply_embedding},
    {"LSTMCell", apply_lstm_cell},
    {"GRUCell", apply_gru_cell},
    {"relu", layer<nn::ReLU>()},
    {"leaky_relu", layer<nn::LeakyReLU>("negative_slope")},
    {"elu", layer<nn::ELU>()},
    {"selu", layer<nn::SELU>()},
    {"gelu", layer<nn::GELU>()},
    {"silu", layer<nn::SiLU>()},
    {"mish", layer<nn::Mish>()},
    {"softplus", layer<nn::Softplus>()},
    {"hardtanh", layer<nn::Hardtanh>()},
    {"tanh", layer<nn::Tanh>()},
    {"sigmoid", layer<nn::Sigmoid>()},
    {"softmax", layer<nn::Softmax>("dim")},
    {"log_softmax", layer<nn::LogSoftmax>("dim")},
    {"cross_entropy",
     [](Variables& v, const Json& options) {
       return nn::cross_entropy(
           v["x"], labels(v["labels"]),
           {.label_smoothing = options.value("label_smoothing", 0.0), .reduction = reduction(options)});
     }},
    {"mse_loss", loss([](auto& x, auto& t, auto& options) { return nn::mse_loss(x, t, reduction(options)); })},
    {"l1_loss", loss([](auto& x, auto& t, auto& options) { return nn::l1_loss(x, t, reduction(options)); })},
    {"smooth_l1_loss", loss([](auto& x, auto& t, auto& options) {
       return nn::smooth_l1_loss(x, t, {.beta = options.at("beta"), .reduction = reduction(options)});
     })},
    {"huber_loss", loss([](auto& x, auto& t, auto& options) {
       return nn::huber_loss(x, t, {.delta = options.at("delta"), .reduction = reduction(options)});
     })},
    {"binary_cross_entropy_with_logits", loss([](auto& x, auto& t, auto& options) {
       return nn::binary_cross_entropy_with_logits(x, t, reduction(options));
     })},
};

void check_close(const Tensor& actual, const Tensor& expected, const std::string& what) {
  const double tolerance = std::is_same_v<Scalar, double> ? 1e-10 : 1e-4;
  REQUIRE_MESSAGE(actual.shape() == expected.shape(), what);
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double a = static_cast<double>(actual.data()[i]), e = static_cast<double>(expected.data()[i]);
    CHECK_MESSAGE(std::abs(a - e) <= tolerance * (1 + std::abs(e)), what, "[", i, "]: ", a, ", expected ", e);
  }
}

}  // namespace

TEST_CASE("layers, activations and losses give PyTorch's outputs and gradients") {
  const Json cases = Json::parse(std::ifstream("tests/data/layers.json")).at("cases");
  std::set<std::string> used;
  for (const Json& test : cases) {
    const std::string name = test.at("name"), what = name + test.at("options").dump();
    const auto found = layers_by_name.find(name);
    if (found == layers_by_name.end()) {
      FAIL_CHECK("no code for the case ", what);
      continue;
    }
    used.insert(name);
    const Json& grads = test.at("grads");
    Variables variables;
    for (const auto* group : {"inputs", "params"})
      for (const auto& [key, value] : test.at(group).items())
        variables[key] = Variable(tensor(value), grads.contains(key));

    const Variable output = found->second(variables, test.at("options"));
    check_close(output.value(), tensor(test.at("output")), what + " output");
    sum(output * Variable(tensor(test.at("weight")))).backward();
    for (const auto& [key, value] : grads.items())
      check_close(variables.at(key).grad(), tensor(value), what + " gradient of " + key);
  }
  for (const auto& row : layers_by_name) CHECK_MESSAGE(used.contains(row.first), "no case for ", row.first);
}
