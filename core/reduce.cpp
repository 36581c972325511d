#include <xgrad/core/errors.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/reduce.h>
#include <xgrad/core/simd.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace xgrad {
namespace {

constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
using std::isnan;  // of numbers, beside that of registers

// x read as (outer, count, inner), with `count` reduced.
struct Extents {
  std::size_t outer, count, inner;
};

// Independent partial sums, so that the loop runs in SIMD registers.
double sum_row(const Scalar* x, std::size_t count) {
  constexpr std::size_t lanes = 16;
  double partial[lanes] = {};
  const std::size_t whole = count - count % lanes;
  for (std::size_t i = 0; i < whole; i += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane) partial[lane] += static_cast<double>(x[i + lane]);
  for (std::size_t i = whole; i < count; ++i) partial[0] += static_cast<double>(x[i]);
  double total = 0;
  for (double value : partial) total += value;
  return total;
}

void sum_axis(const Scalar* x, Scalar* out, Extents e) {
  parallel_for(e.outer, (std::size_t{1} << 15) / (e.count * e.inner + 1) + 1, [=](std::size_t begin, std::size_t end) {
    std::vector<double> row(e.inner == 1 ? 0 : e.inner);
    for (std::size_t o = begin; o < end; ++o) {
      const Scalar* from = x + o * e.count * e.inner;
      if (e.inner == 1) {
        out[o] = static_cast<Scalar>(sum_row(from, e.count));
        continue;
      }
      std::fill(row.begin(), row.end(), 0.0);
      for (std::size_t i = 0; i < e.count; ++i)
        for (std::size_t j = 0; j < e.inner; ++j) row[j] += static_cast<double>(from[i * e.inner + j]);
      for (std::size_t j = 0; j < e.inner; ++j) out[o * e.inner + j] = static_cast<Scalar>(row[j]);
    }
  });
}

// to[i] = the better of from[i] and to[i]: better(new, old), for numbers and for registers, is true for a new NaN.
template <class Better>
void keep_better(const Scalar* from, Scalar* to, std::size_t size, Better better) {
  const std::size_t whole = size - size % register_size;
  for (std::size_t i = 0; i < whole; i += register_size) {
    const Register a = load(from + i), b = load(to + i);
    store(select(better(a, b), a, b), to + i);
  }
  for (std::size_t i = whole; i < size; ++i) to[i] = better(from[i], to[i]) ? from[i] : to[i];
}

// So many rows at a time that registers are full, and in the end one half of these with the other.
template <class Better>
void select_axis(const Scalar* x, Scalar* out, Extents e, Scalar of_nothing, Better better) {
  if (e.count == 0) {
    std::fill_n(out, e.outer * e.inner, of_nothing);
    return;
  }
  parallel_for(e.outer, (std::size_t{1} << 15) / (e.count * e.inner + 1) + 1, [=](std::size_t begin, std::size_t end) {
    const std::size_t rows = e.inner < 8 * register_size ? (16 / (e.inner + 1) + 1) * register_size : 1;
    const std::size_t most = std::min(e.count, rows);
    std::vector<Scalar> kept(most * e.inner);
    for (std::size_t o = begin; o < end; ++o) {
      const Scalar* from = x + o * e.count * e.inner;
      std::copy_n(from, kept.size(), kept.data());
      for (std::size_t i = most; i < e.count; i += most)
        keep_better(from + i * e.inner, kept.data(), std::min(most, e.count - i) * e.inner, better);
      for (std::size_t left = most; left > 1; left -= left / 2)
        keep_better(kept.data() + (left - left / 2) * e.inner, kept.data(), left / 2 * e.inner, better);
      std::copy_n(kept.data(), e.inner, out + o * e.inner);
    }
  });
}

// Reduces each run of neighbouring marked dimensions in turn, the last first.
template <class Kernel>
Tensor reduce(const Tensor& x, const std::vector<bool>& reduced, Kernel kernel) {
  Tensor result;
  const Tensor* source = &x;
  for (std::size_t end = reduced.size(); end > 0;) {
    if (!reduced[end - 1]) {
      --end;
      continue;
    }
    std::size_t begin = end;
    while (begin > 0 && reduced[begin - 1]) --begin;
    Shape shape = source->shape();
    Extents e{1, 1, 1};
    for (std::size_t d = 0; d < shape.size(); ++d) (d < begin ? e.outer : d < end ? e.count : e.inner) *= shape[d];
    for (std::size_t d = begin; d < end; ++d) shape[d] = 1;
    Tensor next = Tensor::from_shape(shape);
    kernel(source->data(), next.data(), e);
    result = std::move(next);
    source = &result;
    end = begin;
  }
  return source == &x ? x : result;
}

}  // namespace

std::size_t checked_axis(std::string_view operation, std::ptrdiff_t axis, const Shape& shape) {
  const auto rank = static_cast<std::ptrdiff_t>(shape.size());
  if (axis < -rank || axis >= rank)
    throw ShapeError(message("[", operation, "] axis ", axis, " is out of range for the shape ", shape));
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

std::vector<bool> Axes::mask(std::string_view operation, const Shape& shape) const {
  if (axes_.empty()) return std::vector<bool>(shape.size(), true);
  std::vector<bool> reduced(shape.size(), false);
  for (std::ptrdiff_t axis : axes_) {
    const std::size_t d = checked_axis(operation, axis, shape);
    if (reduced[d]) throw ShapeError(message("[", operation, "] axis ", axis, " is named twice for the shape ", shape));
    reduced[d] = true;
  }
  return reduced;
}

Shape reduced_shape(const Shape& shape, const std::vector<bool>& reduced, bool keepdims) {
  Shape result;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (!reduced[d])
      result.push_back(shape[d]);
    else if (keepdims)
      result.push_back(1);
  }
  return result;
}

Tensor reduce_sum(const Tensor& x, const std::vector<bool>& reduced) { return reduce(x, reduced, sum_axis); }

Tensor reduce_max(const Tensor& x, const std::vector<bool>& reduced) {
  return reduce(x, reduced, [](const Scalar* from, Scalar* to, Extents e) {
    select_axis(from, to, e, -infinity, [](auto a, auto b) { return a > b || isnan(a); });
  });
}

Tensor reduce_min(const Tensor& x, const std::vector<bool>& reduced) {
  return reduce(x, reduced, [](const Scalar* from, Scalar* to, Extents e) {
    select_axis(from, to, e, infinity, [](auto a, auto b) { return a < b || isnan(a); });
  });
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  std::vector<bool> reduced(x.dimension(), true);
  const std::size_t added = x.dimension() - shape.size();
  for (std::size_t d = 0; d < shape.size(); ++d) reduced[added + d] = shape[d] == 1 && x.shape(added + d) != 1;
  Tensor result = reduce_sum(x, reduced);
  result.reshape(shape);
  return result;
}

}  // namespace xgrad
