// Where an axis begins, ends, and has its numbers.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace train {

struct Axis {
  double low, high;
  std::vector<double> ticks;  ///< ascending, from low to high
  bool logarithmic = false;

  double position(double value) const;  ///< 0 at low, 1 at high; not beyond
};

/// 1, 2 or 5 times a power of ten, of which at most `most` fit into the range. The range must be above 0.
double nice_step(double range, std::size_t most);

/// From low to high as they are, with ticks at multiples of a nice step between them.
Axis exact_axis(double low, double high, std::size_t most);
/// Widened to the ticks around it. A range of nothing gets one step on each side, but not above `limit`.
Axis linear_axis(double low, double high, std::size_t most, double limit);
/// For values above 0, with ticks at 1, 2 and 5 times powers of ten, at powers of ten where these are many, or as on a
/// linear axis where they are few.
Axis log_axis(double low, double high, std::size_t most);

/// With as many decimals as neighbours differ in on a linear axis: "0.0", "0.5", "1.0".
std::vector<std::string> tick_labels(const Axis& axis);

}  // namespace train
