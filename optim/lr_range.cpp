#include <xgrad/core/errors.h>
#include <xgrad/optim/lr_range.h>
#include <xgrad/optim/ranges.h>

#include <algorithm>
#include <cmath>

namespace xgrad::optim {
namespace {

constexpr std::string_view range_test = "lr_range_test";

void check(const LRRangeOptions& options) {
  check_positive(range_test, "from", options.from);
  check_positive(range_test, "to", options.to);
  check_below_one(range_test, "smoothing", options.smoothing);
  const auto refuse = [](std::string_view option, double above, double got) {
    throw ValueError(message("[", range_test, "] ", option, " must be above ", above, ", got ", got));
  };
  if (options.to <= options.from) refuse("to", options.from, options.to);
  if (options.steps <= 2) refuse("steps", 2, static_cast<double>(options.steps));
  if (!(options.divergence > 1)) refuse("divergence", 1, options.divergence);
}

// Everything that steps change.
struct Before {
  explicit Before(const Optimizer& optimizer) : state(optimizer.state_dict()) {
    for (const auto& [name, variable] : optimizer.parameters()) values.push_back(variable.value());
  }
  void put_back(Optimizer& optimizer) const {
    optimizer.zero_grad();
    for (std::size_t i = 0; i < values.size(); ++i) optimizer.parameters()[i].second.mutable_value() = values[i];
    optimizer.load_state_dict(state);
  }

  StateDict state;
  std::vector<Tensor> values;
};

std::optional<double> steepest(const std::vector<LRRangePoint>& points) {
  const auto by_loss = [](const LRRangePoint& a, const LRRangePoint& b) { return a.smoothed < b.smoothed; };
  const auto least = std::min_element(points.begin(), points.end(), by_loss) - points.begin();
  std::optional<double> rate;
  double most = 0;
  for (std::size_t i = 1; i < static_cast<std::size_t>(least); ++i)
    if (const double fall = points[i - 1].smoothed - points[i + 1].smoothed; fall > most)
      most = fall, rate = points[i].lr;
  return rate;
}

LRRange sweep(Optimizer& optimizer, const Closure& closure, const LRRangeOptions& options) {
  const auto loss_now = [&] {
    return static_cast<double>(evaluate(range_test, optimizer.parameters(), closure).item());
  };
  double smoothed = loss_now(), least = smoothed;
  if (!std::isfinite(smoothed))
    throw ValueError(message("[", range_test, "] the loss is ", smoothed, " before the first step"));
  LRRange range;
  for (std::int64_t i = 0; i < options.steps; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(options.steps - 1);
    const double lr = options.from * std::pow(options.to / options.from, share);
    for (std::size_t group = 0; group < optimizer.group_count(); ++group) optimizer.lr(group) = lr;
    optimizer.needs_closure() ? (void)optimizer.step(closure) : optimizer.step();
    const double loss = loss_now();
    if (!std::isfinite(loss)) break;
    smoothed = options.smoothing * smoothed + (1 - options.smoothing) * loss;
    range.points.push_back({lr, loss, smoothed});
    least = std::min(least, smoothed);
    if (smoothed > least + (options.divergence - 1) * std::abs(least)) break;
  }
  range.suggested = steepest(range.points);
  return range;
}

}  // namespace

LRRange lr_range_test(Optimizer& optimizer, const Closure& closure, LRRangeOptions options) {
  check(options);
  const Before before(optimizer);
  LRRange range;
  try {
    range = sweep(optimizer, closure, options);
  } catch (...) {
    before.put_back(optimizer);
    throw;
  }
  before.put_back(optimizer);
  return range;
}

}  // namespace xgrad::optim
