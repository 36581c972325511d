// The claims, each an experiment: blocks that begin with the claim and its verdict, which is computed from the numbers.
#pragma once

#include <string>
#include <vector>

#include "../compare.h"
#include "../context.h"
#include "words/claims.h"

namespace lab {

namespace say = words::claims_section;

Blocks adapted_rates(const Context& context);     // 1
Blocks momentum(const Context& context);          // 2
Blocks different_scales(const Context& context);  // 3
Blocks sensitivity(const Context& context);       // 4, 9 and 19: one sweep
Blocks memory(const Context& context);            // 5
Blocks sparse_gradients(const Context& context);  // 6
Blocks outliers(const Context& context);          // 7 and 21
Blocks computation(const Context& context);       // 8
Blocks hyperparameters(const Context& context);   // 10
Blocks frequency(const Context& context);         // 11
Blocks bias_correction(const Context& context);   // 12
Blocks convergence(const Context& context);       // 13
Blocks variance(const Context& context);          // 14
Blocks infinity_norm(const Context& context);     // 15
Blocks optimum(const Context& context);           // 16
Blocks low_pass(const Context& context);          // 17
Blocks data_memory(const Context& context);       // 18
Blocks limit_of_norms(const Context& context);    // 20
Blocks fewer_settings(const Context& context);    // 22
Blocks accuracy(const Context& context);          // 23

}  // namespace lab
