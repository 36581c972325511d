// Operations that are made of others, and those that choose: values against loops and simpler operations.
#include <xgrad/autograd/ops.h>

#include <cmath>
#include <limits>
#include <tuple>

#include "error.h"
#include "operation_tables.h"

using namespace xgrad;

namespace {

// Matrices that shift rows, so that x * shift is x with its columns moved.
Variable permuted(const Variable& x, std::initializer_list<std::int64_t> columns) {
  return transpose(take_rows(transpose(x), IndexTensor(columns)));
}

const Structural composed_cases[] = {
    {"prod",
     {{2, 3}},
     [](auto& in) { return prod(in[0]); },
     [](auto& in) {
       const std::vector<Variable> x = unbind(reshape(in[0], {-1}));
       return x[0] * x[1] * x[2] * x[3] * x[4] * x[5];
     }},
    {"prod",
     {{2, 3, 2}},
     [](auto& in) {
       return prod(in[0], {0, -1}, true);
     },
     [](auto& in) {
       const Variable pairs = in[0][0] * in[0][1];
       return reshape(slice(pairs, 1, 0, 1) * slice(pairs, 1, 1, 2), {1, 3, 1});
     }},
    {"cumsum",
     {{2, 3, 2}},
     [](auto& in) { return cumsum(in[0], 1); },
     [](auto& in) {
       const std::vector<Variable> x = unbind(in[0], 1);
       return stack({x[0], x[0] + x[1], x[0] + x[1] + x[2]}, 1);
     }},
    {"tril",
     {{2, 3, 4}},
     [](auto& in) { return tril(in[0], 1); },
     [](auto& in) {
       return in[0] * Tensor({{1, 1, 0, 0}, {1, 1, 1, 0}, {1, 1, 1, 1}});
     }},
    {"triu",
     {{4, 3}},
     [](auto& in) { return triu(in[0], -1); },
     [](auto& in) {
       return in[0] * Tensor({{1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 0, 1}});
     }},
    {"slice",
     {{2, 5}},
     [](auto& in) { return slice(in[0], 1, {.step = -2}); },
     [](auto& in) {
       return permuted(in[0], {4, 2, 0});
     }},
    {"slice",
     {{2, 5}},
     [](auto& in) { return slice(in[0], -1, {.begin = -4, .end = 100, .step = 3}); },
     [](auto& in) {
       return permuted(in[0], {1, 4});
     }},
    {"slice",
     {{5, 2}},
     [](auto& in) { return in[0][-2]; },
     [](auto& in) { return reshape(slice(in[0], 0, 3, 4), {2}); }},
    {"glu",
     {{2, 6}},
     [](auto& in) { return glu(in[0]); },
     [](auto& in) { return slice(in[0], 1, 0, 3) * sigmoid(slice(in[0], 1, 3, 6)); }},
    {"prelu",
     {{2, 3, 2}, {3, 1}},
     [](auto& in) { return prelu(in[0], in[1]); },
     [](auto& in) { return relu(in[0]) - in[1] * relu(-in[0]); }},
    {"einsum",
     {{2, 3}, {3, 4}},
     [](auto& in) {
       return einsum("ij,jk->ik", {in[0], in[1]});
     },
     [](auto& in) { return matmul(in[0], in[1]); }},
    {"einsum",
     {{2, 3, 4}, {2, 5, 4}},
     [](auto& in) {
       return einsum("bqd,bkd->bqk", {in[0], in[1]});
     },
     [](auto& in) { return matmul(in[0], in[1], {.transpose_b = true}); }},
    {"einsum",
     {{3, 3}},
     [](auto& in) { return einsum("ii->i", {in[0]}); },
     [](auto& in) {
       return stack({in[0][0][0], in[0][1][1], in[0][2][2]});
     }},
    {"einsum",
     {{3, 2, 3, 3}},
     [](auto& in) { return einsum("ijii", {in[0]}); },
     [](auto& in) {
       const auto trace = [&](std::ptrdiff_t j) { return in[0][0][j][0][0] + in[0][1][j][1][1] + in[0][2][j][2][2]; };
       return stack({trace(0), trace(1)});
     }},
    {"einsum",
     {{2}, {3}},
     [](auto& in) {
       return einsum("i,j->ji", {in[0], in[1]});
     },
     [](auto& in) {
       return reshape(in[1], {3, 1}) * in[0];
     }},
    {"einsum",
     {{2, 3}, {4, 2}, {3, 4}},
     [](auto& in) {
       return einsum("ab, ca, bc", {in[0], in[1], in[2]});
     },
     [](auto& in) { return sum(matmul(in[0], in[2]) * transpose(in[1])); }},
    {"einsum",
     {{2, 3, 4}, {3}},
     [](auto& in) {
       return einsum("abc,b->ca", {in[0], in[1]});
     },
     [](auto& in) {
       return transpose(sum(in[0] * reshape(in[1], {3, 1}), 1));
     }},
    {"pad2d",
     {{2, 3, 4}},
     [](auto& in) {
       return pad2d(in[0], {1, 2}, {2, 1}, Padding::reflect);
     },
     [](auto& in) {
       const IndexTensor rows({1, 0, 1, 2, 1, 0}), columns({2, 1, 0, 1, 2, 3, 2});
       const Variable tall = take_rows(transpose(in[0], {1, 0, 2}), rows);
       return transpose(take_rows(transpose(tall, {2, 0, 1}), columns), {2, 1, 0});
     }},
    {"pad2d",
     {{2, 3}},
     [](auto& in) {
       return pad2d(in[0], {2, 1}, {0, 3}, Padding::edge);
     },
     [](auto& in) {
       return permuted(take_rows(in[0], IndexTensor({0, 0, 0, 1})), {0, 0, 1, 2, 2, 2, 2});
     }},
    {"upsample2d",
     {{2, 2, 3}},
     [](auto& in) {
       return upsample2d(in[0], {2, 3});
     },
     [](auto& in) {
       return matmul(
           matmul(Variable(Tensor({{1, 0}, {1, 0}, {0, 1}, {0, 1}})), in[0]),
           Variable(Tensor({{1, 1, 1, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 1, 1, 1, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 1, 1, 1}})));
     }},
};

const bool composed_counted = add_rows(composed_cases);

}  // namespace

