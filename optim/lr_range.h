// The learning rate range test: what rate to begin with.
#pragma once

#include <xgrad/optim/closure.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace xgrad::optim {

struct LRRangeOptions {
  double from = 1e-7, to = 10;  ///< rates, above 0; `to` is above `from`
  std::int64_t steps = 100;     ///< at least 3, at equal ratios from `from` to `to`
  double smoothing = 0.8;       ///< in [0, 1): how much of the mean loss each step keeps
  double divergence = 4;        ///< above 1: it ends where the mean loss is so many times its least value
};

struct LRRangePoint {
  double lr;
  double loss;      ///< after a step with this rate
  double smoothed;  ///< the exponential mean of the losses so far, which begins with the loss before the first step
};

struct LRRange {
  std::vector<LRRangePoint> points;  ///< ends early where the loss diverges, or before it is NaN or infinite
  /// The rate at which the smoothed loss falls most steeply over log(lr), before its least value; none where it does
  /// not fall. A mean comes late, by smoothing / (1 - smoothing) points: less is on the safe side.
  std::optional<double> suggested;
};

/// Smith 2017, section 3.3: makes steps with a rate that rises from each to the next, the same for all groups, and
/// watches the loss of the closure, which may give another batch at each call. Whatever happens, the parameters, the
/// optimizer's state and its rates are put back, and gradients forgotten; what else a closure changes (running
/// statistics, random numbers, the place in a loader) is its own. ValueError for options out of range, or where the
/// loss is not finite before the first step; GraphError where it depends on no parameter; DataError where the closure
/// leaves other options of the optimizer changed.
LRRange lr_range_test(Optimizer& optimizer, const Closure& closure, LRRangeOptions options = {});

}  // namespace xgrad::optim
