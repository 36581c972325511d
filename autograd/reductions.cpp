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

// max and min: the gradient goes to the extremes, in equal shares.
Variable extreme(std::string_view operation, const Variable& x, const Axes& axes, bool keepdims,
                 Tensor (*reduce)(const Tensor&, const std::vector<bool>&)) {
  const std::vector<bool> reduced = axes.mask(operation, x.shape());
  const Shape kept = reduced_shape(x.shape(), reduced, true);
  Tensor value = with_shape(reduce(x.value(), reduced), reduced_shape(x.shape(), reduced, keepdims));
  return record(operation, std::move(value), {x}, [reduced, kept](const Variable& y, const Variable& g) {
    const Tensor chosen = zip_elements(
        "max", y.input(0).value(), with_shape(y.value(), kept),
        [](Scalar element, Scalar best) { return Scalar(element == best || (element != element && best != best)); });
    const Variable share(zip_elements("max", chosen, reduce_sum(chosen, reduced), std::divides<>()));
    return std::vector{reshape(g, kept) * share};
  });
}

}  // namespace

Variable sum(const Variable& x, const Axes& axes, bool keepdims) {
  const std::vector<bool> reduced = axes.mask("sum", x.shape());
  const Shape kept = reduced_shape(x.shape(), reduced, true);
  Tensor value = with_shape(reduce_sum(x.value(), reduced), reduced_shape(x.shape(), reduced, keepdims));
  return record("sum", std::move(value), {x}, [kept](const Variable& y, const Variable& g) {
    return std::vector{broadcast_to(reshape(g, kept), y.input(0).shape())};
  });
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

Variable logsumexp(const Variable& x, const Axes& axes, bool keepdims) {
  const std::vector<bool> reduced = axes.mask("logsumexp", x.shape());
  const Shape kept = reduced_shape(x.shape(), reduced, true);
  // The largest element is taken out, unless it is infinite: infinity less infinity is NaN.
  const Tensor shift =
      map_elements(reduce_max(x.value(), reduced), [](Scalar v) { return v - v == 0 ? v : Scalar(0); });
  const Tensor shifted = zip_elements("logsumexp", x.value(), shift, std::minus<>());
  const Tensor total = reduce_sum(map_registers(shifted, [](Register v) { return exp(v); }), reduced);
  Tensor value =
      zip_elements("logsumexp", map_registers(total, [](Register v) { return log(v); }), shift, std::plus<>());
  return record("logsumexp", with_shape(std::move(value), reduced_shape(x.shape(), reduced, keepdims)), {x},
                [kept](const Variable& y, const Variable& g) {
                  return std::vector{reshape(g, kept) * exp(y.input(0) - reshape(y, kept))};
                });
}

Variable sum_to(const Variable& x, const Shape& shape) {
  if (shape.size() > x.shape().size() || broadcast_shapes("sum_to", x.shape(), shape) != x.shape())
    throw ShapeError(message("[sum_to] ", shape, " does not broadcast to ", x.shape()));
  return record("sum_to", sum_to(x.value(), shape), {x},
                [](const Variable& y, const Variable& g) { return std::vector{broadcast_to(g, y.input(0).shape())}; });
}

}  // namespace xgrad
