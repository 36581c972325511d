// C in tiles (core/tile.h): a few rows of A at a time times a panel of B, which is copied so that its columns lie in
// registers and it stays in the second cache; C is written along its rows. With few rows of A the matrix B, which is
// larger, is not copied: the tile reads it in place where its columns lie side by side. Where they are contiguous in k,
// the transposed product reads them as its rows, or, for fewer rows still, the kernel of dots, whose lanes are parts of
// a sum, takes the tile's place.
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
// A sum over k is cut into pieces of this length. So many numbers of B are packed at a time, and so many rows of A
// multiplied by them, that both stay in the second cache.
constexpr std::size_t max_k = 1024, near_b = std::size_t{1} << 17, near_rows = 32;
// For so many rows the other matrix is read where it is, a few of its rows at a time: to copy a number takes longer
// than to use it. So few columns are rows of the transposed product, where k is so much longer than they are many.
constexpr std::size_t few_rows = 96, few_k = 64, few_columns = 8, long_k = 16;
// Where the other matrix is read along k there have to be fewer, and its columns pass over a part of A that stays near.
constexpr std::size_t along_rows = 6, near_a = 4096;
constexpr std::size_t smallest_task = std::size_t{1} << 18;  // multiply-adds that are worth a thread

// How wide a tile of these rows is: beside its sums it holds a row of B and a number of A.
constexpr std::size_t strip_width(std::size_t rows) {
  return std::min(tile_registers / rows, (tile_registers * 4 / 3 - 1) / (rows + 1));
}
constexpr std::size_t max_strip = strip_width(1), max_edge = (few_rows / max_m * tile_registers + 1) * lanes;
std::size_t widest_strip(std::size_t rows) { return strip_width(divide_up(rows, divide_up(rows, max_m))); }

// For how many rows of a b is read where it is; one that is narrow is packed for more than a few.
std::size_t most_rows(Matrix b, std::size_t columns) {
  return b.column == 1 && columns > max_p * lanes ? few_rows : along_rows;
}

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

// The rows of one tile, from columns of a that lie apart: in a large matrix each is on another page of memory.
void copy_rows(const Scalar* a, std::size_t column, std::size_t size, std::size_t rows, Scalar* copy) {
  for (std::size_t i = 0; i < size; ++i, a += column, copy += rows)
    if (rows == max_m)
      std::copy_n(a, max_m, copy);
    else
      std::copy_n(a, rows, copy);
}

void put(Strided<Scalar> c, std::size_t row, std::size_t column, Scalar value, bool add) {
  Scalar& to = c.data[row * c.row + column * c.column];
  to = add ? to + value : value;
}

// A tile of so many rows and columns that begins at c.data, from where it is row by row. Where c is transposed, as many
// rows as a register has lanes are turned, so that c is written along what is contiguous in it.
void put_tile(Strided<Scalar> c, std::size_t rows, std::size_t columns, const Scalar* tile, std::size_t pitch,
              bool add) {
  const std::size_t turned = c.row == 1 ? rows / lanes * lanes : 0;
  for (std::size_t m = 0; m < turned; m += lanes)
    for (std::size_t p = 0; p < columns; p += lanes) {
      Register block[lanes];
      for (std::size_t i = 0; i < lanes; ++i) block[i] = load(tile + (m + i) * pitch + p);
      transpose(block);
      for (std::size_t l = 0; l < std::min(lanes, columns - p); ++l) {
        Scalar* to = c.data + m + (p + l) * c.column;
        store(add ? load(to) + block[l] : block[l], to);
      }
    }
  for (std::size_t m = turned; m < rows; ++m)
    for (std::size_t l = 0; l < columns; ++l) put(c, m, l, tile[m * pitch + l], add);
}

