// The claims, each an experiment: blocks that begin with the claim and its verdict, which is computed from the numbers.
#pragma once

#include <vector>

#include "../context.h"

namespace lab {

using Blocks = std::vector<Block>;

Blocks adapted_rates(const Context& context);                                   // 1
Blocks momentum(const Context& context);                                        // 2
Blocks different_scales(const Context& context);                                // 3
Blocks sensitivity_and_steadiness(const Context& context, std::size_t number);  // 4 and 9
Blocks memory(const Context& context);                                          // 5
Blocks sparse_gradients(const Context& context);                                // 6
Blocks outliers(const Context& context);                                        // 7
Blocks computation(const Context& context);                                     // 8
Blocks hyperparameters(const Context& context);                                 // 10
Blocks frequency(const Context& context);                                       // 11
Blocks bias_correction(const Context& context);                                 // 12
Blocks convergence(const Context& context);                                     // 13

}  // namespace lab
