// How a closure is evaluated.
#pragma once

#include <xgrad/optim/optimizer.h>

namespace xgrad::optim {

/// Forgets the gradients, calls the closure, and differentiates its loss, unless that is NaN or infinite. Returns the
/// loss. In the name of `operation`, ValueError for an empty closure, and GraphError where the loss depends on no
/// parameter.
Variable evaluate(std::string_view operation, const ParameterList& parameters, const Closure& closure,
                  BackwardOptions options = {});

}  // namespace xgrad::optim
