#include <xgrad/core/errors.h>
#include <xgrad/optim/ranges.h>
#include <xgrad/optim/schedule.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace xgrad::optim {

Schedule::Schedule(Optimizer& optimizer, Curve curve) : optimizer_(optimizer), curve_(std::move(curve)) {
  if (!curve_) throw ValueError("[Schedule] expected a curve, got an empty function");
  for (std::size_t group = 0; group < optimizer.group_count(); ++group) base_.push_back(optimizer.lr(group));
  set_rates(base_, 0);
}

void Schedule::set_count(std::int64_t count) {
  if (count < 0) throw ValueError(message("[Schedule] count must be at least 0, got ", count));
  std::vector<double> base = base_;
  for (std::size_t group = 0; group < base.size(); ++group) base[group] = changed_base(group);
  set_rates(std::move(base), count);
}

void Schedule::set_rates(std::vector<double> base, std::int64_t count) {
  std::vector<double> rates;
  for (const double rate : base) {
    rates.push_back(curve_(rate, count));
    check_not_negative("Schedule", "the learning rate", rates.back());
  }
  for (std::size_t group = 0; group < rates.size(); ++group) optimizer_.lr(group) = rates[group];
  base_ = std::move(base), set_ = std::move(rates), count_ = count;
}

// From a rate of 0 no factor leads to another one. Then it is the base that leads to it here, if there is one.
double Schedule::changed_base(std::size_t group) const {
  const double now = optimizer_.lr(group), set = set_[group];
  if (now == set) return base_[group];
  if (set != 0) return base_[group] * (now / set);
  const double of_one = curve_(1, count_);
  return of_one != 0 ? now / of_one : base_[group];
}

StateDict Schedule::state_dict() const {
  StateDict state{.scalars = {{"count", static_cast<double>(count_)}}};
  for (std::size_t group = 0; group < base_.size(); ++group) {
    state.scalars.emplace_back(message("base.", group), base_[group]);
    if (const double now = optimizer_.lr(group); now != set_[group])
      state.scalars.emplace_back(message("lr.", group), now);
  }
  return state;
}

void Schedule::load_state_dict(const StateDict& state) {
  StateReader reader("Schedule", state);
  const auto count = static_cast<std::int64_t>(reader.count("count"));
  const auto rate = [&](const std::string& name) {
    const double value = reader.scalar(name);
    if (!(value >= 0 && std::isfinite(value))) reader.misfit(name, ": expected a rate of at least 0, got ", value);
    return value;
  };
  std::vector<double> base;
  std::vector<std::optional<double>> changed(base_.size());
  for (std::size_t group = 0; group < base_.size(); ++group) {
    base.push_back(rate(message("base.", group)));
    if (const std::string name = message("lr.", group); reader.has_scalar(name)) changed[group] = rate(name);
  }
  reader.finish();
  try {
    set_rates(std::move(base), count);
  } catch (const ValueError& error) {  // at this count the curve leads to no rate
    throw DataError(message("[Schedule] the state does not fit: ", error.what()));
  }
  for (std::size_t group = 0; group < changed.size(); ++group)
    if (changed[group]) optimizer_.lr(group) = *changed[group];
}

Curve step_lr(StepLROptions options) {
  check_count("StepLR", "step_size", options.step_size);
  check_positive("StepLR", "gamma", options.gamma);
  return [options](double base, std::int64_t count) {
    return base * std::pow(options.gamma, static_cast<double>(count / options.step_size));
  };
}

Curve exponential_lr(ExponentialLROptions options) {
  check_positive("ExponentialLR", "gamma", options.gamma);
  return
      [options](double base, std::int64_t count) { return base * std::pow(options.gamma, static_cast<double>(count)); };
}

