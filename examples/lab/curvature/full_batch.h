// Training on the same samples in every step, with the curvature of the loss along the way.
#pragma once

#include <xgrad/core/tensor.h>
#include <xgrad/datasets/dataset.h>
#include <xgrad/nn/sequential.h>
#include <xgrad/optim/optimizer.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "vectors.h"

namespace lab {

/// Digits of 14 x 14 pixels (means of 2 x 2), a network 196-32-10 with tanh, and as the loss the squared error, summed
/// over the classes, mean over the samples.
struct FullBatch {
  FullBatch(const xgrad::datasets::Dataset& digits, std::uint64_t seed);
  xgrad::Variable loss();

  xgrad::Variable images;   ///< (N, 196)
  xgrad::Variable targets;  ///< (N, 10), one-hot
  xgrad::nn::Sequential model;
  xgrad::NamedVariables parameters;
};

/// What was seen along the way.
struct Curved {
  std::vector<double> losses, gradient_norms;  ///< before each step; ends where one is not finite
  std::vector<double> steps, raw;              ///< at some steps: the largest eigenvalue of the Hessian after it …
  std::vector<double> preconditioned;          ///< … and of P^-1/2 H P^-1/2, if there is a P
  std::size_t products = 0;                    ///< Hessian times vector
  double worst_residual = 0;                   ///< largest residual of an eigenvalue, as a share of it
};

struct FollowOptions {
  std::size_t steps, looks;  ///< so many steps, and so many looks at the curvature, evenly spaced
  /// The diagonal of P after so many steps; none for P = 1.
  std::function<Vector(const xgrad::optim::Optimizer&, std::size_t)> preconditioner = {};
  std::function<void(double)> progress;
};
Curved follow(FullBatch& batch, xgrad::optim::Optimizer& optimizer, const FollowOptions& options);

}  // namespace lab
