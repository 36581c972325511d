// The courses of the learning rate that can be chosen by name.
#pragma once

#include <xgrad/optim/schedule.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace train {

struct ScheduleKind {
  std::string_view name;
  xgrad::optim::Curve (*make)(std::int64_t steps);  ///< for a training of so many steps, at least 1
};

/// The default comes first. All but the constant one rise over the first twentieth of the steps and end near 0.
std::span<const ScheduleKind> schedule_kinds();

}  // namespace train
