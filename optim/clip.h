// Clipping of gradients, between backward() and step(). Sparse gradients stay sparse.
#pragma once

#include <xgrad/optim/optimizer.h>

namespace xgrad::optim {

/// Scales all gradients so that their common Euclidean norm is at most max_norm, and returns the norm before (Pascanu
/// et al. 2013). The factor is min(1, max_norm / (norm + 1e-6)), as in PyTorch; the norm is summed in double.
/// Parameters without a gradient are left out. Refused before anything changes: GraphError where none has a gradient,
/// ValueError where one is NaN or infinite (it is named) or max_norm is not above 0. An infinite max_norm only
/// measures.
double clip_grad_norm(const ParameterList& parameters, double max_norm);

/// Limits each element of the gradients to [-value, value]; NaN stays. GraphError where no parameter has a gradient,
/// ValueError unless value is above 0 and finite.
void clip_grad_value(const ParameterList& parameters, double value);

}  // namespace xgrad::optim
