#include "axis.h"

#include <xgrad/core/errors.h>

#include <algorithm>
#include <cmath>

#include "text.h"

namespace train {

using namespace cli;

double Axis::position(double value) const {
  const auto scale = [this](double v) { return logarithmic ? std::log(v) : v; };
  const double inside = std::clamp(value, low, high);
  return (scale(inside) - scale(low)) / (scale(high) - scale(low));
}

double nice_step(double range, std::size_t most) {
  const double least = range / static_cast<double>(most), power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

Axis exact_axis(double low, double high, std::size_t most) {
  Axis axis{low, high, {}};
  const double step = nice_step(high - low, most);
  for (double i = std::ceil(low / step - 1e-9); i <= std::floor(high / step + 1e-9); ++i)
    axis.ticks.push_back(i * step + 0.0);  // without a negative zero
  return axis;
}

Axis linear_axis(double low, double high, std::size_t most, double limit) {
  if (low == high) low -= 1, high = std::min(high + 1, limit);
  const double step = nice_step(high - low, most);
  return exact_axis(std::floor(low / step + 1e-9) * step, std::min(limit, std::ceil(high / step - 1e-9) * step), most);
}

Axis log_axis(double low, double high, std::size_t most) {
  if (high < 2 * low) low /= 2, high *= 2;
  Axis axis{low, high, {}, true};
  for (const std::vector<double>& factors : {std::vector<double>{1, 2, 5}, std::vector<double>{1}}) {
    axis.ticks.clear();
    for (double power = std::floor(std::log10(low)); power <= std::log10(high); ++power)
      for (const double factor : factors)
        if (const double tick = factor * std::pow(10, power); tick >= low && tick <= high) axis.ticks.push_back(tick);
    if (axis.ticks.size() < 3) axis.ticks = exact_axis(low, high, most).ticks;
    if (axis.ticks.size() <= most) return axis;
  }
  const std::size_t every = (axis.ticks.size() + most - 1) / most;  // a range of many powers
  for (std::size_t i = 0; i * every < axis.ticks.size(); ++i) axis.ticks[i] = axis.ticks[i * every];
  axis.ticks.resize((axis.ticks.size() + every - 1) / every);
  return axis;
}

std::vector<std::string> tick_labels(const Axis& axis) {
  std::vector<std::string> labels;
  int decimals = 0;
  if (!axis.logarithmic && axis.ticks.size() > 1)
    decimals = static_cast<int>(std::max(0.0, -std::floor(std::log10(axis.ticks[1] - axis.ticks[0]) + 1e-9)));
  for (const double tick : axis.ticks)
    labels.push_back(axis.logarithmic ? xgrad::message(tick) : fixed(tick, decimals));
  return labels;
}

}  // namespace train
