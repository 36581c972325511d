// Whether measurements agree with what a paper says of two methods.
#pragma once

#include <string>
#include <vector>

namespace lab {

/// Costs that differ by no more than this share of the larger one are alike.
constexpr double alike = 0.05;

/// What these costs, one for each seed, say of "the first is below the second" (ahead) or "they are alike", by their
/// medians: "agrees: lower by 12 %", "disagrees: …", "undecided: lower by 2.0 %, and the seeds overlap", "undecided: a
/// training diverged".
std::string agreement(const std::vector<double>& first, const std::vector<double>& second, bool ahead);

}  // namespace lab
