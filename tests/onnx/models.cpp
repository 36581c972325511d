#include "models.h"

#include "datasets/idx_files.h"

namespace onnx_models {
namespace {

using Parameters = std::vector<Variable>;

// An operation of one variable.
Model unary(const std::string& name, Variable (*f)(const Variable&), bool exact = true, double low = -2) {
  return {name, {3, 4}, formula({}, [f](const Variable& x, const Parameters&) { return f(x); }), exact, low};
}

std::vector<Model> networks() {
  using namespace nn;
  return {
      {"mlp", {3, 4}, sequence(layers<Linear>(4, 8), layers<ReLU>(), layers<Linear>(8, 3))},
      {"without bias", {3, 4}, layers<Linear>(4, 8, LinearOptions{.bias = false})},
      {"linear on sequences", {3, 5, 4}, layers<Linear>(4, 2)},
      {"lenet",
       {3, 1, 28, 28},
       sequence(layers<Conv2d>(1, 6, 5, Conv2dOptions{.padding = 2}), layers<Tanh>(), layers<AvgPool2d>(2),
                layers<Conv2d>(6, 16, 5), layers<Tanh>(), layers<MaxPool2d>(2), layers<Flatten>(),
                layers<Linear>(400, 120), layers<Tanh>(), layers<Linear>(120, 10), layers<LogSoftmax>())},
      {"cnn with batch normalization",
       {3, 2, 8, 8},
       sequence(layers<Conv2d>(2, 4, 3, Conv2dOptions{.stride = 2, .padding = 1}), layers<BatchNorm2d>(4),
                layers<ReLU>(), layers<Dropout>(0.5), layers<GlobalAvgPool2d>(), layers<Flatten>(),
                layers<Linear>(4, 3), layers<Softmax>())},
      {"batch normalization without weights", {3, 4}, layers<BatchNorm1d>(4, BatchNormOptions{.affine = false})},
      {"padded pooling", {3, 2, 7, 7}, layers<MaxPool2d>(3, PoolOptions{.stride = 2, .padding = 1})},
      {"transposed convolution",
       {3, 4, 5, 5},
       layers<ConvTranspose2d>(4, 6, 3,
                               ConvTranspose2dOptions{.stride = 2, .padding = 1, .output_padding = 1, .groups = 2})},
      {"residual", {3, 4}, sequence(layers<Residual>(4), layers<Residual>(4), layers<Linear>(4, 2))},
      {"lstm cell", {3, 4}, layers<LSTMCell>(4, 5)},
      {"gru cell", {3, 4}, layers<GRUCell>(4, 5)},
      {"embedding",
       {3, 6},
       sequence(layers<Embedding>(10, 4), layers<Flatten>(), layers<Linear>(24, 2)),
       true,
       0,
       10,
       true},
      {"layer norm", {3, 5, 4}, layers<LayerNorm>(4)},
      {"layer norm over two axes", {3, 5, 4}, layers<LayerNorm>(Shape{5, 4})},
      {"layer norm without weights", {3, 4}, layers<LayerNorm>(4, LayerNormOptions{.elementwise_affine = false})},
      {"group norm", {3, 6, 2, 2}, layers<GroupNorm>(2, 6)},
      {"instance norm", {3, 6, 2, 2}, layers<GroupNorm>(6, 6)},
      {"rms norm", {3, 5, 4}, layers<RMSNorm>(4)},
      {"gru over sequences", {3, 5, 4}, layers<GRU>(4, 3, RecurrentOptions{.layers = 2, .bidirectional = true})},
      {"lstm over sequences", {3, 5, 4}, layers<LSTM>(4, 3)},
      {"transformer block", {3, 5, 4}, layers<TransformerBlock>(4, 2, TransformerBlockOptions{.causal = true})},
      {"convolution of sequences", {3, 2, 9}, layers<Conv1d>(2, 3, 4, Conv1dOptions{.padding = same_padding.width})},
      {"dilated pooling",
       {3, 2, 9, 9},
       layers<MaxPool2d>(3, PoolOptions{.stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true})},
      {"averages up to the edge",
       {3, 2, 6, 6},
       layers<AvgPool2d>(3, PoolOptions{.stride = 2, .padding = 1, .ceil_mode = true, .count_padding = false})},
      {"padding by reflection", {3, 2, 4, 4}, layers<Pad2d>(Size2d(2, 1), Padding::reflect)},
      {"padding by the edge", {3, 2, 4, 4}, layers<Pad2d>(Size2d(2, 1), Padding::edge)},
      {"upsampling", {3, 2, 4, 3}, layers<Upsample>(Size2d(2, 3))},
      {"prelu", {3, 4, 2}, layers<PReLU>(4)},
      {"glu", {3, 4}, layers<GLU>()},
      {"hardswish", {3, 4}, layers<Hardswish>()},
      {"leaky relu", {3, 4}, layers<LeakyReLU>(0.2)},
      {"elu", {3, 4}, layers<ELU>(0.7)},
      {"gelu", {3, 4}, layers<GELU>()},
      {"gelu, by tanh", {3, 4}, layers<GELU>(Gelu::tanh)},
      {"hardtanh", {3, 4}, layers<Hardtanh>(-1, 0.5)},
      {"softmax along the first but one", {3, 4, 2}, layers<Softmax>(1)},
      {"nothing", {3, 4}, layers<Dropout>(0.5)},
  };
}

std::vector<Model> operations() {
  const auto of = [](std::vector<Shape> shapes, Computed::Formula f) {
    return formula(std::move(shapes), std::move(f));
  };
  return {
      {"arithmetic",
       {3, 4},
       of({{4}, {4}},
          [](const Variable& x, const Parameters& p) {
            return (x * p[0] - p[1]) / (3 + maximum(x, p[0])) + minimum(-x, p[1]);
          })},
      {"powers",
       {3, 4},
       of({{4}}, [](const Variable& x, const Parameters& p) { return pow(x, 3) + pow(x, p[0]) + pow(x, 0.5); }),
       true,
       0.5},
      {"clamp", {3, 4}, of({}, [](const Variable& x, const Parameters&) { return clamp(x, -1, 0.5); })},
      {"where",
       {3, 4},
       of({{4}},
          [](const Variable& x, const Parameters& p) {
            return where(Tensor({1, 0, 0, 1}), x, p[0]);
          })},
      {"reductions",
       {3, 4, 5},
       of({},
          [](const Variable& x, const Parameters&) {
            return concatenate({sum(x, {1, 2}, true), reshape(mean(x, 2, true), {x.shape()[0], 4, 1}), max(x, 2, true),
                                min(x, -1, true), norm(x, 2, true), logsumexp(x, 2, true),
                                reshape(variance(x, {1, 2}), {x.shape()[0], 1, 1})},
                               1);
          })},
      {"matmul", {3, 4}, of({{4, 5}}, [](const Variable& x, const Parameters& p) { return matmul(x, p[0]); })},
      {"matmul, transposed",
       {3, 4},
       of({{5, 4}}, [](const Variable& x, const Parameters& p) { return matmul(x, p[0], {.transpose_b = true}); })},
      {"attention",
       {3, 5, 4},
       of({{4, 4}, {4, 4}},
          [](const Variable& x, const Parameters& p) {
            return matmul(softmax(matmul(matmul(x, p[0]), matmul(x, p[1]), {.transpose_b = true}) / 2), x);
          })},
      {"shapes",
       {3, 4, 2},
       of({{1, 8}},
          [](const Variable& x, const Parameters& p) {
            const Variable y =
                reshape(transpose(x, {0, 2, 1}), {x.shape()[0], 8}) + broadcast_to(p[0], {x.shape()[0], 8});
            return concatenate({slice(y, 1, 2, 5), slice(y, 0, 0, x.shape()[0]), y}, 1);
          })},
      {"padding",
       {3, 2, 4, 4},
       of({},
          [](const Variable& x, const Parameters&) {
            return pad2d(x, {1, 0}, {2, 3});
          })},
      {"steps of a sequence",
       {3, 4, 2},
       of({},
          [](const Variable& x, const Parameters&) {
            const std::vector<Variable> steps = unbind(x, 1);
            return stack({steps[3], steps[0]}, 1);
          })},
      {"rows of a table",
       {3, 2},
       of({{4, 2}},
          [](const Variable& x, const Parameters& p) {
            return x + sum(take_rows(p[0], IndexTensor({{0, 3}, {1, 1}})), {0, 1});
          })},
      {"in reverse, and sums so far",
       {3, 5},
       of({},
          [](const Variable& x, const Parameters&) {
            return concatenate({slice(x, 1, {.step = -2}), slice(x, 1, {.begin = 3, .end = 0, .step = -1}),
                                cumsum(x, 1), slice(x, 1, {.begin = 1, .step = 2})},
                               1);
          })},
      {"einsum",
       {3, 5},
       of({{5, 4}},
          [](const Variable& x, const Parameters& p) {
            return einsum("bi,ij->bj", {x, p[0]});
          })},
      {"gather and scatter",
       {3, 2},
       of({{4, 2}},
          [](const Variable& x, const Parameters& p) {
            const IndexTensor index = {{0, 3}, {1, 1}};
            return x + sum(scatter_add(p[0], 0, index, gather(p[0], 0, index)), 0);
          })},
      unary("exp", exp),
      unary("log", log, true, 0.1),
      unary("log1p", log1p, false, 0.1),
      unary("expm1", expm1, false),
      unary("sqrt", sqrt, true, 0.1),
      unary("square", square),
      unary("abs", abs),
      unary("sin", sin),
      unary("cos", cos),
      unary("erf", erf),
      unary("tanh", tanh),
      unary("sigmoid", sigmoid),
      unary("relu", relu),
      unary("selu", selu),
      unary("silu", silu),
      unary("mish", mish),
      unary("softplus", softplus),
  };
}

}  // namespace

std::vector<Model> all_models() {
  std::vector<Model> all = networks();
  for (Model& model : operations()) all.push_back(std::move(model));
  return all;
}

std::vector<Several> all_of_several() {
  using Variables = std::vector<Variable>;
  return {
      {"lstm cell with its state",
       {{3, 4}, {3, 5}, {3, 5}},
       2,
       layers<nn::LSTMCell>(4, 5),
       [](nn::Module& model, const Variables& in) {
         const auto state = static_cast<nn::LSTMCell&>(model).step(in[0], {in[1], in[2]});
         return Variables{state.h, state.c};
       }},
      {"attention to another sequence",
       {{3, 5, 4}, {3, 7, 4}},
       1,
       layers<nn::MultiheadAttention>(4, 2),
       [](nn::Module& model, const Variables& in) {
         return Variables{static_cast<nn::MultiheadAttention&>(model).attend(in[0], in[1], in[1])};
       }},
      {"outputs that are read on, asked for twice, an input and a parameter",
       {{3, 4}},
       5,
       layers<nn::Linear>(4, 2),
       [](nn::Module& model, const Variables& in) {
         const Variable y = model(in[0]);
         return Variables{y, tanh(y), y, in[0], model.parameters()[0].second};
       }},
  };
}

std::filesystem::path scratch_file(const std::string& name) {
  static const idx_files::Folder folder;
  return folder.path() / name;
}

}  // namespace onnx_models
