// The parts of the section about curvature. Each is told where to report its progress, from 0 to 1.
#pragma once

#include <functional>
#include <vector>

#include "../context.h"
#include "words/curvature.h"

namespace lab {

namespace say = words::curvature_section;

constexpr std::size_t hidden_units = 32;  ///< Of the networks whose solutions are compared.

using Progress = std::function<void(double)>;

Blocks gradient_descent_edge(const Context& context, const Progress& progress);
Blocks adaptive_edge(const Context& context, const Progress& progress);
Blocks between_solutions(const Context& context, const Progress& progress);
Blocks around_solutions(const Context& context, const Progress& progress);
Blocks trajectories(const Context& context, const Progress& progress);

}  // namespace lab