// Columns [j, j + width) of rows [begin, end) of c, where b is packed, or, with few rows, in place if it can be.
void multiply_panel(std::size_t begin, std::size_t end, std::size_t j, std::size_t width, std::size_t inner, Matrix a,
                    Matrix b, Strided<Scalar> c, bool accumulate, bool few) {
  const std::size_t registers = divide_up(width, lanes), pitch = registers * lanes, pad = pitch - width;
  const std::size_t strip = widest_strip(few ? end - begin : max_m), piece = few ? few_k : max_k,
                    edge_pitch = strip * lanes;
  // Rows at a time, in units that fill both tiles and registers.
  constexpr std::size_t unit = std::max(lanes, max_m);
  const std::size_t block = few ? few_rows : near_rows;
  // A strip in place that would reach beyond the last column begins before its first.
  const bool in_place = few && b.column == 1 && (pad == 0 || j > 0 || registers > strip);
  std::size_t in_offsets[max_k], c_offsets[max_m], edge_offsets[max_m];
  for (std::size_t k = 0; k < std::min(inner, piece); ++k) in_offsets[k] = k * (in_place ? b.row : pitch);
  for (std::size_t m = 0; m < max_m; ++m) c_offsets[m] = m * c.row, edge_offsets[m] = m * edge_pitch;
  Tensor panel = Tensor::from_shape({in_place ? 0 : std::min(inner, piece) * pitch});
  const bool turn_a = a.column != 1 && !few;
  Tensor rows_of_a = Tensor::from_shape({turn_a ? std::min(inner, piece) * block : 0});
  Scalar edge[max_edge];  // takes tiles that are not as they are in c
  const Scalar zero[max_m] = {};
  for (std::size_t k = 0; k < inner; k += piece) {
    const std::size_t size = std::min(piece, inner - k);
    if (!in_place) pack_panel(b, k, size, j, width, panel.data());
    const bool add = accumulate || k > 0;
    for_pieces(divide_up(end - begin, unit), block / unit, [&](std::size_t first, std::size_t units) {
      const std::size_t from = begin + first * unit, rows = std::min(units * unit, end - from);
      if (turn_a)
        for_pieces(rows, max_m, [&](std::size_t m, std::size_t count) {
          copy_rows(a.data + from + m + k * a.column, a.column, size, count, rows_of_a.data() + m * size);
        });
      for_pieces(registers, strip, [&](std::size_t q, std::size_t p) {
        const std::size_t column = q * lanes, beyond = q + p == registers ? pad : 0, before = in_place ? beyond : 0;
        const bool whole = beyond == 0 && c.column == 1;
        for_pieces(rows, max_m, [&](std::size_t m, std::size_t count) {
          const Matrix left = turn_a ? Matrix{rows_of_a.data() + m * size, 1, count}
                                     : Matrix{a.data + (from + m) * a.row + k * a.column, a.row, a.column};
          kernel<Tile, max_m, max_strip>(
              count, p)({.a = left.data,
                         .a_m = left.row,
                         .a_k = left.column,
                         .inner = size,
                         .in = in_place ? b.data + k * b.row + j + column - before : panel.data() + column,
                         .in_offsets = in_offsets,
                         .in_step = lanes,
                         .out = whole ? c.data + (from + m) * c.row + j + column : edge + m * edge_pitch,
                         .out_offsets = whole ? c_offsets : edge_offsets,
                         .out_step = lanes,
                         .start = add && whole ? nullptr : zero,
                         .ahead = in_place && count > 1});
        });
        if (!whole)
          put_tile({c.data + from * c.row + (j + column) * c.column, c.row, c.column}, rows, p * lanes - beyond,
                   edge + before, edge_pitch, add);
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
  // The transposed product, where that has few rows, or where b lies along k and would have to be turned for few.
  const bool few_n = n <= few_columns && n < m && k >= long_k * n && n <= most_rows(first_a.transposed(), m);
  if (few_n || (first_b.column != 1 && along_rows < m && m <= few_rows && m < n)) {
    std::swap(m, n), std::swap(first_a, first_b), std::swap(a_offsets, b_offsets);
    first_a = first_a.transposed(), first_b = first_b.transposed(), first_c = first_c.transposed();
  }

  // Panels of columns are independent of each other: as many for each thread. Where they are fewer, rows are cut too.
  const bool few = m <= most_rows(first_b, n), along = few && first_b.row == 1 && k >= long_k * m;
  const std::size_t threads = static_cast<std::size_t>(num_threads()), registers = divide_up(n, lanes);
  const std::size_t strips = divide_up(registers, few ? widest_strip(m) : max_p);
  const std::size_t near_strips = std::max<std::size_t>(near_b / (std::min(k, max_k) * max_p * lanes), 1);
  std::size_t panels = few ? std::min(strips, threads) : divide_up(strips, near_strips);
  if (panels > threads) panels = std::min(divide_up(panels, threads) * threads, registers);
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
