#include <xgrad/autograd/indexing.h>
#include <xgrad/autograd/selection.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/reduce.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace xgrad {
namespace {

// NaN is above all numbers, also where the smallest are looked for first.
bool above(Scalar a, Scalar b) { return a > b || (a != a && b == b); }

// The positions of the first k along dimension d, in the order of `before`.
template <class Before>
IndexTensor first_positions(const Tensor& x, std::size_t d, std::size_t k, Before before) {
  Shape shape(x.shape().begin(), x.shape().end());
  const std::size_t size = shape[d];
  const std::size_t inner = element_count(Shape(shape.begin() + static_cast<std::ptrdiff_t>(d) + 1, shape.end()));
  shape[d] = k;
  IndexTensor positions = IndexTensor::from_shape(shape);
  std::vector<std::int64_t> order(size);
  for (std::size_t line = 0; k > 0 && line < positions.size() / k; ++line) {
    const std::size_t block = line / inner, i = line % inner;
    const Scalar* elements = x.data() + block * size * inner + i;
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
                      [&](std::int64_t a, std::int64_t b) {
                        const Scalar left = elements[static_cast<std::size_t>(a) * inner],
                                     right = elements[static_cast<std::size_t>(b) * inner];
                        return before(left, right) || (!before(right, left) && a < b);
                      });
    for (std::size_t j = 0; j < k; ++j) positions.data()[(block * k + j) * inner + i] = order[j];
  }
  return positions;
}

IndexTensor extreme_position(std::string_view operation, const Variable& x, std::ptrdiff_t axis, bool largest) {
  const std::size_t d = checked_axis(operation, axis, x.shape());
  if (x.shape()[d] == 0)
    throw ValueError(message("[", operation, "] nothing to choose from along axis ", axis, " of ", x.shape()));
  const auto before = [largest](Scalar a, Scalar b) {
    return largest ? above(a, b) : (a < b || (a != a && b == b));  // NaN is the answer to either question
  };
  IndexTensor positions = first_positions(x.value(), d, 1, before);
  std::vector<bool> reduced(x.shape().size(), false);
  reduced[d] = true;
  positions.reshape(reduced_shape(x.shape(), reduced, false));
  return positions;
}

}  // namespace

Variable detail::compare(const Variable& a, const Variable& b, Order order) {
  return Variable(zip_elements("compare", a.value(), b.value(), [order](Scalar x, Scalar y) {
    switch (order) {
      case Order::less:
        return Scalar(x < y);
      case Order::less_equal:
        return Scalar(x <= y);
      case Order::greater:
        return Scalar(x > y);
      default:
        return Scalar(x >= y);
    }
  }));
}

IndexTensor argmax(const Variable& x, std::ptrdiff_t axis) { return extreme_position("argmax", x, axis, true); }
IndexTensor argmin(const Variable& x, std::ptrdiff_t axis) { return extreme_position("argmin", x, axis, false); }

Chosen topk(const Variable& x, std::size_t k, std::ptrdiff_t axis, bool largest) {
  const std::size_t d = checked_axis("topk", axis, x.shape());
  if (k > x.shape()[d])
    throw ValueError(message("[topk] expected at most ", x.shape()[d], " along axis ", axis, ", got ", k));
  IndexTensor positions = largest ? first_positions(x.value(), d, k, above)
                                  : first_positions(x.value(), d, k, [](Scalar a, Scalar b) { return above(b, a); });
  Variable values = gather(x, axis, positions);
  return {std::move(values), std::move(positions)};
}

Chosen sort(const Variable& x, std::ptrdiff_t axis, bool descending) {
  return topk(x, x.shape()[checked_axis("sort", axis, x.shape())], axis, descending);
}

Tensor one_hot(const IndexTensor& positions, std::size_t classes) {
  Shape shape(positions.shape().begin(), positions.shape().end());
  shape.push_back(classes);
  Tensor result = zeros(shape, "one_hot");
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const std::int64_t position = positions.data()[i];
    if (position < 0 || position >= static_cast<std::int64_t>(classes))
      throw ValueError(message("[one_hot] expected positions from 0 to below ", classes, ", got ", position));
    result.data()[i * classes + static_cast<std::size_t>(position)] = 1;
  }
  return result;
}

Tensor arange(double begin, double end, double step) {
  if (step == 0 || !std::isfinite(begin) || !std::isfinite(end) || !std::isfinite(step))
    throw ValueError(
        message("[arange] expected finite numbers and a step other than 0, got ", begin, ", ", end, ", ", step));
  const double count = std::max(0.0, std::ceil((end - begin) / step));
  if (count > 0x1p53) throw ValueError(message("[arange] ", count, " numbers are too many"));
  Tensor result = uninitialized({static_cast<std::size_t>(count)}, "arange");
  for (std::size_t i = 0; i < result.size(); ++i)
    result.data()[i] = static_cast<Scalar>(begin + static_cast<double>(i) * step);
  return result;
}

}  // namespace xgrad
