#include <xgrad/autograd/shapes.h>
#include <xgrad/core/errors.h>
#include <xgrad/nn/flatten.h>

namespace xgrad::nn {

Variable Flatten::forward(const Variable& x) {
  const Shape& shape = x.shape();
  if (shape.size() < 2) throw ShapeError(message("[flatten] expected two dimensions or more, got ", shape));
  return reshape(x, {shape[0], element_count(Shape(shape.begin() + 1, shape.end()))});
}

}  // namespace xgrad::nn
