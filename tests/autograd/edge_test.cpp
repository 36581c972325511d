// Empty batches, empty inputs, sizes that cannot be counted, and values of temporaries.
#include <xgrad/autograd/ops.h>
#include <xgrad/nn/dropout.h>
#include <xgrad/nn/embedding.h>
#include <xgrad/nn/flatten.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/normalization.h>
#include <xgrad/nn/recurrent.h>

#include <cmath>
#include <new>

#include "../error.h"
#include "operation_tables.h"

using namespace xgrad;

namespace {

Variable input(const Shape& shape) { return Variable(zeros(shape), true); }

// The shapes of what is read, of which the first is empty, and of what comes.
struct Empty {
  const char* name;
  std::vector<Shape> shapes;
  std::function<Variable(const Inputs&)> operation;
  Shape expected;
};

const Empty empties[] = {
    {"matmul of no matrices", {{0, 2, 3}, {0, 3, 2}}, [](auto& in) { return matmul(in[0], in[1]); }, {0, 2, 2}},
    {"matmul, one for none", {{0, 2, 3}, {3, 2}}, [](auto& in) { return matmul(in[0], in[1]); }, {0, 2, 2}},
    {"matmul, one of one for none", {{0, 3, 2}, {1, 2, 3}}, [](auto& in) { return matmul(in[1], in[0]); }, {0, 2, 2}},
    {"matmul of no rows", {{0, 2}, {2, 3}}, [](auto& in) { return matmul(in[0], in[1]); }, {0, 3}},
    {"matmul over nothing", {{2, 0}, {0, 3}}, [](auto& in) { return matmul(in[0], in[1]); }, {2, 3}},
    {"linear", {{0, 3}, {2, 3}, {2}}, [](auto& in) { return linear(in[0], in[1], in[2]); }, {0, 2}},
    {"conv2d",
     {{0, 2, 4, 4}, {3, 2, 3, 3}, {3}},
     [](auto& in) { return conv2d(in[0], in[1], in[2], {.padding = 1}); },
     {0, 3, 4, 4}},
    {"conv_transpose2d",
     {{0, 2, 4, 4}, {2, 3, 3, 3}, {3}},
     [](auto& in) { return conv_transpose2d(in[0], in[1], in[2]); },
     {0, 3, 6, 6}},
    {"max_pool2d", {{0, 2, 4, 4}}, [](auto& in) { return max_pool2d(in[0], 2); }, {0, 2, 2, 2}},
    {"max_pool2d, padded", {{0, 2, 4, 4}}, [](auto& in) { return max_pool2d(in[0], 2, {.padding = 1}); }, {0, 2, 3, 3}},
    {"avg_pool2d", {{0, 2, 4, 4}}, [](auto& in) { return avg_pool2d(in[0], 2); }, {0, 2, 2, 2}},
    {"global_avg_pool2d", {{0, 2, 4, 4}}, [](auto& in) { return global_avg_pool2d(in[0]); }, {0, 2, 1, 1}},
    {"pad2d", {{0, 2, 4, 4}}, [](auto& in) { return pad2d(in[0], 1); }, {0, 2, 6, 6}},
    {"sum over nothing", {{3, 0}}, [](auto& in) { return sum(in[0], 1); }, {3}},
    {"max", {{0, 3}}, [](auto& in) { return max(in[0], 1); }, {0}},
    {"min", {{0, 3}}, [](auto& in) { return min(in[0], -1, true); }, {0, 1}},
    {"mean", {{0, 3}}, [](auto& in) { return mean(in[0], 1); }, {0}},
    {"variance", {{0, 3}}, [](auto& in) { return variance(in[0], 1); }, {0}},
    {"norm", {{0, 3}}, [](auto& in) { return norm(in[0], 1); }, {0}},
    {"norm of nothing", {{3, 0}}, [](auto& in) { return norm(in[0], 1); }, {3}},
    {"logsumexp", {{0, 3}}, [](auto& in) { return logsumexp(in[0], 1); }, {0}},
    {"softmax", {{0, 3}}, [](auto& in) { return softmax(in[0]); }, {0, 3}},
    {"softmax of nothing", {{3, 0}}, [](auto& in) { return softmax(in[0]); }, {3, 0}},
    {"log_softmax", {{0, 3}}, [](auto& in) { return log_softmax(in[0]); }, {0, 3}},
    {"exp", {{0, 3}}, [](auto& in) { return exp(in[0]); }, {0, 3}},
    {"an operation that broadcasts", {{0, 3}, {3}}, [](auto& in) { return in[0] * in[1]; }, {0, 3}},
    {"where", {{0, 3}, {3}}, [](auto& in) { return where(Variable(ones({3})), in[0], in[1]); }, {0, 3}},
    {"reshape",
     {{0, 3}},
     [](auto& in) {
       return reshape(in[0], {3, 0});
     },
     {3, 0}},
    {"transpose", {{0, 3}}, [](auto& in) { return transpose(in[0]); }, {3, 0}},
    {"slice", {{0, 3}}, [](auto& in) { return slice(in[0], 1, 1, 3); }, {0, 2}},
    {"split",
     {{0, 3}},
     [](auto& in) {
       return split(in[0], {1, 2}, 1)[1];
     },
     {0, 2}},
    {"concatenate",
     {{2, 0}, {2, 1}},
     [](auto& in) {
       return concatenate({in[1], in[0], in[1]}, 1);
     },
     {2, 2}},
    {"take_rows", {{0, 2}}, [](auto& in) { return take_rows(in[0], IndexTensor::from_shape({0})); }, {0, 2}},
    {"take_rows of nothing",
     {{3, 0}},
     [](auto& in) {
       return take_rows(in[0], IndexTensor({0, 1, 1}));
     },
     {3, 0}},
    {"add_rows", {{0, 2}}, [](auto& in) { return add_rows(in[0], IndexTensor::from_shape({0}), 3); }, {3, 2}},
    {"add_rows of nothing",
     {{3, 0}},
     [](auto& in) {
       return add_rows(in[0], IndexTensor({0, 1, 1}), 3);
     },
     {3, 0}},
    {"gather",
     {{0, 2}},
     [](auto& in) {
       return gather(in[0], 0, IndexTensor::from_shape({0, 2}));
     },
     {0, 2}},
    {"scatter_add",
     {{0, 2}, {3, 2}},
     [](auto& in) {
       return scatter_add(in[1], 0, IndexTensor::from_shape({0, 2}), in[0]);
     },
     {3, 2}},
    {"Flatten", {{0, 3, 2}}, [](auto& in) { return nn::Flatten()(in[0]); }, {0, 6}},
    {"Dropout", {{0, 3}}, [](auto& in) { return nn::Dropout(0.5)(in[0]); }, {0, 3}},
    {"LayerNorm", {{0, 3}}, [](auto& in) { return nn::LayerNorm(3)(in[0]); }, {0, 3}},
    {"GroupNorm", {{0, 4, 2}}, [](auto& in) { return nn::GroupNorm(2, 4)(in[0]); }, {0, 4, 2}},
    {"LSTMCell", {{0, 2}}, [](auto& in) { return nn::LSTMCell(2, 3)(in[0]); }, {0, 3}},
    {"GRUCell", {{0, 2}}, [](auto& in) { return nn::GRUCell(2, 3)(in[0]); }, {0, 3}},
    {"BatchNorm1d in evaluation",
     {{0, 3}},
     [](auto& in) {
       nn::BatchNorm1d norm(3);
       norm.eval();
       return norm(in[0]);
     },
     {0, 3}},
};

}  // namespace