namespace {

void check_milestones(std::string_view owner, const std::vector<std::int64_t>& milestones) {
  std::int64_t before = 0;
  for (const std::int64_t milestone : milestones) {
    if (milestone <= before)
      throw ValueError(
          message("[", owner, "] milestones must be above 0 and ascend, got ", milestone, " after ", before));
    before = milestone;
  }
}

// How many milestones are at most `count`.
std::size_t passed(const std::vector<std::int64_t>& milestones, std::int64_t count) {
  return static_cast<std::size_t>(std::upper_bound(milestones.begin(), milestones.end(), count) - milestones.begin());
}

// From `begin` to `end` along half a cosine, as `phase` goes from 0 to 1.
double cosine(double begin, double end, double phase) {
  return end + (begin - end) * (1 + std::cos(std::numbers::pi * phase)) / 2;
}

}  // namespace

Curve multi_step_lr(MultiStepLROptions options) {
  if (options.milestones.empty()) throw ValueError("[MultiStepLR] expected milestones, got an empty list");
  check_milestones("MultiStepLR", options.milestones);
  check_positive("MultiStepLR", "gamma", options.gamma);
  return [options = std::move(options)](double base, std::int64_t count) {
    return base * std::pow(options.gamma, static_cast<double>(passed(options.milestones, count)));
  };
}

Curve polynomial_lr(PolynomialLROptions options) {
  check_count("PolynomialLR", "total_iters", options.total_iters);
  check_positive("PolynomialLR", "power", options.power);
  check_not_negative("PolynomialLR", "eta_min", options.eta_min);
  return [options](double base, std::int64_t count) {
    const double done = std::min(1.0, static_cast<double>(count) / static_cast<double>(options.total_iters));
    return options.eta_min + (base - options.eta_min) * std::pow(1 - done, options.power);
  };
}

Curve cyclic_lr(CyclicLROptions options) {
  check_count("CyclicLR", "step_size_up", options.step_size_up);
  check_not_negative("CyclicLR", "step_size_down", static_cast<double>(options.step_size_down));
  check_not_negative("CyclicLR", "eta_min", options.eta_min);
  check_positive("CyclicLR", "gamma", options.gamma);
  if (options.step_size_down == 0) options.step_size_down = options.step_size_up;
  return [options](double base, std::int64_t count) {
    const std::int64_t length = options.step_size_up + options.step_size_down, at = count % length;
    const auto up = static_cast<double>(options.step_size_up), down = static_cast<double>(options.step_size_down);
    double height = at <= options.step_size_up ? static_cast<double>(at) / up : static_cast<double>(length - at) / down;
    if (options.mode == Cycle::triangular2) height *= std::pow(0.5, static_cast<double>(count / length));
    if (options.mode == Cycle::exp_range) height *= std::pow(options.gamma, static_cast<double>(count));
    return options.eta_min + (base - options.eta_min) * height;
  };
}

Curve warmup_stable_decay_lr(WarmupStableDecayLROptions options) {
  check_count("WarmupStableDecayLR", "total_steps", options.total_steps);
  check_not_negative("WarmupStableDecayLR", "warm_up", static_cast<double>(options.warm_up));
  check_count("WarmupStableDecayLR", "decay", options.decay);
  check_not_negative("WarmupStableDecayLR", "eta_min", options.eta_min);
  if (options.decay > options.total_steps - options.warm_up)
    throw ValueError(message("[WarmupStableDecayLR] warm_up and decay must fit into total_steps ", options.total_steps,
                             ", got ", options.warm_up, " and ", options.decay));
  return [options](double base, std::int64_t count) {
    if (count < options.warm_up) return base * static_cast<double>(count + 1) / static_cast<double>(options.warm_up);
    const auto fallen = static_cast<double>(count - (options.total_steps - options.decay));
    const double share = std::clamp(fallen / static_cast<double>(options.decay), 0.0, 1.0);
    const double height = 1 - (options.shape == Decay::linear ? share : std::sqrt(share));
    return options.eta_min + (base - options.eta_min) * height;
  };
}

Curve cosine_annealing_lr(CosineAnnealingLROptions options) {
  check_count("CosineAnnealingLR", "t_max", options.t_max);
  check_not_negative("CosineAnnealingLR", "eta_min", options.eta_min);
  return [options](double base, std::int64_t count) {
    const std::int64_t at = options.stays ? std::min(count, options.t_max) : count % (2 * options.t_max);
    const double phase = static_cast<double>(at) / static_cast<double>(options.t_max);
    return cosine(base, options.eta_min, phase);
  };
}

