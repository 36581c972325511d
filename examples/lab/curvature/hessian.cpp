#include "hessian.h"

#include <xgrad/autograd/ops.h>

namespace lab {

using namespace xgrad;

Hessian::Hessian(const NamedVariables& parameters, const Variable& loss) {
  for (const auto& [name, one] : parameters) parameters_.push_back(one);
  gradients_ = grad(loss, parameters_, {.create_graph = true});
  gradient_ = flatten(gradients_);
}

Vector Hessian::operator()(const Vector& v) const {
  Variable product;
  auto next = v.begin();
  for (const Variable& one : gradients_) {
    Tensor part = Tensor::from_shape(one.shape());
    for (Scalar& element : part) element = static_cast<Scalar>(*next++);
    const Variable term = sum(one * Variable(std::move(part)));
    product = product ? product + term : term;
  }
  return flatten(grad(product, parameters_, {.retain_graph = true, .allow_unused = true}));
}

}  // namespace lab
