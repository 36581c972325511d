// Products of matrices, against sums over indices and against xtensor-blas.
#include <xgrad/core/gemm.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/random.h>

#include <cmath>
#include <xtensor-blas/xlinalg.hpp>

#include "../error.h"

using namespace xgrad;

namespace {

Tensor product(const Tensor& a, const Tensor& b, GemmOptions options) {
  Tensor c = Tensor::from_shape(gemm_shape("test", a.shape(), b.shape(), options));
  std::fill_n(c.data(), c.size(), Scalar(options.accumulate ? 10 : std::nan("")));
  gemm(a, b, c, options);
  return c;
}

}  // namespace

TEST_CASE("gemm agrees with sums over indices, transposed, accumulating and batched") {
  Generator generator(6);
  const std::size_t m = 5, n = 3, k = 4;
  for (bool ta : {false, true})
    for (bool tb : {false, true})
      for (bool accumulate : {false, true})
        for (std::size_t batch : {0u, 1u, 6u}) {  // 0: plain matrices; 6: (2, 1) times (3,), broadcast
          const Shape a_matrix = ta ? Shape{k, m} : Shape{m, k}, b_matrix = tb ? Shape{n, k} : Shape{k, n};
          const Shape a_shape = batch == 0   ? a_matrix
                                : batch == 1 ? Shape{1, a_matrix[0], a_matrix[1]}
                                             : Shape{2, 1, a_matrix[0], a_matrix[1]};
          const Shape b_shape = batch == 6 ? Shape{3, b_matrix[0], b_matrix[1]} : b_matrix;
          const Tensor a = generator.normal(a_shape), b = generator.normal(b_shape);
          const Tensor c = product(a, b, {ta, tb, accumulate});
          REQUIRE(c.size() == std::max<std::size_t>(batch, 1) * m * n);
          for (std::size_t i = 0; i < c.size(); ++i) {
            const std::size_t matrix = i / (m * n), row = i / n % m, column = i % n;
            const Scalar* pa = a.data() + (batch == 6 ? matrix / 3 * m * k : 0);
            const Scalar* pb = b.data() + (batch == 6 ? matrix % 3 * k * n : 0);
            double expected = accumulate ? 10 : 0;
            for (std::size_t p = 0; p < k; ++p)
              expected += static_cast<double>(pa[ta ? p * m + row : row * k + p]) *
                          static_cast<double>(pb[tb ? column * k + p : p * n + column]);
            CHECK(static_cast<double>(c.data()[i]) == doctest::Approx(expected));
          }
        }
}

TEST_CASE("gemm refuses what does not fit, and knows empty products") {
  check_error<ShapeError>([] { gemm_shape("matmul", {2, 3}, {4, 5}); }, {"[matmul]", "(2, 3)", "(4, 5)", "3 and 4"});
  check_error<ShapeError>([] { gemm_shape("matmul", {3}, {3, 5}); }, {"[matmul]", "(3,)", "two dimensions"});
  check_error<ShapeError>([] { gemm_shape("matmul", {2, 1, 3}, {3, 3, 5}); }, {"[matmul]", "(2,)", "(3,)"});
  Tensor wrong = zeros({2, 2});
  check_error<ShapeError>([&] { gemm(zeros({2, 3}), zeros({3, 4}), wrong); }, {"[gemm]", "(2, 4)", "(2, 2)"});
  CHECK(product(ones({2, 0}), ones({0, 3}), {}) == zeros({2, 3}));
  CHECK(product(ones({0, 2}), ones({2, 3}), {}).shape() == Shape{0, 3});
}

TEST_CASE("gemm agrees with xtensor-blas on sizes around its tiles, panels and pieces of a sum") {
  Generator generator(8);
  for (const std::size_t m : {1u, 2u, 6u, 7u, 33u, 65u, 97u})
    for (const std::size_t n : {1u, 3u, 8u, 16u, 47u, 49u, 150u})
      for (const std::size_t k : {1u, 2u, 63u, 65u, 600u, 1025u, 4500u}) {
        const Tensor a = generator.normal({m, k}), b = generator.normal({k, n});
        const Tensor a_t = xt::transpose(a), b_t = xt::transpose(b);
        const Tensor expected = xt::linalg::dot(a, b);
        for (const bool ta : {false, true})
          for (const bool tb : {false, true}) {
            const bool accumulate = (m + n + k) % 2 == 0;
            const Tensor c = product(ta ? a_t : a, tb ? b_t : b, {ta, tb, accumulate});
            const double before = accumulate ? 10 : 0;
            const double scale = std::sqrt(static_cast<double>(k)) * (sizeof(Scalar) == 8 ? 1e-14 : 1e-5);
            double worst = 0;
            for (std::size_t i = 0; i < c.size(); ++i)
              worst = std::max(
                  worst, std::abs(static_cast<double>(c.data()[i]) - before - static_cast<double>(expected.data()[i])));
            CHECK_MESSAGE(worst < scale, m, " x ", n, " x ", k, ": ", worst);
          }
      }
}

TEST_CASE("a product is the same bits for any number of threads") {
  const int before = num_threads();
  Generator generator(7);
  const struct {
    std::size_t m, n, k;
  } sizes[] = {{64, 128, 784}, {128, 784, 64}, {1000, 784, 128}, {100, 1000, 1000}, {25, 400, 512}, {1, 1003, 1000},
               {8, 1003, 300}, {17, 5, 9000},  {700, 3, 700},    {1, 2100, 700},    {20, 1003, 300}};
  for (const auto [m, n, k] : sizes)
    for (bool ta : {false, true})
      for (bool tb : {false, true}) {
        const Tensor a = generator.normal(ta ? Shape{k, m} : Shape{m, k}),
                     b = generator.normal(tb ? Shape{n, k} : Shape{k, n});
        set_num_threads(1);
        const Tensor one = product(a, b, {ta, tb});
        for (int threads : {2, 3, 4}) {
          set_num_threads(threads);
          CHECK(product(a, b, {ta, tb}) == one);
        }
      }
  set_num_threads(before);
}
