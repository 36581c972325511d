// Ways to fail. Each trains the patient as it is broken and as it is cured.
#pragma once

#include <vector>

#include "signs.h"

namespace lab {

struct Failure {
  std::vector<Block> blocks;
  /// Failure, loss at the end, the healthy one, diagnosis, its number, the healthy number, cure, loss at the end with
  /// it.
  std::vector<Cell> row;
};

/// What is trained, where nothing is broken: 784-32-32-10 with Adam at a rate that is good for so few steps.
constexpr double usual_rate = 5e-3;
xgrad::nn::Sequential network(const Context& context);
std::size_t usual_steps(const Context& context);
Signs healthy(const Context& context);

Failure rate_too_high(const Context& context, const Signs& healthy);
Failure zero_weights(const Context& context, const Signs& healthy);
Failure shuffled_labels(const Context& context);
Failure dead_relu(const Context& context, const Signs& healthy);
Failure eps_too_small(const Context& context, const Signs& healthy);
Failure no_correction(const Context& context, const Signs& healthy);

}  // namespace lab
