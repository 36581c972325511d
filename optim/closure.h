// What loops over steps call: a function that computes the loss.
#pragma once

#include <xgrad/optim/optimizer.h>

#include <functional>

namespace xgrad::optim {

/// Computes the loss, a scalar, at the parameters as they are; no backward(), which is the caller's part.
using Closure = std::function<Variable()>;

/// Forgets the gradients, calls the closure, and differentiates its loss, unless that is NaN or infinite. Returns the
/// loss. In the name of `operation`, ValueError for an empty closure, and GraphError where the loss depends on no
/// parameter.
Variable evaluate(std::string_view operation, const ParameterList& parameters, const Closure& closure);

}  // namespace xgrad::optim
