#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>

#include <algorithm>

namespace xgrad {
namespace {

// Calls f(offset) for the begin of each innermost row, in row-major order.
template <class F>
void for_each_row(std::size_t offset, const Shape& shape, const Strides& strides, F f) {
  if (element_count(shape) == 0) return;
  std::vector<std::size_t> index(shape.size(), 0);
  while (true) {
    f(offset);
    std::size_t d = shape.size() - 1;
    while (d-- > 0) {
      offset += strides[d];
      if (++index[d] < shape[d]) break;
      offset -= strides[d] * index[d];
      index[d] = 0;
    }
    if (d >= shape.size()) return;  // every dimension has turned over
  }
}

}  // namespace

Shape broadcast_shapes(std::string_view operation, const Shape& a, const Shape& b) {
  const Shape &longer = a.size() >= b.size() ? a : b, &shorter = a.size() >= b.size() ? b : a;
  Shape result = longer;
  const std::size_t added = longer.size() - shorter.size();
  for (std::size_t d = 0; d < shorter.size(); ++d) {
    std::size_t& size = result[added + d];
    if (size == 1)
      size = shorter[d];
    else if (shorter[d] != 1 && shorter[d] != size)
      throw ShapeError(
          message("[", operation, "] shapes ", a, " and ", b, " do not broadcast: dimensions must agree or be 1"));
  }
  return result;
}

Strides dense_strides(const Shape& shape) { return broadcast_strides(shape, shape); }

Strides broadcast_strides(const Shape& from, const Shape& to) {
  Strides strides(to.size(), 0);
  const std::size_t added = to.size() - from.size();
  std::size_t step = 1;
  for (std::size_t d = from.size(); d-- > 0; step *= from[d])
    if (from[d] != 1) strides[added + d] = step;
  return strides;
}

std::vector<std::size_t> strided_offsets(const Shape& shape, const Strides& strides) {
  if (shape.empty()) return {0};
  std::vector<std::size_t> offsets;
  for_each_row(0, shape, strides, [&](std::size_t begin) {
    for (std::size_t i = 0; i < shape.back(); ++i) offsets.push_back(begin + i * strides[shape.size() - 1]);
  });
  return offsets;
}

Tensor gather_strided(const Tensor& source, std::size_t offset, const Shape& shape, const Strides& strides) {
  Tensor out = uninitialized(shape, "broadcast_to");
  if (shape.empty()) {
    out.data()[0] = source.data()[offset];
    return out;
  }
  Scalar* to = out.data();
  const std::size_t row = shape.back(), step = strides.back();
  for_each_row(offset, shape, strides, [&](std::size_t begin) {
    const Scalar* from = source.data() + begin;
    if (step == 1)
      std::copy_n(from, row, to);
    else
      for (std::size_t i = 0; i < row; ++i) to[i] = from[i * step];
    to += row;
  });
  return out;
}

void scatter_strided(const Tensor& values, Tensor& target, std::size_t offset, const Strides& strides) {
  if (values.dimension() == 0) {
    target.data()[offset] = values.data()[0];
    return;
  }
  const Scalar* from = values.data();
  const std::size_t row = values.shape().back(), step = strides.back();
  for_each_row(offset, values.shape(), strides, [&](std::size_t begin) {
    Scalar* to = target.data() + begin;
    for (std::size_t i = 0; i < row; ++i) to[i * step] = from[i];
    from += row;
  });
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  if (shape.size() < x.dimension() || broadcast_shapes("broadcast_to", x.shape(), shape) != shape)
    throw ShapeError(message("[broadcast_to] ", x.shape(), " does not broadcast to ", shape));
  return gather_strided(x, 0, shape, broadcast_strides(x.shape(), shape));
}

detail::Rows::Rows(const Shape& a_shape, const Shape& b_shape, const Shape& result) {
  const Strides a_strides = broadcast_strides(a_shape, result), b_strides = broadcast_strides(b_shape, result);
  std::size_t d = result.size();  // the dimensions from d on are one row
  while (d > 0) {
    const std::size_t size = result[d - 1];
    if (size != 1) {
      const bool first = length == 1;
      if (first) a_steps = a_strides[d - 1] != 0, b_steps = b_strides[d - 1] != 0;
      if (!first && (a_strides[d - 1] != length * a_steps || b_strides[d - 1] != length * b_steps)) break;
      length *= size;
    }
    --d;
  }
  const Shape outer(result.begin(), result.begin() + static_cast<std::ptrdiff_t>(d));
  a = strided_offsets(outer, a_strides);
  b = strided_offsets(outer, b_strides);
}

}  // namespace xgrad
