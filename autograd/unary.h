// How an operation on one variable is recorded, element by element.
#pragma once

#include <xgrad/autograd/arithmetic.h>
#include <xgrad/autograd/attributes.h>

namespace xgrad {

/// y = f(x), where derivative(x, y) gives dy/dx with differentiable operations.
template <class Derivative>
Variable unary(std::string_view operation, const Variable& x, Tensor value, Derivative derivative,
               Attributes attributes = {}) {
  const auto backward = [derivative](const Variable& y, const Variable& g) {
    return std::vector{g * derivative(y.input(0), y)};
  };
  return record(operation, std::move(value), {x}, backward, std::move(attributes));
}

}  // namespace xgrad
