#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/gemm.h>
#include <xgrad/core/parallel.h>

#include <algorithm>

#ifdef XGRAD_HAS_BLAS
#include <xtensor-blas/xblas.hpp>
extern "C" {
[[gnu::weak]] void openblas_set_num_threads(int);
[[gnu::weak]] char* openblas_get_config();
}
#endif

namespace xgrad {
namespace {

struct Matrix {  // a row-major matrix in place, `stride` elements from row to row
  const Scalar* data;
  std::size_t stride;
  bool transposed;
};

#ifdef XGRAD_HAS_BLAS
void multiply(std::size_t m, std::size_t n, std::size_t k, Matrix a, Matrix b, Scalar* c, bool accumulate) {
  static const bool single_threaded = [] {  // two pools of threads fight over the cores: the library splits the work
    if (openblas_set_num_threads) openblas_set_num_threads(1);
    return true;
  }();
  static_cast<void>(single_threaded);
  const auto index = [](std::size_t i) { return static_cast<xt::blas_index_t>(i); };
  const auto flag = [](bool transposed) { return transposed ? cxxblas::Trans : cxxblas::NoTrans; };
  cxxblas::gemm<xt::blas_index_t>(cxxblas::RowMajor, flag(a.transposed), flag(b.transposed), index(m), index(n),
                                  index(k), Scalar(1), a.data, index(a.stride), b.data, index(b.stride),
                                  Scalar(accumulate), c, index(n));
}
#else
void multiply(std::size_t m, std::size_t n, std::size_t k, Matrix a, Matrix b, Scalar* c, bool accumulate) {
  if (!accumulate) std::fill_n(c, m * n, Scalar(0));
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t p = 0; p < k; ++p) {
      const Scalar factor = a.transposed ? a.data[p * a.stride + i] : a.data[i * a.stride + p];
      for (std::size_t j = 0; j < n; ++j)
        c[i * n + j] += factor * (b.transposed ? b.data[j * b.stride + p] : b.data[p * b.stride + j]);
    }
}
#endif

// OpenBLAS gives the bits of the whole product for pieces whose first row is a multiple of 12, as long as no piece is
// so small that it goes to another kernel.
constexpr std::size_t row_grain = 12, smallest_piece = std::size_t{1} << 21;  // rows; multiply-adds

void multiply_in_pieces(std::size_t m, std::size_t n, std::size_t k, Matrix a, Matrix b, Scalar* c, bool accumulate) {
  const std::size_t grains = m / row_grain, least = smallest_piece / (row_grain * n * k) + 1;  // a piece's, in grains
  const std::size_t pieces = std::clamp<std::size_t>(grains / least, 1, static_cast<std::size_t>(num_threads()));
  const auto begin_of = [=](std::size_t piece) {
    return piece == pieces ? m : (grains * piece + pieces - 1) / pieces * row_grain;
  };
  parallel_for(pieces, 1, [=](std::size_t from, std::size_t to) {
    const std::size_t begin = begin_of(from), end = begin_of(to);
    const Matrix part{a.data + (a.transposed ? begin : begin * a.stride), a.stride, a.transposed};
    multiply(end - begin, n, k, part, b, c + begin * n, accumulate);
  });
}

Shape batch_shape(const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); }

}  // namespace

Shape gemm_shape(std::string_view operation, const Shape& a, const Shape& b, GemmOptions options) {
  const auto fail = [&](std::string_view why) {
    throw ShapeError(message("[", operation, "] ", to_string(a), options.transpose_a ? " transposed" : "", " times ",
                             to_string(b), options.transpose_b ? " transposed" : "", ": ", why));
  };
  if (a.size() < 2 || b.size() < 2) fail("both need two dimensions or more");
  const auto rows = [](const Shape& s, bool transpose) { return s[s.size() - (transpose ? 1 : 2)]; };
  const auto columns = [](const Shape& s, bool transpose) { return s[s.size() - (transpose ? 2 : 1)]; };
  const std::size_t inner = columns(a, options.transpose_a), expected = rows(b, options.transpose_b);
  if (inner != expected) fail(message("the inner dimensions ", inner, " and ", expected, " differ"));
  Shape shape = broadcast_shapes(operation, batch_shape(a), batch_shape(b));
  shape.push_back(rows(a, options.transpose_a));
  shape.push_back(columns(b, options.transpose_b));
  return shape;
}

void gemm(const Tensor& a, const Tensor& b, Tensor& c, GemmOptions options) {
  const Shape shape = gemm_shape("gemm", a.shape(), b.shape(), options);
  if (c.shape() != shape) throw ShapeError(message("[gemm] expected a result of ", shape, ", got ", c.shape()));
  const std::size_t m = shape[shape.size() - 2], n = shape.back();
  const std::size_t k = a.shape(a.dimension() - (options.transpose_a ? 2 : 1));
  if (m * n == 0) return;
  if (k == 0) {
    if (!options.accumulate) std::fill_n(c.data(), c.size(), Scalar(0));
    return;
  }
  const Matrix first_a{a.data(), a.shape().back(), options.transpose_a};
  const Matrix first_b{b.data(), b.shape().back(), options.transpose_b};
  if (shape.size() == 2) return multiply_in_pieces(m, n, k, first_a, first_b, c.data(), options.accumulate);

  const Shape batch = batch_shape(shape);
  const auto offsets = [&](const Tensor& x) {  // of the matrices of a broadcast batch, in matrices
    return strided_offsets(batch, broadcast_strides(batch_shape(x.shape()), batch));
  };
  const auto a_offsets = offsets(a), b_offsets = offsets(b);
  parallel_for(a_offsets.size(), smallest_piece / (m * n * k) + 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      multiply(m, n, k, {first_a.data + a_offsets[i] * m * k, first_a.stride, first_a.transposed},
               {first_b.data + b_offsets[i] * k * n, first_b.stride, first_b.transposed}, c.data() + i * m * n,
               options.accumulate);
  });
}

std::string gemm_backend() {
#ifdef XGRAD_HAS_BLAS
  return openblas_get_config ? openblas_get_config() : "BLAS";
#else
  return "built-in loops";
#endif
}

}  // namespace xgrad
