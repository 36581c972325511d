// Schedules: learning rates that change with the number of steps. Each is a closed form, so that resuming one takes no
// more than its count.
#pragma once

#include <xgrad/optim/optimizer.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace xgrad::optim {

/// The learning rate after `count` steps of the schedule, for a group whose own rate is `base`.
using Curve = std::function<double(double base, std::int64_t count)>;

/// Sets the learning rates of an optimizer, which must outlive it: curve(base, 0) at once, where each group's base is
/// its rate at this moment, and the next value at each step(). Whether a step is an epoch or a batch is up to the
/// caller. A rate that somebody else has changed since, by hand or by ReduceLROnPlateau or another schedule, changes
/// the base by the same factor, so that they compose.
class Schedule {
 public:
  Schedule(Optimizer& optimizer, Curve curve);
  /// Nothing while the optimizer's own step is_waiting() for the rest of a batch.
  void step() {
    if (!optimizer_.is_waiting()) set_count(count_ + 1);
  }

  std::int64_t count() const { return count_; }
  /// Goes to any count, to resume. ValueError where it, or a rate, is negative, or a rate is not finite.
  void set_count(std::int64_t count);

  /// The count, each group's base rate, and its rate "lr.0" where that was changed since the schedule set it.
  StateDict state_dict() const;
  /// DataError, before anything changes, for what is not the state of a schedule of as many groups.
  void load_state_dict(const StateDict& state);

 private:
  void set_rates(std::vector<double> base, std::int64_t count);
  double changed_base(std::size_t group) const;

  Optimizer& optimizer_;
  Curve curve_;
  std::vector<double> base_, set_;  // a rate for each group, and the one that was set last
  std::int64_t count_ = 0;
};

struct StepLROptions {
  std::int64_t step_size = 0;  ///< at least 1; must be given
  double gamma = 0.1;          ///< above 0
};
struct MultiStepLROptions {
  std::vector<std::int64_t> milestones;  ///< the counts from which the rate is lower: above 0, ascending
  double gamma = 0.1;                    ///< above 0
};
struct PolynomialLROptions {
  std::int64_t total_iters = 5;  ///< steps from base to eta_min, at least 1
  double power = 1;              ///< above 0
  double eta_min = 0;            ///< at least 0
};
/// How the height of a cycle changes: not, by half each cycle, or by gamma each step.
enum class Cycle { triangular, triangular2, exp_range };
struct CyclicLROptions {
  std::int64_t step_size_up = 2000;  ///< steps from eta_min to base, at least 1
  std::int64_t step_size_down = 0;   ///< steps back, at least 0: with 0, as many as up
  double eta_min = 0;                ///< at least 0
  Cycle mode = Cycle::triangular;
  double gamma = 1;  ///< above 0, for exp_range
};
enum class Decay { one_minus_sqrt, linear };
struct WarmupStableDecayLROptions {
  std::int64_t total_steps = 0;  ///< at least 1; must be given
  std::int64_t warm_up = 0;      ///< at least 0: the steps on which the rate rises
  std::int64_t decay = 0;        ///< at least 1; must be given: the last steps, on which it falls
  Decay shape = Decay::one_minus_sqrt;
  double eta_min = 0;  ///< at least 0
};
struct ExponentialLROptions {
  double gamma = 0;  ///< above 0; must be given
};
struct CosineAnnealingLROptions {
  std::int64_t t_max = 0;  ///< steps from base to eta_min, at least 1; must be given
  double eta_min = 0;      ///< at least 0
  bool stays = false;      ///< at eta_min after t_max, as in Keras, MLX and Optax; else it rises again, as in PyTorch
};
struct CosineAnnealingWarmRestartsOptions {
  std::int64_t t_0 = 0;     ///< steps of the first cycle, at least 1; must be given
  std::int64_t t_mult = 1;  ///< each cycle is so many times as long as the one before, at least 1
  double eta_min = 0;       ///< at least 0
};
enum class Anneal { cosine, linear };
struct OneCycleLROptions {
  std::int64_t total_steps = 0;  ///< at least 2; must be given
  double pct_start = 0.3;        ///< in [0, 1): the share of the steps on which the rate rises
  Anneal anneal = Anneal::cosine;
  double div_factor = 25;         ///< above 0: it begins at base / div_factor
  double final_div_factor = 1e4;  ///< above 0: it ends at base / div_factor / final_div_factor
};
struct InverseSqrtLROptions {
  std::int64_t warm_up = 1;  ///< at least 1: the step, counted from 1, at which the rate is highest
};
struct LinearLROptions {
  double start_factor = 1.0 / 3;  ///< in (0, 1]
  double end_factor = 1;          ///< in [0, 1]
  std::int64_t total_iters = 5;   ///< at least 1
};
struct SequentialLROptions {
  std::vector<Curve> curves;             ///< each begins at its milestone with count 0, and at the groups' own rates
  std::vector<std::int64_t> milestones;  ///< where the second, third, … begins: above 0, ascending
};
struct ChainedLROptions {
  std::vector<Curve> curves;  ///< each is applied to what the one before gives: factors multiply
};