TEST_CASE("a batch may be empty, and so is its gradient") {
  for (const Empty& row : empties) {
    CAPTURE(std::string(row.name));
    Inputs inputs;
    for (const Shape& shape : row.shapes) inputs.push_back(input(shape));
    const Variable y = row.operation(inputs);
    CHECK(y.shape() == row.expected);
    CHECK(y.value() == zeros(row.expected));
    sum(y).backward();
    for (const Variable& x : inputs) {
      REQUIRE(x.has_grad());
      CHECK(x.grad().shape() == x.shape());
      CHECK(all_finite(x.grad()));
    }
  }
  CHECK(logsumexp(Variable(zeros({0}))).item() == -INFINITY);
  CHECK(logsumexp(Variable(zeros({2, 0})), 1).value() == full({2}, -INFINITY));
}

TEST_CASE("an input may be left out") {
  const Variable x = input({1, 2});
  const nn::Linear fc(2, 2, {.bias = false});
  const std::vector<Variable> gradients = grad(sum(linear(x, fc.weight, fc.bias)), {fc.weight, fc.bias, x});
  CHECK(gradients[0].shape() == Shape{2, 2});
  CHECK_FALSE(gradients[1]);
  CHECK(gradients[2].shape() == Shape{1, 2});
  const Variable y = record("optional", ones({1}), {x, Variable()}, [](const Variable& made, const Variable& g) {
    CHECK_FALSE(made.input(1));
    return std::vector{sum(g) * made.input(0), g};
  });
  sum(y).backward({.check_finite = true});
  CHECK(x.grad() == zeros({1, 2}));
}