TEST_CASE("composed operations: values, gradients, second gradients") {
  for (const Structural& c : composed_cases) check_operation(c);
}

TEST_CASE("a product has gradients where elements are 0") {
  const Variable x(Tensor({2, 0, 3, 5}), true), two(Tensor({0, 4, 0}), true);
  CHECK(grad(prod(x), {x})[0].value() == Tensor({0, 30, 0, 0}));
  CHECK(grad(prod(two), {two})[0].value() == zeros({3}));
  CHECK(prod(Variable(zeros({0, 2})), 0).value() == ones({2}));
}

TEST_CASE("a range is Python's") {
  const Variable x(arange(5));
  const auto at = [&](Range range) { return slice(x, 0, range).value(); };
  CHECK(at({}) == Tensor({0, 1, 2, 3, 4}));
  CHECK(at({.begin = -2}) == Tensor({3, 4}));
  CHECK(at({.end = -3}) == Tensor({0, 1}));
  CHECK(at({.begin = -100, .end = 100, .step = 2}) == Tensor({0, 2, 4}));
  CHECK(at({.step = -1}) == Tensor({4, 3, 2, 1, 0}));
  CHECK(at({.begin = 100, .end = -100, .step = -3}) == Tensor({4, 1}));
  CHECK(at({.begin = 3, .end = 0, .step = -1}) == Tensor({3, 2, 1}));
  CHECK(at({.begin = 3, .end = 1}).size() == 0);
  CHECK(at({.begin = 1, .end = 3, .step = -1}).size() == 0);
  CHECK(at({.step = std::numeric_limits<std::ptrdiff_t>::max()}) == Tensor({0}));
  CHECK(at({.step = std::numeric_limits<std::ptrdiff_t>::min()}) == Tensor({4}));
  CHECK(slice(Variable(zeros({0})), 0, {.step = -1}).size() == 0);
  check_error<ValueError>([&] { at({.step = 0}); }, {"[slice] expected a step other than 0"});
}

