// The Hessian of a loss, as what it does to vectors.
#pragma once

#include "vectors.h"

namespace lab {

/// At the parameters as they are; it is of no use once they have moved (GraphError). Exact: Pearlmutter 1994.
class Hessian {
 public:
  /// The loss is a scalar that depends on each of the parameters.
  Hessian(const xgrad::NamedVariables& parameters, const xgrad::Variable& loss);
  std::size_t size() const { return gradient_.size(); }
  const Vector& gradient() const { return gradient_; }
  /// H v = d<g, v> / dθ: one more backward pass, through the gradient.
  Vector operator()(const Vector& v) const;

 private:
  std::vector<xgrad::Variable> parameters_, gradients_;
  Vector gradient_;
};

}  // namespace lab
