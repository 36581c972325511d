// The first steps of Adam with one number, in numbers that a reader can follow.
#pragma once

#include <vector>

namespace lab::step {

/// What Adam has after a step in which its number had the gradient `g`: `from` is the number before, `to` after it.
struct HandStep {
  double g, m, v, m_divisor, v_divisor, m_hat, v_hat, step, from, to;
};
/// As the library's own Adam makes them at its default betas, from 1 on.
std::vector<HandStep> adam_by_hand(const std::vector<double>& gradients, double lr);

}  // namespace lab::step
