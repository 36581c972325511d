#include <xgrad/autograd/ops.h>
#include <xgrad/autograd/table.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/embedding.h>
#include <xgrad/nn/flatten.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/sequential.h>

#include <limits>

#include "error.h"

using namespace xgrad;

TEST_CASE("Embedding looks rows up, by indices and by whole numbers") {
  nn::Embedding layer(3, 2);
  layer.weight.mutable_value() = Tensor({{1, 2}, {3, 4}, {5, 6}});
  const Tensor expected({{{5, 6}, {1, 2}}, {{3, 4}, {5, 6}}});
  CHECK(layer.lookup(IndexTensor({{2, 0}, {1, 2}})).value() == expected);
  CHECK(layer(Variable(Tensor({{2, 0}, {1, 2}}))).value() == expected);
  CHECK(layer(Variable(Tensor(Scalar(1)))).value() == Tensor({3, 4}));
  CHECK(layer.lookup(IndexTensor::from_shape({0, 4})).shape() == Shape{0, 4, 2});

  nn::Sequential model{nn::Embedding(5, 3), nn::Flatten(), nn::Linear(12, 2)};
  CHECK(model(Variable(zeros({7, 4}))).shape() == Shape{7, 2});
}

TEST_CASE("Embedding starts standard normal") {
  seed(3);
  CHECK(nn::Embedding(4, 5).weight.value() == Generator(3).normal({4, 5}));
}

TEST_CASE("Embedding refuses what is not a row") {
  nn::Embedding layer(3, 2);
  for (const double number : {-1.0, 3.0, 0.5, 1e30, std::numeric_limits<double>::quiet_NaN()})
    check_error<ValueError>([&] { layer(Variable(full({2}, static_cast<Scalar>(number)))); },
                            {"[embedding]", "whole numbers from 0 to 2", message(number)});
  check_error<ValueError>([&] { layer.lookup(IndexTensor({3})); }, {"row 3", "3"});
  layer.weight.mutable_value() = Tensor(Scalar(1));
  check_error<ShapeError>([&] { layer(Variable(zeros({2}))); }, {"[embedding]", "(rows, width)", "()"});
  check_error<ValueError>([] { nn::Embedding(0, 2); }, {"[embedding]", "1 to 2^31", "got 0"});
}

TEST_CASE("Embedding keeps the gradient of the rows that were read, if asked to") {
  for (const bool sparse : {false, true}) {
    nn::Embedding layer(5, 2, {.sparse = sparse});
    sum(layer.lookup(IndexTensor({4, 1, 4}))).backward();
    CHECK((sparse_grad(layer.weight) != nullptr) == sparse);
    if (sparse) CHECK(*sparse_grad(layer.weight) == RowGradient{{1, {1, 1}}, {4, {2, 2}}});
    CHECK(layer.weight.grad() == Tensor({{0, 0}, {1, 1}, {0, 0}, {0, 0}, {2, 2}}));
    layer.zero_grad();
    CHECK_FALSE(layer.weight.has_grad());
  }
}