TEST_CASE("reshape finds a size that is not said") {
  const Variable x(arange(12));
  CHECK(reshape(x, {3, -1}).shape() == Shape{3, 4});
  CHECK(reshape(x, {-1}).shape() == Shape{12});
  CHECK(reshape(x, {x.size() / 2, 2}).shape() == Shape{6, 2});
  CHECK(reshape(Variable(ones({})), {}).shape() == Shape{});
  CHECK(reshape(Variable(zeros({0, 3})), {-1, 3}).shape() == Shape{0, 3});
  check_error<ShapeError>([&] { reshape(x, {5, -1}); }, {"[reshape]", "(12,)", "12 elements", "5"});
  check_error<ShapeError>([&] { reshape(x, {-1, -1}); }, {"[reshape]", "another -1"});
  check_error<ShapeError>([&] { reshape(x, {-2, 6}); }, {"[reshape]", "-2"});
  check_error<ShapeError>([&] { reshape(Variable(zeros({0})), {0, -1}); }, {"[reshape]", "(0,)"});
  check_error<ShapeError>(
      [&] {
        reshape(x, {std::size_t(-1), std::size_t(1)});
      },
      {"[reshape]", "(18446744073709551615, 1)"});
}

TEST_CASE("comparisons are 1 where they hold, for either operand a number or a tensor") {
  const Variable x(Tensor({1, 2, std::numeric_limits<Scalar>::quiet_NaN()}));
  CHECK((x > 1).value() == Tensor({0, 1, 0}));
  CHECK((x >= 1).value() == Tensor({1, 1, 0}));
  CHECK((2 > x).value() == Tensor({1, 0, 0}));
  CHECK((x < Tensor({2, 2, 2})).value() == Tensor({1, 0, 0}));
  CHECK((Tensor({1, 1, 1}) <= x).value() == Tensor({1, 1, 0}));
  CHECK((x <= x).value() == Tensor({1, 1, 0}));
  const Variable leaf(Tensor({-1, 3}), true);
  CHECK(grad(sum(where(leaf > 0, leaf, 2 * leaf)), {leaf})[0].value() == Tensor({2, 1}));
  check_error<ShapeError>([&] { std::ignore = x < leaf; }, {"[compare]", "(3,)", "(2,)"});
}

TEST_CASE("positions of extremes, sorting, and the gradient of what was chosen") {
  const auto nan = std::numeric_limits<Scalar>::quiet_NaN();
  const Variable x(Tensor({{3, 1, 3}, {-1, 5, 2}}), true), odd(Tensor({1, nan, 4, nan}));
  CHECK(argmax(x) == IndexTensor({0, 1}));
  CHECK(argmax(x, 0) == IndexTensor({0, 1, 0}));
  CHECK(argmin(x) == IndexTensor({1, 0}));
  CHECK(argmax(odd)() == 1);
  CHECK(argmin(odd)() == 1);
  const Chosen two = topk(x, 2);
  CHECK(two.values.value() == Tensor({{3, 3}, {5, 2}}));
  CHECK(two.positions == IndexTensor({{0, 2}, {1, 2}}));
  CHECK(grad(sum(two.values), {x})[0].value() == Tensor({{1, 0, 1}, {0, 1, 1}}));
  CHECK(topk(x, 1, 0, false).positions == IndexTensor({{1, 0, 1}}));
  CHECK(topk(x, 0).values.shape() == Shape{2, 0});
  CHECK(sort(x).values.value() == Tensor({{1, 3, 3}, {-1, 2, 5}}));
  CHECK(sort(odd).positions == IndexTensor({0, 2, 1, 3}));
  CHECK(sort(odd, 0, true).positions == IndexTensor({1, 3, 2, 0}));
  check_error<ValueError>([&] { topk(x, 4); }, {"[topk]", "at most 3", "got 4"});
  check_error<ValueError>([] { argmax(Variable(zeros({2, 0}))); }, {"[argmax]", "(2, 0)"});
}

