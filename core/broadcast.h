// NumPy's broadcasting, and the strided loops that slicing and transposing are made of.
#pragma once

#include <xgrad/core/parallel.h>
#include <xgrad/core/tensor.h>

#include <string_view>
#include <type_traits>
#include <vector>

namespace xgrad {

using Strides = std::vector<std::size_t>;  // elements from one index to the next, a dimension each; 0 repeats

/// The shape to which both broadcast: dimensions are aligned at the end, and 1 stretches.
/// ShapeError, in the name of `operation`, where they do not fit.
Shape broadcast_shapes(std::string_view operation, const Shape& a, const Shape& b);

/// The strides of a dense row-major array.
Strides dense_strides(const Shape& shape);

/// The strides with which an array of shape `from` is read as if it had the shape `to`, to which it must broadcast.
Strides broadcast_strides(const Shape& from, const Shape& to);

/// sum(index * stride) for each index of the shape, in row-major order.
std::vector<std::size_t> strided_offsets(const Shape& shape, const Strides& strides);

/// Reads an array of this shape at source[offset + sum(index * stride)].
Tensor gather_strided(const Tensor& source, std::size_t offset, const Shape& shape, const Strides& strides);
/// The reverse: writes `values` at target[offset + sum(index * stride)].
void scatter_strided(const Tensor& values, Tensor& target, std::size_t offset, const Strides& strides);

Tensor broadcast_to(const Tensor& x, const Shape& shape);

namespace detail {
/// Two operands cut into rows that each steps through one by one, or stands still in.
struct Rows {
  Rows(const Shape& a_shape, const Shape& b_shape, const Shape& result);
  std::size_t length = 1;
  bool a_steps = true, b_steps = true;
  std::vector<std::size_t> a, b;  // where each row begins
};

template <bool a_steps, bool b_steps, class F>
void apply_row(const Scalar* a, const Scalar* b, Scalar* out, std::size_t size, F f) {
  for (std::size_t i = 0; i < size; ++i) out[i] = f(a[a_steps ? i : 0], b[b_steps ? i : 0]);
}
}  // namespace detail

/// f(a, b) for each pair of elements, broadcasting.
template <class F>
Tensor zip_elements(std::string_view operation, const Tensor& a, const Tensor& b, F f) {
  using detail::apply_row;
  if (a.shape() == b.shape()) {
    Tensor out = Tensor::from_shape(a.shape());
    for_elements(out.size(), [&](std::size_t begin, std::size_t end) {
      apply_row<true, true>(a.data() + begin, b.data() + begin, out.data() + begin, end - begin, f);
    });
    return out;
  }
  Tensor out = uninitialized(broadcast_shapes(operation, a.shape(), b.shape()), operation);
  const detail::Rows rows(a.shape(), b.shape(), out.shape());
  const auto apply =
      rows.a_steps ? rows.b_steps ? apply_row<true, true, F> : apply_row<true, false, F> : apply_row<false, true, F>;
  for (std::size_t row = 0; row < rows.a.size(); ++row)
    apply(a.data() + rows.a[row], b.data() + rows.b[row], out.data() + row * rows.length, rows.length, f);
  return out;
}

/// f(x) for each element.
template <class F>
Tensor map_elements(const Tensor& x, F f) {
  Tensor out = Tensor::from_shape(x.shape());
  for_elements(x.size(), [&, from = x.data(), to = out.data()](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) to[i] = f(from[i]);
  });
  return out;
}

}  // namespace xgrad
