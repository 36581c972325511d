// A model at a glance.
#pragma once

#include <xgrad/nn/module.h>

#include <string>

namespace xgrad::nn {

/// A table of the module and all modules below it: type, dotted name, output shape, and the parameters of its own, so
/// that the column adds up to the total under it: one that is shared counts where it is listed first. A shape is
/// followed by "x 2" where a module is called twice. Modules that were called and are nobody's children come last, as
/// "not registered": their parameters are neither trained nor saved.
///
/// `input_shape` includes the batch dimension: (1, 784), say. The shapes are those of one forward pass on zeros, in
/// evaluation mode and without gradients. Training flags and the random sequence stay as they were.
std::string summary(Module& module, const Shape& input_shape);

}  // namespace xgrad::nn