TEST_CASE("sizes that cannot be counted are refused") {
  constexpr std::size_t half = std::size_t{1} << 31, most = std::size_t{1} << 62;
  const Variable one(ones({1}));
  const std::function<void()> cases[] = {
      [&] { zeros({most}); },
      [&] {
        reshape(Variable(zeros({4})), {most + 1, 4});
      },
      [&] {
        reshape(Variable(zeros({0})), {half, half, half});
      },
      [&] {
        broadcast_to(one, {half, half});
      },
      [&] {
        unslice(Variable(zeros({1, 1})), {half, half}, 0, 5);
      },
      [&] { unslice(Variable(zeros({2})), {4}, 0, std::size_t(-1)); },
      [&] {
        add_rows(Variable(zeros({1, 4})), IndexTensor({0}), most);
      },
      [&] {
        pad2d(Variable(zeros({1, 1, 1, 1})), {std::ptrdiff_t(half), std::ptrdiff_t(half)});
      },
      [&] { nn::Embedding(half, half); },
      [&] { nn::Linear(half, half); },
      [&] {
        default_generator().normal({half, half});
      },
  };
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    CAPTURE(i);
    CHECK_THROWS_AS(cases[i](), ShapeError);
  }
  check_error<ShapeError>([&] { broadcast_to(one, {half, half}); }, {"[broadcast_to]", "(2147483648, 2147483648)"});
  check_error<ValueError>([&] { pad2d(Variable(zeros({1, 1})), {PTRDIFF_MAX, 1}); }, {"[pad2d]", "2^31"});
  CHECK(element_count({half, half, 0, half}) == 0);
  CHECK_THROWS_AS(Allocator<Scalar>().allocate(most), std::bad_array_new_length);
}

TEST_CASE("what is asked of a temporary is not left behind") {
  const Variable x(ones({64, 100}), true);
  const Tensor& probabilities = softmax(x).value();
  const Shape& shape = softmax(x).shape();
  const Tensor& gradient = grad(sum(square(x)), {x})[0].value();
  const auto name = exp(x).operation();
  const Variable& read = exp(x).input(0);
  const auto expression = xt::sum(softmax(x).value());
  const Tensor overwritten = full({64, 100}, 7);
  for (const Scalar p : softmax(x).value()) CHECK(p == doctest::Approx(0.01));
  CHECK(probabilities(3, 4) == doctest::Approx(0.01));
  CHECK(shape == Shape{64, 100});
  CHECK(gradient(5, 6) == 2);
  CHECK(name == "exp");
  CHECK(read.node() == x.node());
  CHECK(double(expression()) == doctest::Approx(64));
}

TEST_CASE("a leaf that is given another shape is refused when a gradient arrives") {
  const Variable x = input({2, 2});
  sum(x).backward();
  SUBCASE("by its gradient") { x.mutable_grad() = ones({1}); }
  SUBCASE("by its value") { x.mutable_value() = ones({3}); }
  check_error<ShapeError>([&] { sum(square(x)).backward(); }, {"[backward]", "gradient so far"});
}
