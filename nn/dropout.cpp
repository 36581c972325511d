#include <xgrad/autograd/arithmetic.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/dropout.h>

namespace xgrad::nn {

Dropout::Dropout(double p) : p_(p) {
  if (!(p >= 0 && p < 1)) throw ValueError(message("[dropout] expected p in [0, 1), got ", p));
}

Variable Dropout::drop(const Variable& x, const Shape& shape) const {
  if (!training() || p_ == 0) return x;
  const auto p = static_cast<Scalar>(p_), scale = static_cast<Scalar>(1 / (1 - p_));
  const Tensor draws = default_generator().uniform(shape, 0, 1);
  return x * Variable(map_elements(draws, [=](Scalar draw) { return draw < p ? Scalar(0) : scale; }));
}

Variable Dropout::forward(const Variable& x) { return drop(x, x.shape()); }

Variable Dropout2d::forward(const Variable& x) {
  if (x.shape().size() != 4) throw ShapeError(message("[dropout2d] expected (N, C, H, W), got ", x.shape()));
  return drop(x, {x.shape()[0], x.shape()[1], 1, 1});
}

}  // namespace xgrad::nn
