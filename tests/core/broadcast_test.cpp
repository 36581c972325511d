#include <xgrad/core/broadcast.h>
#include <xgrad/core/random.h>
#include <xgrad/core/reduce.h>

#include <cmath>
#include <limits>

#include "error.h"

using namespace xgrad;

namespace {

// The element of x at the index of a result to which x broadcasts, worked out index by index.
Scalar element(const Tensor& x, const std::vector<std::size_t>& index) {
  std::size_t position = 0;
  for (std::size_t d = 0; d < x.dimension(); ++d) {
    const std::size_t i = x.shape(d) == 1 ? 0 : index[index.size() - x.dimension() + d];
    position = position * x.shape(d) + i;
  }
  return x.data()[position];
}

std::vector<std::size_t> index_of(std::size_t flat, const Shape& shape) {
  std::vector<std::size_t> index(shape.size());
  for (std::size_t d = shape.size(); d-- > 0; flat /= shape[d]) index[d] = flat % shape[d];
  return index;
}

}  // namespace

TEST_CASE("zip broadcasts as NumPy does") {
  struct Case {
    Shape a, b, result;
  };
  const Case cases[] = {
      {{}, {}, {}},
      {{3}, {}, {3}},
      {{}, {2, 3}, {2, 3}},
      {{2, 3}, {2, 3}, {2, 3}},
      {{2, 3}, {3}, {2, 3}},
      {{2, 1}, {3}, {2, 3}},
      {{2, 1}, {1, 3}, {2, 3}},
      {{1, 1}, {1, 1}, {1, 1}},
      {{4, 1, 3}, {2, 1}, {4, 2, 3}},
      {{2, 3, 4}, {3, 1}, {2, 3, 4}},
      {{2, 3, 4}, {2, 1, 4}, {2, 3, 4}},
      {{2, 3, 1, 5}, {3, 4, 1}, {2, 3, 4, 5}},
      {{2, 3, 4}, {1, 1, 1}, {2, 3, 4}},
      {{5, 1, 1}, {5, 2, 3}, {5, 2, 3}},
      {{0, 3}, {3}, {0, 3}},
      {{2, 0}, {1}, {2, 0}},
  };
  Generator generator(1);
  for (const Case& c : cases) {
    CAPTURE(to_string(c.a));
    CAPTURE(to_string(c.b));
    const Tensor a = generator.normal(c.a), b = generator.normal(c.b);
    const Tensor result = zip_elements("test", a, b, [](Scalar x, Scalar y) { return 3 * x - y; });
    REQUIRE(result.shape() == c.result);
    for (std::size_t i = 0; i < result.size(); ++i) {
      const auto index = index_of(i, c.result);
      CHECK(result.data()[i] == doctest::Approx(3 * element(a, index) - element(b, index)));
    }
    CHECK(broadcast_shapes("test", c.b, c.a) == c.result);
    CHECK(sum_to(result, c.a).shape() == c.a);
  }
  check_error<ShapeError>([] { broadcast_shapes("add", {2, 3}, {2}); }, {"[add]", "(2, 3)", "(2,)"});
}

TEST_CASE("reductions over every set of axes agree with sums over indices") {
  const Shape shape = {2, 3, 1, 4};
  const Tensor x = Generator(2).normal(shape);
  for (unsigned bits = 0; bits < 16; ++bits) {
    std::vector<bool> reduced;
    for (unsigned d = 0; d < 4; ++d) reduced.push_back((bits >> d & 1) != 0);
    const Shape kept = reduced_shape(shape, reduced, true);
    std::vector<double> sums(element_count(kept), 0), largest(sums.size(), -1e9), smallest(sums.size(), 1e9);
    for (std::size_t i = 0; i < x.size(); ++i) {
      auto index = index_of(i, shape);
      std::size_t position = 0;
      for (std::size_t d = 0; d < 4; ++d) position = position * kept[d] + (reduced[d] ? 0 : index[d]);
      const double value = static_cast<double>(x.data()[i]);
      sums[position] += value;
      largest[position] = std::max(largest[position], value);
      smallest[position] = std::min(smallest[position], value);
    }
    const Tensor sum = reduce_sum(x, reduced), max = reduce_max(x, reduced), min = reduce_min(x, reduced);
    REQUIRE(sum.shape() == kept);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      CHECK(static_cast<double>(sum.data()[i]) == doctest::Approx(sums[i]));
      CHECK(static_cast<double>(max.data()[i]) == largest[i]);
      CHECK(static_cast<double>(min.data()[i]) == smallest[i]);
    }
  }
}

TEST_CASE("a sum of 2e7 ones is 2e7, along a row and along a column") {
  const std::size_t count = 20'000'000;
  CHECK(reduce_sum(ones({count}), {true}).data()[0] == Scalar(2e7));
  CHECK(reduce_sum(ones({count / 2, 2}), {true, false}).data()[0] == Scalar(1e7));
}

TEST_CASE("maxima and minima along any axis are exact, with infinities, and a NaN comes through wherever it stands") {
  const Scalar nan = std::numeric_limits<Scalar>::quiet_NaN(), infinity = std::numeric_limits<Scalar>::infinity();
  Generator generator(3);
  const struct {
    std::size_t outer, count, inner;
  } sizes[] = {{1, 1, 1},   {1, 3, 1},    {2, 7, 1},  {3, 15, 1}, {3, 16, 1},  {2, 17, 1}, {2, 143, 1},
               {2, 145, 1}, {2, 1000, 1}, {2, 33, 2}, {2, 9, 3},  {3, 50, 10}, {2, 5, 67}, {1, 3, 200}};
  for (const auto& size : sizes) {
    const std::size_t outer = size.outer, count = size.count, inner = size.inner;
    for (const std::size_t bad : {std::size_t{0}, count / 2, count - 1})
      for (const Scalar special : {Scalar(2), infinity, -infinity, nan}) {
        Tensor x = generator.normal({outer, count, inner});
        for (std::size_t i = 0; i < outer * inner; i += 3) x(i / inner, bad, i % inner) = special;
        const Tensor highest = reduce_max(x, {false, true, false}), lowest = reduce_min(x, {false, true, false});
        REQUIRE(highest.shape() == Shape{outer, 1, inner});
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < outer * inner; ++i) {
          Scalar high = -infinity, low = infinity;
          for (std::size_t k = 0; k < count; ++k) {
            const Scalar now = x(i / inner, k, i % inner);
            if (now > high || std::isnan(now)) high = now;
            if (now < low || std::isnan(now)) low = now;
          }
          const auto same = [](Scalar a, Scalar b) { return a == b || (std::isnan(a) && std::isnan(b)); };
          wrong += !same(highest.data()[i], high) || !same(lowest.data()[i], low);
        }
        CHECK_MESSAGE(wrong == 0, outer, " x ", count, " x ", inner, ", ", special, " at ", bad);
      }
  }
}

TEST_CASE("axes") {
  const Shape shape = {2, 3, 4};
  CHECK(Axes().mask("sum", shape) == std::vector<bool>{true, true, true});
  CHECK(Axes(-1).mask("sum", shape) == std::vector<bool>{false, false, true});
  CHECK(Axes({0, 2}).mask("sum", shape) == std::vector<bool>{true, false, true});
  check_error<ShapeError>([&] { Axes(3).mask("sum", shape); }, {"[sum]", "axis 3", "(2, 3, 4)"});
  check_error<ShapeError>([&] { Axes({0, -3}).mask("sum", shape); }, {"[sum]", "twice"});
}
