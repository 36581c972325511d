// C in tiles (core/tile.h): rows of A, whose numbers are read in place, times a panel of B, which is copied so that its
// columns lie in registers.
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/gemm.h>
#include <xgrad/core/lanes.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/tile.h>

#include <algorithm>

namespace xgrad {
namespace {

struct Matrix {  // in place: the number in row i and column j is at data[i row + j column], and one of the two is 1
  const Scalar* data;
  std::size_t row, column;
};

constexpr std::size_t max_m = many_registers ? 8 : 4, max_p = 3;
// A sum over k is cut into pieces of this length, so that a panel stays in the cache.
constexpr std::size_t max_k = 256;
constexpr std::size_t smallest_task = std::size_t{1} << 18;  // multiply-adds that are worth a thread

// Rows [k, k + size) and `width` columns of b from column j on, as (size, registers): columns beyond are 0.
void pack_panel(Matrix b, std::size_t k, std::size_t size, std::size_t j, std::size_t width, Scalar* panel) {
  const std::size_t pitch = divide_up(width, lanes) * lanes;
  for (std::size_t q = 0; q < width; q += lanes) {
    const std::size_t some = std::min(lanes, width - q);
    if (b.column == 1) {
      for (std::size_t i = 0; i < size; ++i)
        store(load_some(b.data + (k + i) * b.row + j + q, some), panel + i * pitch + q);
      continue;
    }
    for (std::size_t i = 0; i < size; i += lanes) {
      const std::size_t rows = std::min(lanes, size - i);
      Register block[lanes];
      for (std::size_t l = 0; l < lanes; ++l)
        block[l] = l < some ? load_some(b.data + (j + q + l) * b.column + k + i, rows) : Register(Scalar(0));
      transpose(block);
      for (std::size_t l = 0; l < rows; ++l) store(block[l], panel + (i + l) * pitch + q);
    }
  }
}

// Columns [j, j + width) of rows [begin, end) of c.
void multiply_panel(std::size_t begin, std::size_t end, std::size_t j, std::size_t width, std::size_t inner, Matrix a,
                    Matrix b, Scalar* c, std::size_t c_row, bool accumulate) {
  const std::size_t registers = divide_up(width, lanes), pitch = registers * lanes;
  std::size_t in_offsets[max_k], out_offsets[max_m];
  for (std::size_t k = 0; k < std::min(inner, max_k); ++k) in_offsets[k] = k * pitch;
  Tensor panel = Tensor::from_shape({std::min(inner, max_k) * pitch});
  Scalar edge[max_m * max_p * lanes];  // takes the tile that reaches beyond the last column
  const bool whole = pitch == width;
  for (std::size_t m = 0; m < max_m; ++m) out_offsets[m] = m * (whole ? c_row : pitch);
  const Scalar zero[max_m] = {};
  for (std::size_t k = 0; k < inner; k += max_k) {
    const std::size_t size = std::min(max_k, inner - k);
    pack_panel(b, k, size, j, width, panel.data());
    const bool add = accumulate || k > 0;
    for_pieces(end - begin, max_m, [&](std::size_t row, std::size_t count) {
      Scalar* out = c + (begin + row) * c_row + j;
      kernel<Tile, max_m, max_p>(count, registers)({.a = a.data + (begin + row) * a.row + k * a.column,
                                                    .a_m = a.row,
                                                    .a_k = a.column,
                                                    .inner = size,
                                                    .in = panel.data(),
                                                    .in_offsets = in_offsets,
                                                    .in_step = lanes,
                                                    .out = whole ? out : edge,
                                                    .out_offsets = out_offsets,
                                                    .out_step = lanes,
                                                    .start = add && whole ? nullptr : zero});
      if (whole) return;
      for (std::size_t m = 0; m < count; ++m)
        for (std::size_t q = 0; q < width; ++q) {
          Scalar& to = out[m * c_row + q];
          to = add ? to + edge[m * pitch + q] : edge[m * pitch + q];
        }
    });
  }
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
  if (c.size() == 0) return;
  if (k == 0) {
    if (!options.accumulate) std::fill_n(c.data(), c.size(), Scalar(0));
    return;
  }
  const auto matrix = [](const Tensor& x, bool transposed) {
    const std::size_t pitch = x.shape().back();
    return transposed ? Matrix{x.data(), 1, pitch} : Matrix{x.data(), pitch, 1};
  };
  const Matrix first_a = matrix(a, options.transpose_a), first_b = matrix(b, options.transpose_b);
  const Shape batch = batch_shape(shape);
  const auto offsets = [&](const Tensor& x) {  // of the matrices of a broadcast batch, in matrices
    if (batch.empty()) return std::vector<std::size_t>{0};
    return strided_offsets(batch, broadcast_strides(batch_shape(x.shape()), batch));
  };
  const auto a_offsets = offsets(a), b_offsets = offsets(b);

  // Panels of columns are independent of each other: as many for each thread. Where they are fewer, rows are cut too.
  const std::size_t threads = static_cast<std::size_t>(num_threads()), registers = divide_up(n, lanes);
  const std::size_t panels = std::min(divide_up(divide_up(registers, max_p), threads) * threads, registers);
  const std::size_t count = a_offsets.size() * panels;
  const std::size_t blocks = std::min(divide_up(threads, count), divide_up(m, 4 * max_m));
  const std::size_t grain = smallest_task / (m * divide_up(n, panels) * k / blocks + 1) + 1;
  parallel_for(count * blocks, grain, [&](std::size_t from, std::size_t to) {
    for (std::size_t task = from; task < to; ++task) {
      const std::size_t block = task % blocks, panel = task / blocks % panels, i = task / blocks / panels;
      const std::size_t j = registers * panel / panels * lanes;
      const std::size_t end = std::min(n, registers * (panel + 1) / panels * lanes);
      const Matrix left{first_a.data + a_offsets[i] * m * k, first_a.row, first_a.column};
      const Matrix right{first_b.data + b_offsets[i] * k * n, first_b.row, first_b.column};
      multiply_panel(m * block / blocks, m * (block + 1) / blocks, j, end - j, k, left, right, c.data() + i * m * n, n,
                     options.accumulate);
    }
  });
}

std::string gemm_backend() {
#ifdef XGRAD_HAS_XSIMD
  return message(Register::arch_type::name(), ", ", max_m, " x ", max_p * lanes);
#else
  return message("plain, ", max_m, " x ", max_p * lanes);
#endif
}

}  // namespace xgrad
