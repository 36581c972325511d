// A line search for methods without noise.
#pragma once

#include <xgrad/core/tensor.h>

#include <cstdint>
#include <functional>

namespace xgrad::optim {

/// What is known at `length` times the direction from its start. A loss of NaN or infinity is one to turn back from.
struct LinePoint {
  double length = 0, loss = 0, slope = 0;
  Tensor gradient = {};
};

struct LineSearchOptions {
  double length = 1;       ///< above 0: the first one that is tried
  std::int64_t most = 25;  ///< calls of look(): by then the interval is narrower than the numbers are exact
  double c1 = 1e-4;        ///< the loss falls at least by c1 times the slope, above 0
  double c2 = 0.9;         ///< the slope falls at least to c2 of it in size, above c1, below 1
};

/// A point that satisfies the strong Wolfe conditions: Nocedal & Wright 2006, equation 3.7, by Algorithms 3.5 and 3.6,
/// which here are one loop, with the cubic of equation 3.59. `start` has length 0 and a slope below 0. Where none of
/// `most` points satisfies both conditions, it is the one of least loss among those that decrease the loss
/// sufficiently, or else `start`.
LinePoint line_search(const std::function<LinePoint(double length)>& look, LinePoint start, LineSearchOptions options);

}  // namespace xgrad::optim
