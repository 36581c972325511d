// The weights of a network as one vector, its loss over all samples, and the Hessian of that.
#pragma once

#include <xgrad/autograd/variable.h>
#include <xgrad/datasets/dataset.h>
#include <xgrad/nn/sequential.h>
#include <xgrad/optim/optimizer.h>

#include "eigen.h"

namespace lab {

Vector weights(const xgrad::NamedVariables& parameters);
void set_weights(const xgrad::NamedVariables& parameters, const Vector& values);
/// a + t (b - a)
Vector between(const Vector& a, const Vector& b, double t);

/// Images and labels of a whole dataset, in one batch.
struct Samples {
  xgrad::Variable images;
  xgrad::IndexTensor labels;
  explicit Samples(const xgrad::datasets::Dataset& data);
};
/// Mean cross entropy.
xgrad::Variable loss(xgrad::nn::Sequential& model, const Samples& samples);
/// Half the squared distance of the scores from 1 for the label and 0 elsewhere, mean over the samples.
xgrad::Variable squared_loss(xgrad::nn::Sequential& model, const Samples& samples);
double loss_at(xgrad::nn::Sequential& model, const Samples& samples, const Vector& weights);

/// Products with the exact Hessian of a loss at the weights as they are: the gradient of grad · v (Pearlmutter 1994).
class Hessian {
 public:
  Hessian(const xgrad::Variable& loss, const xgrad::NamedVariables& parameters);
  Vector operator()(const Vector& v) const;

 private:
  std::vector<xgrad::Variable> parameters_, gradients_;
};

/// What Adam or Adamax divides m̂ by, element by element: √v̂ + ε, or u. Ones for another optimizer.
Vector preconditioner(const xgrad::optim::Optimizer& optimizer, double beta2, double eps);

/// A random direction in which each row of a weight (what feeds one unit) is as long as that row of the weights, and
/// biases stay: filter-wise normalization, Li et al. 2018, section 4.
Vector filter_wise_direction(const xgrad::NamedVariables& parameters, xgrad::Generator& generator);

}  // namespace lab
