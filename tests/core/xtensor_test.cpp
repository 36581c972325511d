// xtensor's own functions on Tensors: what they give has the shape and the values that its documentation says. They are
// how users write values, and in C++20 some of them crashed (see core/xtensor.h).
#include <xgrad/core/tensor.h>

#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/core/xmath.hpp>
#include <xtensor/generators/xbuilder.hpp>
#include <xtensor/misc/xsort.hpp>
#include <xtensor/views/xindex_view.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xbuilder.hpp>
#include <xtensor/xindex_view.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xsort.hpp>
#include <xtensor/xview.hpp>
#endif
#include <doctest/doctest.h>

#include <xtensor-blas/xlinalg.hpp>

using namespace xgrad;

namespace {

template <class T>
struct IsArray : std::false_type {};
template <class T, xt::layout_type layout, class A, class SA>
struct IsArray<xt::xarray<T, layout, A, SA>> : std::true_type {};

struct Case {
  const char* name;
  Tensor got, expected;
};

}  // namespace

TEST_CASE("a temporary of Tensors has any number of dimensions") {
  const Tensor a = {{1, 2, 3}, {4, 5, 6}};
  const auto sum = xt::eval(a + a);
  const auto column = xt::sum(a, {1}, xt::evaluation_strategy::immediate);
  const auto sorted = xt::sort(a);
  const auto positions = xt::argmax(a, 1);
  CHECK(IsArray<std::decay_t<decltype(sum)>>::value);
  CHECK(IsArray<std::decay_t<decltype(column)>>::value);
  CHECK(IsArray<std::decay_t<decltype(sorted)>>::value);
  CHECK(IsArray<std::decay_t<decltype(positions)>>::value);
  CHECK(sum.shape() == Shape{2, 3});
  CHECK(column.shape() == Shape{2});
}

TEST_CASE("xtensor's functions on Tensors") {
  constexpr auto now = xt::evaluation_strategy::immediate;
  const Tensor a = {{1, 5, 3}, {4, 2, 6}}, row = {10, 20, 30}, cube = xt::eval(xt::stack(xt::xtuple(a, a + a)));
  const Tensor square = {{2, 1}, {1, 3}};
  const Case cases[] = {
      {"eval", xt::eval(a + a), {{2, 10, 6}, {8, 4, 12}}},
      {"eval of a broadcast", xt::eval(a + row), {{11, 25, 33}, {14, 22, 36}}},
      {"sum", xt::sum(a, {1}), {9, 12}},
      {"sum at once", xt::sum(a, {1}, now), {9, 12}},
      {"sum of an expression at once", xt::sum(a * a, {0}, now), {17, 29, 45}},
      {"sum over two axes at once", xt::sum(cube, {0, 2}, now), {27, 36}},
      {"sum of all at once", xt::sum(a, now), Tensor(Scalar(21))},
      {"mean", xt::mean(a, {0}, now), {Scalar(2.5), Scalar(3.5), Scalar(4.5)}},
      {"variance", xt::variance(a, {0}), {Scalar(2.25), Scalar(2.25), Scalar(2.25)}},
      {"amax", xt::amax(a, {1}, now), {5, 6}},
      {"amin", xt::amin(a, {0}, now), {1, 2, 3}},
      {"prod", xt::prod(a, {1}, now), {15, 48}},
      {"argmax", xt::argmax(a, 1), {1, 2}},
      {"argmin", xt::argmin(a, 0), {0, 1, 0}},
      {"cumsum", xt::cumsum(a, 1), {{1, 6, 9}, {4, 6, 12}}},
      {"view", xt::view(a, 1, xt::range(1, 3)), {2, 6}},
      {"sum of a view", xt::sum(xt::view(cube, 1), {0}, now), {10, 14, 18}},
      {"eval of views", xt::eval(xt::view(a, 0) + xt::view(a, 1)), {5, 7, 9}},
      {"transpose", xt::transpose(a), {{1, 4}, {5, 2}, {3, 6}}},
      {"eval of a transpose", xt::eval(xt::transpose(a) + 1), {{2, 5}, {6, 3}, {4, 7}}},
      {"concatenate", xt::concatenate(xt::xtuple(a, a), 1), {{1, 5, 3, 1, 5, 3}, {4, 2, 6, 4, 2, 6}}},
      {"stack", xt::view(cube, 1), {{2, 10, 6}, {8, 4, 12}}},
      {"where", xt::where(a > 3, a, Scalar(0)), {{0, 5, 0}, {4, 0, 6}}},
      {"broadcast", xt::broadcast(row, {2, 3}), {{10, 20, 30}, {10, 20, 30}}},
      {"filter", xt::filter(a, a > 3), {5, 4, 6}},
      {"sort", xt::sort(a, 1), {{1, 3, 5}, {2, 4, 6}}},
      {"argsort", xt::argsort(a, 1), {{0, 2, 1}, {1, 0, 2}}},
      {"flip", xt::flip(a, 1), {{3, 5, 1}, {6, 2, 4}}},
      {"maximum", xt::eval(xt::maximum(a, Scalar(3))), {{3, 5, 3}, {4, 3, 6}}},
      {"dot", xt::linalg::dot(square, square), {{5, 5}, {5, 10}}},
      {"solve", xt::linalg::solve(square, Tensor({5, 10})), {1, 3}},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(c.got.shape() == c.expected.shape());
    CHECK(xt::allclose(c.got, c.expected));
  }
}