// Each throws a ValueError for options out of range.
Curve step_lr(StepLROptions options);                ///< base gamma^floor(count / step_size)
Curve exponential_lr(ExponentialLROptions options);  ///< base gamma^count
Curve multi_step_lr(MultiStepLROptions options);     ///< base gamma^(milestones that are at most count)
/// eta_min + (base - eta_min) (1 - count / total_iters)^power, and eta_min from there on. At a power of 1 a straight
/// line.
Curve polynomial_lr(PolynomialLROptions options);
/// Smith 2017: up and down between eta_min and base, which is the highest rate, in straight lines.
Curve cyclic_lr(CyclicLROptions options);
/// Hu et al. 2024, section 4.2: a straight rise, base, and a fall to eta_min at total_steps, where it stays. With
/// r the share of the fall that is done, it is base (1 - sqrt(r)) (Hägele et al. 2024, equation 2) or base (1 - r). The
/// rate of the first step is base / warm_up, not 0.
Curve warmup_stable_decay_lr(WarmupStableDecayLROptions options);
/// eta_min + (base - eta_min) (1 + cos(pi count / t_max)) / 2: Loshchilov & Hutter 2017, without restarts.
Curve cosine_annealing_lr(CosineAnnealingLROptions options);
/// The same with restarts (equation 5): from base to almost eta_min in t_0 steps, then in t_0 t_mult, t_0 t_mult^2, …
Curve cosine_annealing_warm_restarts(CosineAnnealingWarmRestartsOptions options);
/// Smith & Topin 2018, in the two phases of PyTorch's OneCycleLR: up to base, which is the highest rate, at count
/// pct_start total_steps - 1, then down until total_steps - 1, and there it stays. Momentum is left alone.
Curve one_cycle_lr(OneCycleLROptions options);
/// base / sqrt(t), where t = count + 1: Kingma & Ba 2015, section 4. Until t = warm_up it rises in a straight line,
/// base t / warm_up^1.5: Vaswani et al. 2017, equation 3, where base is 1 / sqrt(d_model).
Curve inverse_sqrt_lr(InverseSqrtLROptions options);
Curve linear_lr(LinearLROptions options);  ///< warm-up: base times start_factor … end_factor, which it keeps
Curve sequential_lr(SequentialLROptions options);
Curve chained_lr(ChainedLROptions options);

/// A schedule with its options in one: StepLR schedule(optimizer, {.step_size = 30}).
template <class Options, Curve (*curve)(Options)>
class ScheduleOf : public Schedule {
 public:
  ScheduleOf(Optimizer& optimizer, Options options) : Schedule(optimizer, curve(std::move(options))) {}
};
using StepLR = ScheduleOf<StepLROptions, step_lr>;
using MultiStepLR = ScheduleOf<MultiStepLROptions, multi_step_lr>;
using PolynomialLR = ScheduleOf<PolynomialLROptions, polynomial_lr>;
using CyclicLR = ScheduleOf<CyclicLROptions, cyclic_lr>;
using WarmupStableDecayLR = ScheduleOf<WarmupStableDecayLROptions, warmup_stable_decay_lr>;
using ExponentialLR = ScheduleOf<ExponentialLROptions, exponential_lr>;
using CosineAnnealingLR = ScheduleOf<CosineAnnealingLROptions, cosine_annealing_lr>;
using CosineAnnealingWarmRestarts = ScheduleOf<CosineAnnealingWarmRestartsOptions, cosine_annealing_warm_restarts>;
using OneCycleLR = ScheduleOf<OneCycleLROptions, one_cycle_lr>;
using InverseSqrtLR = ScheduleOf<InverseSqrtLROptions, inverse_sqrt_lr>;
using LinearLR = ScheduleOf<LinearLROptions, linear_lr>;
using SequentialLR = ScheduleOf<SequentialLROptions, sequential_lr>;
using ChainedLR = ScheduleOf<ChainedLROptions, chained_lr>;

}  // namespace xgrad::optim
