#include <xgrad/autograd/elementwise.h>
#include <xgrad/autograd/reductions.h>
#include <xgrad/autograd/shapes.h>
#include <xgrad/autograd/unary.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/simd.h>

namespace xgrad {
namespace {

Tensor with_shape(Tensor x, const Shape& shape) {
  x.reshape(shape);
  return x;
}

std::size_t reduced_count(const Shape& shape, const std::vector<bool>& reduced) {
  std::size_t count = 1;
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (reduced[d]) count *= shape[d];
  return count;
}

Attributes attributes_of(const std::vector<bool>& reduced, bool keepdims) {
  std::vector<std::size_t> axes;
  for (std::size_t d = 0; d < reduced.size(); ++d)
    if (reduced[d]) axes.push_back(d);
  return attributes("axes", axes, "keepdims", keepdims);
}

// The largest elements, by which others are shifted or scaled, unless they are 0 or not finite: infinity less infinity
// is NaN, and so is 0 divided by 0.
Tensor finite_or(Scalar otherwise, const Tensor& largest) {
  return map_elements(largest, [=](Scalar v) { return v - v == 0 && v != 0 ? v : otherwise; });
}

// max and min: the gradient goes to the extremes, in equal shares.
Variable extreme(std::string_view operation, const Variable& x, const Axes& axes, bool keepdims,
                 Tensor (*reduce)(const Tensor&, const std::vector<bool>&)) {
  const std::vector<bool> reduced = axes.mask(operation, x.shape());
  const Shape kept = reduced_shape(x.shape(), reduced, true);
  if (reduced_count(x.shape(), reduced) == 0)
    throw ValueError(message("[", operation, "] nothing to reduce: the shape is ", x.shape()));
  Tensor value = with_shape(reduce(x.value(), reduced), reduced_shape(x.shape(), reduced, keepdims));
  const auto backward = [reduced, kept](const Variable& y, const Variable& g) {
    const Tensor chosen = zip_elements(
        "max", y.input(0).value(), with_shape(y.value(), kept),
        [](Scalar element, Scalar best) { return Scalar(element == best || (element != element && best != best)); });
    const Variable share(zip_elements("max", chosen, reduce_sum(chosen, reduced), std::divides<>()));
    return std::vector{reshape(g, kept) * share};
  };
  return record(operation, std::move(value), {x}, backward, attributes_of(reduced, keepdims));
}

// Sums so far along dimension d, from the begin or from the end: each is the transpose of the other.
Variable running_sum(const Variable& x, std::size_t d, bool from_end) {
  const Shape& shape = x.shape();
  const auto axis = shape.begin() + static_cast<std::ptrdiff_t>(d);
  const std::size_t inner = element_count(Shape(axis + 1, shape.end())), block = inner * *axis;
  Tensor value = Tensor::from_shape(shape);
  for (std::size_t begin = 0; begin < x.size(); begin += block)
    for (std::size_t i = 0; i < inner; ++i) {
      double total = 0;
      for (std::size_t k = 0; k < *axis; ++k) {
        const std::size_t at = begin + (from_end ? *axis - 1 - k : k) * inner + i;
        value.data()[at] = static_cast<Scalar>(total += static_cast<double>(x.value().data()[at]));
      }
    }
  const auto backward = [d, from_end](const Variable&, const Variable& g) {
    return std::vector{running_sum(g, d, !from_end)};
  };
  return record("cumsum", std::move(value), {x}, backward, attributes("axis", d, "reverse", from_end));
}

}  // namespace

Variable prod(const Variable& x, const Axes& axes, bool keepdims) {
  const std::vector<bool> reduced = axes.mask("prod", x.shape());
  std::vector<std::ptrdiff_t> order;
  for (const bool first : {true, false})
    for (std::size_t d = 0; d < reduced.size(); ++d)
      if (reduced[d] == first) order.push_back(static_cast<std::ptrdiff_t>(d));
  const Shape shape = reduced_shape(x.shape(), reduced, keepdims);
  std::size_t count = reduced_count(x.shape(), reduced);
  if (count == 0) return Variable(ones(shape));
  // The first half times the second, again and again: nothing is divided by, as a quotient of the product would be.
  Variable y = reshape(transpose(x, order), {count, element_count(shape)});
  for (; count > 1; count = y.shape()[0]) {
    const std::size_t half = count / 2;
    Variable pairs = slice(y, 0, 0, half) * slice(y, 0, half, 2 * half);
    y = count % 2 == 0 ? pairs : concatenate({pairs, slice(y, 0, count - 1, count)});
  }
  return reshape(y, shape);
}

Variable cumsum(const Variable& x, std::ptrdiff_t axis) {
  return running_sum(x, checked_axis("cumsum", axis, x.shape()), false);
}

Variable sum(const Variable& x, const Axes& axes, bool keepdims) {
  const std::vector<bool> reduced = axes.mask("sum", x.shape());
  const Shape kept = reduced_shape(x.shape(), reduced, true);
  Tensor value = with_shape(reduce_sum(x.value(), reduced), reduced_shape(x.shape(), reduced, keepdims));
  const auto backward = [kept](const Variable& y, const Variable& g) {
    return std::vector{broadcast_to(reshape(g, kept), y.input(0).shape())};
  };
  return record("sum", std::move(value), {x}, backward, attributes_of(reduced, keepdims));
}

Variable mean(const Variable& x, const Axes& axes, bool keepdims) {
  const std::size_t count = reduced_count(x.shape(), axes.mask("mean", x.shape()));
  if (count == 0) throw ValueError(message("[mean] nothing to reduce: the shape is ", x.shape()));
  return sum(x, axes, keepdims) / static_cast<double>(count);
}

Variable max(const Variable& x, const Axes& axes, bool keepdims) {
  return extreme("max", x, axes, keepdims, reduce_max);
}

Variable min(const Variable& x, const Axes& axes, bool keepdims) {
  return extreme("min", x, axes, keepdims, reduce_min);
}

Variable variance(const Variable& x, const Axes& axes, bool keepdims, double correction) {
  const auto count = static_cast<double>(reduced_count(x.shape(), axes.mask("variance", x.shape())));
  if (!(count > correction))
    throw ValueError(message("[variance] expected more than ", correction, " elements to reduce, got ", count));
  return sum(square(x - mean(x, axes, true)), axes, keepdims) / (count - correction);
}

Variable norm(const Variable& x, const Axes& axes, bool keepdims) {
  const std::vector<bool> reduced = axes.mask("norm", x.shape());
  const Shape kept = reduced_shape(x.shape(), reduced, true);
  const Tensor scale = finite_or(1, reduce_max(map_elements(x.value(), [](Scalar v) { return std::abs(v); }), reduced));
  const Tensor scaled = zip_elements("norm", x.value(), scale, std::divides<>());
  const Tensor squares = reduce_sum(map_elements(scaled, [](Scalar v) { return v * v; }), reduced);
  Tensor value = zip_elements("norm", scale, squares, [](Scalar s, Scalar total) { return s * std::sqrt(total); });
  return record(
      "norm", with_shape(std::move(value), reduced_shape(x.shape(), reduced, keepdims)), {x},
      [kept](const Variable& y, const Variable& g) {  // x / norm(x), and 0 where that is 0
        const Variable length = reshape(y, kept), zero(zeros({}));
        const Variable positive(map_elements(length.value(), [](Scalar v) { return Scalar(v != 0); }));
        return std::vector{where(positive, reshape(g, kept) / where(positive, length, 1 + zero), zero) * y.input(0)};
      },
      attributes_of(reduced, keepdims));
}

Variable vector_norm(const Variable& x, double p, const Axes& axes, bool keepdims) {
  const std::vector<bool> reduced = axes.mask("vector_norm", x.shape());
  if (!(p >= 1)) throw ValueError(message("[vector_norm] expected p >= 1, got ", p));
  if (p == 1) return sum(abs(x), axes, keepdims);
  if (p == 2) return norm(x, axes, keepdims);
  if (std::isinf(p)) return max(abs(x), axes, keepdims);
  // scale norm(x / scale) does not depend on the scale, which is therefore a constant to gradients of every order.
  const Variable size = abs(x), scale(finite_or(1, reduce_max(size.value(), reduced))), zero(zeros({}));
  const Variable total = sum(pow(size / scale, p), axes, true);
  const Variable positive(map_elements(total.value(), [](Scalar v) { return Scalar(v != 0); }));
  const Variable root = where(positive, pow(where(positive, total, 1 + zero), 1 / p), zero);
  return reshape(scale * root, reduced_shape(x.shape(), reduced, keepdims));
}

Variable logsumexp(const Variable& x, const Axes& axes, bool keepdims) {
  const std::vector<bool> reduced = axes.mask("logsumexp", x.shape());
  const Shape kept = reduced_shape(x.shape(), reduced, true);
  const Tensor shift = finite_or(0, reduce_max(x.value(), reduced));
  const Tensor shifted = zip_elements("logsumexp", x.value(), shift, std::minus<>());
  const Tensor total = reduce_sum(map_registers(shifted, [](Register v) { return exp(v); }), reduced);
  Tensor value =
      zip_elements("logsumexp", map_registers(total, [](Register v) { return log(v); }), shift, std::plus<>());
  return record(
      "logsumexp", with_shape(std::move(value), reduced_shape(x.shape(), reduced, keepdims)), {x},
      [kept](const Variable& y, const Variable& g) {
        return std::vector{reshape(g, kept) * exp(y.input(0) - reshape(y, kept))};
      },
      attributes_of(reduced, keepdims));
}

Variable sum_to(const Variable& x, const Shape& shape) {
  if (shape.size() > x.shape().size() || broadcast_shapes("sum_to", x.shape(), shape) != x.shape())
    throw ShapeError(message("[sum_to] ", shape, " does not broadcast to ", x.shape()));
  return record("sum_to", sum_to(x.value(), shape), {x},
                [](const Variable& y, const Variable& g) { return std::vector{broadcast_to(g, y.input(0).shape())}; });
}

}  // namespace xgrad
