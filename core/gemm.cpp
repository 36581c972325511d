// C in tiles (core/tile.h): rows of A, whose numbers are read in place, times a panel of B, which is copied so that its
// columns lie in registers. With few rows of A nothing is copied: the tile reads B in place where its columns lie side
// by side, and where they are contiguous in k the kernel of dots, whose lanes are parts of a sum, takes the tile's
// place.
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/gemm.h>
#include <xgrad/core/lanes.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/tile.h>

#include <algorithm>

namespace xgrad {
namespace {

template <class T>
struct Strided {  // in place: the number in row i and column j is at data[i row + j column]
  T* data;
  std::size_t row, column;
  Strided transposed() const { return {data, column, row}; }
};
using Matrix = Strided<const Scalar>;  // where row or column is 1

constexpr std::size_t max_m = many_registers ? 8 : 4, max_p = tile_registers / max_m;
// A sum over k is cut into pieces of this length, so that a panel stays in the cache.
constexpr std::size_t max_k = 256;
// For so many rows, or columns, the other matrix is read where it is, a few of its rows at a time: to copy a number
// takes longer than to use it. Where it is read along k, that has to be so much longer than they are many, and its
// columns pass over a part of A that stays near.
constexpr std::size_t few_rows = 16, few_columns = 8, few_k = 64, long_k = 16, near_a = 4096;
constexpr std::size_t smallest_task = std::size_t{1} << 18;  // multiply-adds that are worth a thread

// How wide a tile of these rows is: beside its sums it holds a row of B and a number of A.
constexpr std::size_t strip_width(std::size_t rows) {
  return std::min(tile_registers / rows, (tile_registers * 4 / 3 - 1) / (rows + 1));
}
constexpr std::size_t max_strip = strip_width(1);
std::size_t widest_strip(std::size_t rows) { return strip_width(divide_up(rows, divide_up(rows, max_m))); }

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

void put(Strided<Scalar> c, std::size_t row, std::size_t column, Scalar value, bool add) {
  Scalar& to = c.data[row * c.row + column * c.column];
  to = add ? to + value : value;
}

// Columns [j, j + width) of rows [begin, end) of c: one strip that is packed, or in place as many as there are.
void multiply_panel(std::size_t begin, std::size_t end, std::size_t j, std::size_t width, std::size_t inner, Matrix a,
                    Matrix b, Strided<Scalar> c, bool accumulate, bool few) {
  const std::size_t registers = divide_up(width, lanes), pitch = registers * lanes, pad = pitch - width;
  const std::size_t strip = widest_strip(few ? end - begin : max_m), piece = few ? few_k : max_k;
  // A strip in place that would reach beyond the last column begins before its first.
  const bool in_place = few && b.column == 1 && (pad == 0 || j > 0 || registers > strip);
  std::size_t in_offsets[max_k], c_offsets[max_m], edge_offsets[max_m];
  for (std::size_t k = 0; k < std::min(inner, piece); ++k) in_offsets[k] = k * (in_place ? b.row : pitch);
  for (std::size_t m = 0; m < max_m; ++m) c_offsets[m] = m * c.row, edge_offsets[m] = m * max_strip * lanes;
  Tensor panel = Tensor::from_shape({in_place ? 0 : std::min(inner, piece) * pitch});
  Scalar edge[max_m * max_strip * lanes];  // takes the tile that is not as it is in c
  const Scalar zero[max_m] = {};
  for (std::size_t k = 0; k < inner; k += piece) {
    const std::size_t size = std::min(piece, inner - k);
    if (!in_place) pack_panel(b, k, size, j, width, panel.data());
    const bool add = accumulate || k > 0;
    for_pieces(registers, strip, [&](std::size_t q, std::size_t p) {
      const std::size_t column = q * lanes, beyond = q + p == registers ? pad : 0, before = in_place ? beyond : 0;
      const bool whole = beyond == 0 && c.column == 1;
      for_pieces(end - begin, max_m, [&](std::size_t m, std::size_t count) {
        const std::size_t row = begin + m;
        kernel<Tile, max_m, max_strip>(
            count, p)({.a = a.data + row * a.row + k * a.column,
                       .a_m = a.row,
                       .a_k = a.column,
                       .inner = size,
                       .in = in_place ? b.data + k * b.row + j + column - before : panel.data() + column,
                       .in_offsets = in_offsets,
                       .in_step = lanes,
                       .out = whole ? c.data + row * c.row + j + column : edge,
                       .out_offsets = whole ? c_offsets : edge_offsets,
                       .out_step = lanes,
                       .start = add && whole ? nullptr : zero,
                       .ahead = in_place && count > 1});
        if (whole) return;
        for (std::size_t i = 0; i < count; ++i)
          for (std::size_t l = 0; l < p * lanes - beyond; ++l)
            put(c, row + i, j + column + l, edge[edge_offsets[i] + before + l], add);
      });
    });
  }
}

// The same for a few rows of a and columns of b that are contiguous: both are read along k, as no panel can. The order
// of a sum depends on the number of rows and k, and on no cut.
void multiply_along(std::size_t rows, std::size_t j, std::size_t width, std::size_t inner, Matrix a, Matrix b,
                    Strided<Scalar> c, bool accumulate) {
  Tensor copy = Tensor::from_shape({a.column == 1 ? 0 : rows * inner});
  if (a.column != 1) {
    for (std::size_t m = 0; m < rows; ++m)
      for (std::size_t k = 0; k < inner; ++k) copy.data()[m * inner + k] = a.data[m * a.row + k * a.column];
    a = {copy.data(), inner, 1};
  }
  const std::size_t piece = near_a / rows / lanes * lanes;
  std::size_t in_offsets[max_strip];
  for (std::size_t p = 0; p < max_strip; ++p) in_offsets[p] = p * b.column;
  for (std::size_t k = 0; k < inner; k += piece) {
    const std::size_t size = std::min(piece, inner - k), whole = size - size % lanes;
    for_pieces(width, widest_strip(rows), [&](std::size_t q, std::size_t columns) {
      for_pieces(rows, max_m, [&](std::size_t row, std::size_t count) {
        const Scalar *from = a.data + row * a.row + k, *in = b.data + (j + q) * b.column + k;
        Scalar sums[tile_registers * lanes] = {};
        kernel<Dot, max_m, max_strip>(count, columns)({.a = from,
                                                       .a_step = a.row,
                                                       .a_row = 0,
                                                       .in = in,
                                                       .in_offsets = in_offsets,
                                                       .in_row = 0,
                                                       .in_step = lanes,
                                                       .rows = 1,
                                                       .columns = size / lanes,
                                                       .out = sums,
                                                       .out_step = columns * lanes});
        const Scalar* sum = sums;
        for (std::size_t m = 0; m < count; ++m)
          for (std::size_t p = 0; p < columns; ++p, sum += lanes) {
            Scalar total = sum_lanes(load(sum));
            for (std::size_t l = whole; l < size; ++l) total += from[m * a.row + l] * in[p * b.column + l];
            put(c, row + m, j + q + p, total, accumulate || k > 0);
          }
      });
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
  std::size_t m = shape[shape.size() - 2], n = shape.back();
  const std::size_t k = a.shape(a.dimension() - (options.transpose_a ? 2 : 1));
  if (c.size() == 0) return;
  if (k == 0) {
    if (!options.accumulate) std::fill_n(c.data(), c.size(), Scalar(0));
    return;
  }
  const auto matrix = [](const Tensor& x, bool transposed) {
    const Matrix whole{x.data(), x.shape().back(), 1};
    return transposed ? whole.transposed() : whole;
  };
  Matrix first_a = matrix(a, options.transpose_a), first_b = matrix(b, options.transpose_b);
  Strided<Scalar> first_c{c.data(), n, 1};
  const Shape batch = batch_shape(shape);
  const auto offsets = [&](const Tensor& x) {  // of the matrices of a broadcast batch, in matrices
    if (batch.empty()) return std::vector<std::size_t>{0};
    return strided_offsets(batch, broadcast_strides(batch_shape(x.shape()), batch));
  };
  auto a_offsets = offsets(a), b_offsets = offsets(b);
  if (n <= few_columns && n < m && k >= long_k * n) {  // few columns are few rows of the transposed product
    std::swap(m, n), std::swap(first_a, first_b), std::swap(a_offsets, b_offsets);
    first_a = first_a.transposed(), first_b = first_b.transposed(), first_c = first_c.transposed();
  }

  // Panels of columns are independent of each other: as many for each thread. Where they are fewer, rows are cut too.
  const bool few = m <= few_rows, along = few && first_b.row == 1 && k >= long_k * m;
  const std::size_t threads = static_cast<std::size_t>(num_threads()), registers = divide_up(n, lanes);
  const std::size_t strips = divide_up(registers, few ? widest_strip(m) : max_p);
  const std::size_t panels =
      few ? std::min(strips, threads) : std::min(divide_up(strips, threads) * threads, registers);
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
      const Strided<Scalar> out{first_c.data + i * m * n, first_c.row, first_c.column};
      if (along)
        multiply_along(m, j, end - j, k, left, right, out, options.accumulate);
      else
        multiply_panel(m * block / blocks, m * (block + 1) / blocks, j, end - j, k, left, right, out,
                       options.accumulate, few);
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