Curve cosine_annealing_warm_restarts(CosineAnnealingWarmRestartsOptions options) {
  check_count("CosineAnnealingWarmRestarts", "t_0", options.t_0);
  check_count("CosineAnnealingWarmRestarts", "t_mult", options.t_mult);
  check_not_negative("CosineAnnealingWarmRestarts", "eta_min", options.eta_min);
  return [options](double base, std::int64_t count) {
    auto done = static_cast<double>(count), length = static_cast<double>(options.t_0);
    if (options.t_mult == 1) done = std::fmod(done, length);
    for (; done >= length; length *= static_cast<double>(options.t_mult)) done -= length;
    return cosine(base, options.eta_min, done / length);
  };
}

Curve one_cycle_lr(OneCycleLROptions options) {
  if (options.total_steps < 2)
    throw ValueError(message("[OneCycleLR] total_steps must be at least 2, got ", options.total_steps));
  check_below_one("OneCycleLR", "pct_start", options.pct_start);
  check_positive("OneCycleLR", "div_factor", options.div_factor);
  check_positive("OneCycleLR", "final_div_factor", options.final_div_factor);
  const auto steps = static_cast<double>(options.total_steps), peak = std::max(0.0, options.pct_start * steps - 1);
  return [=](double base, std::int64_t count) {
    const auto done = static_cast<double>(count);
    const auto anneal = options.anneal == Anneal::cosine ? cosine : [](double begin, double end, double phase) {
      return std::lerp(begin, end, phase);
    };
    const double begin = base / options.div_factor;
    if (done < peak) return anneal(begin, base, done / peak);
    return anneal(base, begin / options.final_div_factor, std::min(1.0, (done - peak) / (steps - 1 - peak)));
  };
}

Curve inverse_sqrt_lr(InverseSqrtLROptions options) {
  check_count("InverseSqrtLR", "warm_up", options.warm_up);
  return [warm_up = static_cast<double>(options.warm_up)](double base, std::int64_t count) {
    const double t = static_cast<double>(count) + 1;
    return base * std::min(1 / std::sqrt(t), t / (warm_up * std::sqrt(warm_up)));
  };
}

Curve linear_lr(LinearLROptions options) {
  check_positive("LinearLR", "start_factor", options.start_factor);
  check_up_to_one("LinearLR", "start_factor", options.start_factor);
  check_up_to_one("LinearLR", "end_factor", options.end_factor);
  check_count("LinearLR", "total_iters", options.total_iters);
  return [options](double base, std::int64_t count) {
    const double done = std::min(1.0, static_cast<double>(count) / static_cast<double>(options.total_iters));
    return base * std::lerp(options.start_factor, options.end_factor, done);
  };
}

namespace {

void check_curves(std::string_view owner, const std::vector<Curve>& curves) {
  if (curves.empty()) throw ValueError(message("[", owner, "] expected curves, got an empty list"));
  if (std::any_of(curves.begin(), curves.end(), [](const Curve& curve) { return !curve; }))
    throw ValueError(message("[", owner, "] expected curves, got an empty function"));
}

}  // namespace

Curve sequential_lr(SequentialLROptions options) {
  check_curves("SequentialLR", options.curves);
  if (options.milestones.size() + 1 != options.curves.size())
    throw ValueError(message("[SequentialLR] expected ", options.curves.size() - 1, " milestones for ",
                             options.curves.size(), " curves, got ", options.milestones.size()));
  check_milestones("SequentialLR", options.milestones);
  return [options = std::move(options)](double base, std::int64_t count) {
    const std::size_t at = passed(options.milestones, count);
    return options.curves[at](base, at == 0 ? count : count - options.milestones[at - 1]);
  };
}

Curve chained_lr(ChainedLROptions options) {
  check_curves("ChainedLR", options.curves);
  return [options = std::move(options)](double base, std::int64_t count) {
    for (const Curve& curve : options.curves) base = curve(base, count);
    return base;
  };
}

}  // namespace xgrad::optim
