// Calls across the library's interface with every type that xtensor makes, and holds the values against ones that were
// found by hand. It is compiled with one macro of xtensor's or another.
#include <xgrad/xgrad.h>

#include <cstdio>
#if __has_include(<xtensor/views/xview.hpp>)
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xview.hpp>
#endif

using namespace xgrad;

static int failures = 0;
static void expect(const char* what, const Tensor& got, const Tensor& wanted) {
  if (got == wanted) return;
  ++failures;
  std::printf("%s is wrong\n", what);
}

int main() {
  const xt::xarray<Scalar> users = {{1, 2, 3}, {4, 5, 6}};  // in the layout and memory that the macros say
  const Variable x(users, true);
  expect("an array of the user's", x.value(), Tensor({{1, 2, 3}, {4, 5, 6}}));
  expect("its reshape", reshape(x, {3, 2}).value(), Tensor({{1, 2}, {3, 4}, {5, 6}}));
  expect("an expression", Variable(users * Scalar(2) + x.value()).value(), Tensor({{3, 6, 9}, {12, 15, 18}}));
  expect("a view", Variable(xt::view(x.value(), xt::all(), 1)).value(), Tensor({2, 5}));
  const Tensor factor({{1, 0}, {0, 1}, {1, 1}});
  expect("a product", matmul(x, factor).value(), Tensor({{4, 5}, {10, 11}}));

  const IndexTensor rows = {{1, 0}, {1, 1}};
  const Variable taken = take_rows(x, rows);
  expect("taken rows", taken.value(), Tensor({{{4, 5, 6}, {1, 2, 3}}, {{4, 5, 6}, {4, 5, 6}}}));
  sum(taken * Variable(ones({3}))).backward();
  expect("their gradient", x.grad(), Tensor({{1, 1, 1}, {3, 3, 3}}));
  const IndexTensor order = Generator(1).permutation(3);
  if (xt::sum(order)() != 3 || nn::accuracy(x, xt::xarray<std::int64_t>{2, 0}) != 0.5) ++failures;

  nn::Linear layer(3, 2);
  optim::Adamax optimizer(layer.parameters(), {.lr = 0.1});
  const Variable before = nn::cross_entropy(layer(x), IndexTensor({0, 1}));
  before.backward();
  optimizer.step();
  if (!(nn::cross_entropy(layer(x), IndexTensor({0, 1})).item() < before.item())) ++failures;
  return failures;
}
