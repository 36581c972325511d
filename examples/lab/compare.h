// What runs with several seeds say: one is lower, or higher, or it cannot be told. And what that says of a claim.
#pragma once

#include <string>
#include <vector>

#include "document.h"

namespace lab {

/// The test that decides, everywhere on the page: `lower` where every value of the first is below every value of the
/// second, `higher` the other way round, and `undecided` where their ranges overlap, or a training diverged. If nothing
/// but chance made the difference, five values a side would be apart by luck in one comparison of 126 (2 of the 252
/// ways to deal ten values to two sides: the exact rank-sum test).
enum class Order { lower, undecided, higher };
Order compare(const std::vector<double>& first, const std::vector<double>& second);

/// What is left where parts of a claim were judged one by one: yes or no if all parts say so, undecided where the parts
/// that are open could make it one or the other, and partly where there is both a yes and a no.
Verdict all_of(const std::vector<Verdict>& parts);
/// Of "the first is lower".
Verdict lower(const std::vector<double>& first, const std::vector<double>& second);
/// Of a number that was measured for several seeds: yes where all are at least so much, no where none is.
Verdict at_least(const std::vector<double>& values, double least);
Verdict decided(bool holds);

/// Of three passages, the one for what was decided. "Partly" is for whole claims only: it takes the third.
std::string either(Verdict verdict, std::string yes, std::string no, std::string undecided);
std::string either(Order order, std::string lower, std::string higher, std::string undecided);

/// Costs that differ by no more than this share of the larger one are alike.
constexpr double alike = 0.05;

/// What these costs, one for each seed, say of "the first is below the second" (ahead) or "they are alike", by their
/// medians: "agrees: lower by 12 %", "disagrees: …", "undecided: lower by 2.0 %, and the seeds overlap", "undecided: a
/// training diverged".
std::string agreement(const std::vector<double>& first, const std::vector<double>& second, bool ahead);

}  // namespace lab
