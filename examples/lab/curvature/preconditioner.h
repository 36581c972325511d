// What Adam and Adamax measure the weights in.
#pragma once

#include <xgrad/optim/optimizer.h>

#include <cstddef>

#include "vectors.h"

namespace lab {

/// The diagonal of P after step t, for which that step was θ -= lr m / P, element by element in the order of flatten():
/// (1 - β₁ᵗ) (√v̂ + ε) for Adam and (1 - β₁ᵗ) u for Adamax (Cohen et al. 2022, section 2), without the first factor and
/// with v for v̂ where there is no bias correction. β₂, ε and the dialect are those by default. ValueError for
/// another optimizer.
Vector preconditioner(const xgrad::optim::Optimizer& optimizer, std::size_t t, double beta1, bool corrected);

}  // namespace lab