TEST_CASE("one_hot and arange") {
  CHECK(one_hot(IndexTensor({{2, 0}}), 3) == Tensor({{{0, 0, 1}, {1, 0, 0}}}));
  check_error<ValueError>([] { one_hot(IndexTensor({1, 3}), 3); }, {"[one_hot]", "below 3", "got 3"});
  CHECK(arange(3) == Tensor({0, 1, 2}));
  CHECK(arange(1, 2, 0.25) == Tensor({1, 1.25, 1.5, 1.75}));
  CHECK(arange(2, 0, -1) == Tensor({2, 1}));
  CHECK(arange(2, 0).size() == 0);
  check_error<ValueError>([] { arange(0, 1, 0); }, {"[arange]", "step other than 0"});
  check_error<ValueError>([] { arange(0, HUGE_VAL); }, {"[arange]", "inf"});
}

TEST_CASE("what composed operations refuse") {
  const Variable a(ones({2, 3})), cube(ones({2, 3, 2}));
  struct Case {
    std::function<void()> action;
    std::initializer_list<std::string> pieces;
  };
  const Case shapes[] = {
      {[&] { glu(a); }, {"[glu]", "even axis -1", "(2, 3)"}},
      {[&] { tril(Variable(ones({3}))); }, {"[tril]", "two dimensions", "(3,)"}},
      {[&] { cumsum(a, 2); }, {"[cumsum]", "axis 2", "(2, 3)"}},
      {[&] {
         prod(a, {0, 0});
       },
       {"[prod]", "axis 0", "twice"}},
      {[&] { Variable(ones({}))[0]; }, {"[slice]", "()"}},
      {[&] { upsample2d(Variable(ones({3})), 2); }, {"[upsample2d]", "(3,)"}},
      {[&] {
         einsum("ij,ij", {a, cube});
       },
       {"[einsum]", "'ij'", "2 letters", "(2, 3, 2)"}},
      {[&] { einsum("ii", {a}); }, {"[einsum]", "'i' is 2 and 3"}},
  };
  for (const Case& refused : shapes) check_error<ShapeError>(refused.action, refused.pieces);
  const Case values[] = {
      {[&] { celu(a, 0); }, {"[celu]", "alpha > 0", "got 0"}},
      {[&] { a[2]; }, {"[slice]", "from -2 to below 2", "got 2"}},
      {[&] { a[-3]; }, {"[slice]", "got -3"}},
      {[&] { upsample2d(a, 0); }, {"[upsample2d]", "(0, 0)"}},
      {[&] {
         pad2d(a, {2, 0}, Padding::reflect);
       },
       {"[pad2d]", "at most 1", "(2, 3)", "got 2 and 2"}},
      {[&] {
         pad2d(Variable(zeros({0, 3})), 1, Padding::edge);
       },
       {"[pad2d]", "at most 0", "(0, 3)"}},
      {[&] { einsum("ij->k", {a}); }, {"[einsum]", "'k'", "in no input"}},
      {[&] { einsum("ij->ii", {a}); }, {"[einsum]", "'i'", "twice"}},
      {[&] { einsum("i.", {a}); }, {"[einsum]", "'.'"}},
      {[&] { einsum("ij->j->i", {a}); }, {"[einsum]", "one '->'"}},
      {[&] { einsum("ij,jk", {a}); }, {"[einsum]", "2 inputs", "got 1"}},
  };
  for (const Case& refused : values) check_error<ValueError>(refused.action, refused.pieces);
}
