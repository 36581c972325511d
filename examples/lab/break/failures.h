// Ways to fail. Each trains the network as it is broken and as it is cured.
#pragma once

#include <string>
#include <vector>

#include "../compare.h"
#include "../sweep.h"
#include "signs.h"
#include "words/break.h"

namespace lab {

namespace say = words::break_section;

struct Failure {
  std::vector<Block> blocks;
  std::string name;
  std::vector<double> healthy, broken, cured;  ///< the loss that fails, at the end: one for each seed
  std::string cure, diagnosis;
  Cell shown, shown_healthy;  ///< the number that tells, broken and healthy
};

/// What is trained, where nothing is broken: 784-32-32-10 with Adam at a rate that is good for so few steps.
constexpr double usual_rate = 5e-3;
xgrad::nn::Sequential network(std::uint64_t seed);
std::size_t usual_steps(const Context& context);
Runs healthy(const Context& context);

Failure rate_too_high(const Context& context, const Runs& healthy);
Failure zero_weights(const Context& context, const Runs& healthy);
Failure shuffled_labels(const Context& context);
Failure dead_relu(const Context& context, const Runs& healthy);
Failure eps_too_small(const Context& context, const Runs& healthy);
/// The error of a few steps on this loss, where backward() is asked to look for what is not finite; "-" without one.
std::string check_finite_message(Patient patient, const std::function<xgrad::Variable(xgrad::nn::Sequential&)>& loss);
Failure no_correction(const Context& context, const Runs& healthy);

}  // namespace lab
