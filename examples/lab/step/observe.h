// What an optimizer keeps for single numbers of a network, read step by step.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "../context.h"

namespace lab::step {

/// A number of a network 784-32-10 that learns digits, by its place in a parameter.
struct Watched {
  std::string id, kind, place;  ///< "rare", "Rare gradients", "the weight from the pixel in row 2, …"
  std::string parameter;
  std::size_t index;
  double gradient;  ///< root mean square over the steps, with Adam
  double share;     ///< of the steps in which its gradient is not 0, with Adam
  std::string label() const { return kind + ": " + place; }
};

/// Numbers that are unlike each other, found by their gradients while Adam trains: the one with the largest, one with
/// tiny ones, a rarely used one, a bias, and an output weight in the middle.
std::vector<Watched> choose(const Context& context, std::size_t steps);

/// What was read of a number in each step.
struct Trace {
  std::vector<double> gradient;
  std::vector<double> first, second;  ///< the optimizer's own m, and v or u, after the step
  std::vector<double> change;         ///< of the number, in the step
};

struct Observed {
  std::string_view rule;  ///< "adam" or "adamax"
  bool corrected;
  std::vector<Trace> traces;  ///< one for each watched number
};
Observed observe(const Context& context, std::string_view rule, bool corrected, std::size_t steps,
                 const std::vector<Watched>& all);

/// What m and v or u are divided by at step t, in the library's own words.
struct Divisors {
  double first, second;
};
Divisors corrections(std::string_view rule, std::size_t t);

/// What stands before m̂ (before m, without correction) in step t: α / (√v̂ + ε), or α / u. NaN before the first
/// gradient.
double effective_rate(const Observed& run, const Trace& trace, std::size_t t);
/// m̂, or m without correction.
double direction(const Observed& run, const Trace& trace, std::size_t t);

}  // namespace lab::step
