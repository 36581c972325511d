#include "schedules.h"

#include <algorithm>

namespace train {
namespace {

using namespace xgrad::optim;

Curve constant(std::int64_t) {
  return [](double base, std::int64_t) { return base; };
}

// `fall` makes the curve for the steps after the warm-up.
template <Curve (*fall)(std::int64_t steps)>
Curve with_warm_up(std::int64_t steps) {
  const std::int64_t rising = std::max<std::int64_t>(steps / 20, 1),
                     falling = std::max<std::int64_t>(steps - rising, 1);
  return sequential_lr(
      {.curves = {linear_lr({.start_factor = 0.1, .total_iters = rising}), fall(falling)}, .milestones = {rising}});
}

Curve linear(std::int64_t steps) { return linear_lr({.start_factor = 1, .end_factor = 0, .total_iters = steps}); }
Curve cosine(std::int64_t steps) { return cosine_annealing_lr({.t_max = steps}); }
Curve stable_decay(std::int64_t steps) {
  return warmup_stable_decay_lr({.total_steps = steps, .decay = std::max<std::int64_t>(steps / 5, 1)});
}

constexpr ScheduleKind all_schedules[] = {
    {"constant", constant},
    {"linear", with_warm_up<linear>},
    {"cosine", with_warm_up<cosine>},
    {"wsd", with_warm_up<stable_decay>},
};

}  // namespace

std::span<const ScheduleKind> schedule_kinds() { return all_schedules; }

}  // namespace train
