// Gradients of tables that stay rows: what take_rows with sparse_grad leaves at a leaf.
#include <xgrad/autograd/check.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/autograd/table.h>
#include <xgrad/core/random.h>

#include "error.h"

using namespace xgrad;

namespace {

const IndexTensor first({{3, 0}, {3, 5}}), second({5, 5, 1});

Variable table() { return Variable(Generator(1).normal({6, 2}), true); }

// A loss that depends on rows in different ways, so that each lookup has a gradient of its own.
Variable loss(const Variable& x, const IndexTensor& index, TakeRowsOptions options) {
  const Variable rows = take_rows(x, index, options);
  return sum(rows * rows * Variable(Generator(2).normal(rows.shape())));
}

constexpr TakeRowsOptions sparse{.sparse_grad = true}, dense{};

}  // namespace

TEST_CASE("a sparse gradient holds the rows that were read, and is the dense gradient") {
  const Variable x = table(), expected = table();
  (loss(x, first, sparse) + loss(x, second, sparse)).backward();
  (loss(expected, first, dense) + loss(expected, second, dense)).backward();
  CHECK(x.has_grad());
  CHECK(sparse_grad(expected) == nullptr);
  REQUIRE(sparse_grad(x));
  std::vector<std::size_t> rows;
  for (const auto& [row, values] : *sparse_grad(x)) {
    rows.push_back(row);
    REQUIRE(values.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) CHECK(values[i] == doctest::Approx(expected.grad()(row, i)));
  }
  CHECK(rows == std::vector<std::size_t>{0, 1, 3, 5});

  SUBCASE("another pass adds to it") {
    loss(x, second, sparse).backward();
    loss(expected, second, dense).backward();
    CHECK(sparse_grad(x));
  }
  SUBCASE("a dense gradient that arrives makes it dense") {
    (sum(square(x)) + loss(x, first, sparse)).backward();
    (sum(square(expected)) + loss(expected, first, dense)).backward();
    CHECK(sparse_grad(x) == nullptr);
  }
  SUBCASE("rows are added to a dense gradient") {
    x.mutable_grad();
    CHECK(sparse_grad(x) == nullptr);
    loss(x, first, sparse).backward();
    loss(expected, first, dense).backward();
    CHECK(sparse_grad(x) == nullptr);
  }
  SUBCASE("to look leaves it sparse, and what comes later is seen") {
    const Tensor& seen = x.grad();
    CHECK(seen.shape() == Shape{6, 2});
    loss(x, first, sparse).backward();
    loss(expected, first, dense).backward();
    CHECK(sparse_grad(x));
    CHECK(&x.grad() == &seen);
    for (const auto part : mutable_grad_parts(x))
      for (Scalar& element : part) element *= 2;
    for (const auto part : mutable_grad_parts(expected))
      for (Scalar& element : part) element *= 2;
    CHECK(mutable_grad_parts(x).size() == 4);
    CHECK(mutable_grad_parts(expected).size() == 1);
    CHECK(sparse_grad(x));
  }
  SUBCASE("to look, and then to change it") {
    const Tensor& seen = x.grad();
    CHECK(&x.mutable_grad() == &seen);
    CHECK(sparse_grad(x) == nullptr);
  }
  CHECK(x.grad().shape() == Shape{6, 2});
  for (std::size_t i = 0; i < 12; ++i) CHECK(x.grad().data()[i] == doctest::Approx(expected.grad().data()[i]));
  x.clear_grad();
  CHECK_FALSE(x.has_grad());
  loss(x, second, sparse).backward();
  CHECK(sparse_grad(x)->size() == 2);
  x.clear_grad();
  CHECK_FALSE(x.has_grad());
}

TEST_CASE("a lookup without indices has a gradient of zeros") {
  const Variable x = table();
  sum(take_rows(x, IndexTensor::from_shape({0}), sparse)).backward();
  CHECK(x.has_grad());
  CHECK(sparse_grad(x)->empty());
  CHECK(x.grad() == zeros({6, 2}));
}

TEST_CASE("rows of a gradient do not become a dense one of another shape") {
  for (const Shape& shape : {Shape{2, 2}, Shape{6, 1}, Shape{6, 3}, Shape{12}, Shape{0, 2}, Shape{}}) {
    const Variable x = table();
    loss(x, first, sparse).backward();
    x.mutable_value() = ones(shape);
    check_error<ShapeError>([&] { x.grad(); }, {"[grad] expected rows of a gradient of " + to_string(shape)});
    check_error<ShapeError>([&] { x.mutable_grad(); }, {"[grad]"});
  }
  const Variable x = table();  // a larger table, after a look
  loss(x, first, sparse).backward();
  x.grad();
  x.mutable_value() = ones({9, 2});
  loss(x, {8}, sparse).backward();
  CHECK(x.grad().shape() == Shape{9, 2});
  CHECK(x.grad()(8, 0) != 0);
}

TEST_CASE("sparse lookups differentiate as dense ones do where the gradient is a value") {
  const Variable x = table();
  const Function function = [](const std::vector<Variable>& in) { return loss(in[0], first, sparse); };
  CHECK_NOTHROW(check_gradients(function, {x}));
  CHECK_NOTHROW(check_second_gradients(function, {x}));
  CHECK_FALSE(x.has_grad());

  const Variable scaled = x * 2;  // not a leaf: its gradient goes on to x
  loss(scaled, first, sparse).backward();
  const Variable expected = table();
  loss(expected * 2, first, dense).backward();
  CHECK(sparse_grad(x) == nullptr);
  CHECK(x.grad() == expected.grad());
}

TEST_CASE("sparse lookups refuse what dense ones refuse") {
  const Variable x = table();
  const Variable freed = loss(x, first, sparse), changed = loss(x, first, sparse);
  freed.backward();
  check_error<GraphError>([&] { freed.backward(); }, {"freed"});
  x.mutable_value().fill(1);
  check_error<GraphError>([&] { changed.backward(); }, {"changed in place"});
}

TEST_CASE("a sparse gradient of a huge table costs its rows alone") {
  const std::size_t count = std::size_t{1} << 22;
  const Variable x(Tensor::from_shape({count, 16}), true);
  const Variable rows = take_rows(x, IndexTensor({1, 77, 1}), sparse);
  sum(rows).backward();
  REQUIRE(sparse_grad(x));
  CHECK(sparse_grad(x)->size() == 2);
  CHECK(sparse_grad(x)->at(1) == std::vector<Scalar>(16, 2));
}
