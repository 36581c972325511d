#include <xgrad/core/errors.h>
#include <xgrad/optim/plateau.h>
#include <xgrad/optim/ranges.h>

#include <algorithm>
#include <cmath>

namespace xgrad::optim {

static constexpr std::string_view owner = "ReduceLROnPlateau";

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, ReduceLROnPlateauOptions options)
    : optimizer_(optimizer), options_(options), best_(std::numeric_limits<double>::infinity()) {
  check_positive(owner, "factor", options.factor);
  check_below_one(owner, "factor", options.factor);
  check_not_negative(owner, "patience", static_cast<double>(options.patience));
  check_not_negative(owner, "threshold", options.threshold);
  check_not_negative(owner, "cooldown", static_cast<double>(options.cooldown));
  check_not_negative(owner, "min_lr", options.min_lr);
  if (options.maximize) best_ = -best_;
}

void ReduceLROnPlateau::step(double metric) {
  if (!std::isfinite(metric)) throw ValueError(message("[", owner, "] the metric must be finite, got ", metric));
  const double needed = options_.threshold * (options_.relative ? std::abs(best_) : 1);
  const bool better = std::isinf(best_) || (options_.maximize ? metric > best_ + needed : metric < best_ - needed);
  if (better) best_ = metric;
  bad_steps_ = better || cooldown_left_ > 0 ? 0 : bad_steps_ + 1;
  cooldown_left_ = std::max<std::int64_t>(cooldown_left_ - 1, 0);
  if (bad_steps_ <= options_.patience) return;
  bad_steps_ = 0;
  cooldown_left_ = options_.cooldown;
  for (std::size_t group = 0; group < optimizer_.group_count(); ++group) {
    double& lr = optimizer_.lr(group);
    lr = std::min(lr, std::max(lr * options_.factor, options_.min_lr));
  }
}

StateDict ReduceLROnPlateau::state_dict() const {
  StateDict dict{.tensors = {},
                 .scalars = {{"best", best_},
                             {"bad_steps", static_cast<double>(bad_steps_)},
                             {"cooldown_left", static_cast<double>(cooldown_left_)}}};
  for (std::size_t group = 0; group < optimizer_.group_count(); ++group)
    dict.scalars.emplace_back(message("lr.", group), optimizer_.lr(group));
  return dict;
}

void ReduceLROnPlateau::load_state_dict(const StateDict& dict) {
  StateReader reader(owner, dict);
  const double best = reader.scalar("best");
  const auto bad_steps = static_cast<std::int64_t>(reader.count("bad_steps")),
             cooldown_left = static_cast<std::int64_t>(reader.count("cooldown_left"));
  if (std::isnan(best)) reader.misfit("best: expected a number, got ", best);
  std::vector<double> rates;
  for (std::size_t group = 0; group < optimizer_.group_count(); ++group) {
    rates.push_back(reader.scalar(message("lr.", group)));
    if (!(rates[group] >= 0 && std::isfinite(rates[group])))
      reader.misfit("lr.", group, ": expected a rate of at least 0, got ", rates[group]);
  }
  reader.finish();
  best_ = best, bad_steps_ = bad_steps, cooldown_left_ = cooldown_left;
  for (std::size_t group = 0; group < rates.size(); ++group) optimizer_.lr(group) = rates[group];
}

}  // namespace xgrad::optim
