// Adam and Adamax with other betas.
#pragma once

#include <vector>

#include "../experiment.h"

namespace lab::rates {

/// Maps of the final loss over both betas: at one rate, at each pair's best rate, and of that rate.
std::vector<Block> beta_maps(const Context& context, const Rule& rule, std::size_t steps);

}  // namespace lab::rates
