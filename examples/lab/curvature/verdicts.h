// From measurements to what they decide. All numbers come one for each pair of solutions, or for each start.
#pragma once

#include <vector>

namespace lab::judge {

/// When it is decided in which valley training ends.
enum class Decided { by_the_start, in_the_common_steps, later, undecided };
/// Barriers between solutions of two seeds, of two orders of the samples from one start, and of two orders after common
/// steps. The start decides if each barrier between two orders is below a tenth of that between two seeds. Otherwise
/// the common steps do if each barrier after them is below half of that without them, and do not if none is.
Decided valley(const std::vector<double>& seeds, const std::vector<double>& orders, const std::vector<double>& common);

/// An eigenvalue over its threshold: within a third of it, above, below, or below after gradients that grew half as
/// large again as the first, or more.
enum class Edge { at, above, below, below_after_growth };
Edge edge(double eigenvalue, double threshold, double largest_gradient_over_first);

}  // namespace lab::judge
