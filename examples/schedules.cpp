// Plots every schedule of the learning rate, each for 100 steps from a base rate of 1: schedules [FILE.svg]
#include <xgrad/xgrad.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <vector>

#include "cli/program.h"
#include "line_plot.h"

using namespace xgrad;
using namespace xgrad::optim;

constexpr int steps = 100;

// The rates of a real optimizer, read before each step: they hold for that step, and so the line has stairs. A schedule
// is moved on by step(), the plateau's by step(metric).
template <class Advance>
line_plot::Line rates(Optimizer& optimizer, const Advance& advance) {
  line_plot::Line line{.points = {}, .stairs = true};
  for (int i = 0; i < steps; ++i) {
    line.points.emplace_back(i, optimizer.lr());
    advance(i);
  }
  line.points.emplace_back(steps, line.points.back().second);
  return line;
}

SGD optimizer() { return SGD({{"x", Variable(ones({1}), true)}}, {.lr = 1}); }

line_plot::Panel panel(const char* title, const char* subtitle, const Curve& curve) {
  SGD sgd = optimizer();
  Schedule schedule(sgd, curve);
  const line_plot::Line rate = rates(sgd, [&](int) { schedule.step(); });
  return {.title = title, .subtitle = subtitle, .x_label = "step", .y_label = "rate", .lines = {rate}, .top = 1};
}

// A loss that falls and then rests, three times over, drawn pale behind the rate that answers to it.
line_plot::Panel plateau() {
  SGD sgd = optimizer();
  ReduceLROnPlateau schedule(sgd, {.factor = 0.5, .patience = 8});
  line_plot::Line losses{.points = {}, .pale = true, .stairs = true};
  const line_plot::Line rate = rates(sgd, [&](int i) {
    const double loss = std::pow(0.6, i / 34) * (0.6 + 0.4 * std::exp(-(i % 34) / 2.0));
    losses.points.emplace_back(i, loss);
    schedule.step(loss);
  });
  return {.title = "ReduceLROnPlateau",
          .subtitle = "patience 8, factor 0.5; pale: a loss",
          .x_label = "step",
          .y_label = "rate, loss",
          .lines = {losses, rate},
          .top = 1};
}

int main(int argc, char** argv) {
  return cli::run_program("schedules", [&] {
    const char* path = argc > 1 ? argv[1] : "schedules.svg";
    const Curve warm_up = linear_lr({.start_factor = 0.1, .total_iters = 20});
    const Curve fall = exponential_lr({.gamma = 0.96}), cosine = cosine_annealing_lr({.t_max = 80});
    const std::vector<line_plot::Panel> panels = {
        panel("StepLR", "step_size 25, gamma 0.25", step_lr({.step_size = 25, .gamma = 0.25})),
        panel("ExponentialLR", "gamma 0.96", fall),
        panel("MultiStepLR", "milestones 30 and 80, gamma 0.3", multi_step_lr({.milestones = {30, 80}, .gamma = 0.3})),
        panel("PolynomialLR", "total_iters 100, power 2", polynomial_lr({.total_iters = steps, .power = 2})),
        panel("CyclicLR", "step_size_up 10, down 20, triangular2",
              cyclic_lr({.step_size_up = 10, .step_size_down = 20, .mode = Cycle::triangular2})),
        panel("WarmupStableDecayLR", "warm_up 10, decay 30: 1 - sqrt",
              warmup_stable_decay_lr({.total_steps = steps, .warm_up = 10, .decay = 30})),
        panel("LinearLR", "start_factor 0.1, total_iters 20", warm_up),
        panel("CosineAnnealingLR", "t_max 100", cosine_annealing_lr({.t_max = steps})),
        panel("CosineAnnealingWarmRestarts", "t_0 15, t_mult 2",
              cosine_annealing_warm_restarts({.t_0 = 15, .t_mult = 2})),
        panel("OneCycleLR", "total_steps 100", one_cycle_lr({.total_steps = steps})),
        panel("OneCycleLR", "total_steps 100, anneal linear",
              one_cycle_lr({.total_steps = steps, .anneal = Anneal::linear})),
        panel("InverseSqrtLR", "1 / sqrt(t)", inverse_sqrt_lr({})),
        panel("InverseSqrtLR", "warm_up 20: t / 20^1.5, then 1 / sqrt(t)", inverse_sqrt_lr({.warm_up = 20})),
        panel("SequentialLR", "LinearLR, after 20 steps CosineAnnealingLR",
              sequential_lr({.curves = {warm_up, cosine}, .milestones = {20}})),
        panel("ChainedLR", "LinearLR times ExponentialLR", chained_lr({.curves = {warm_up, fall}})),
        plateau(),
    };
    line_plot::write(path, "Schedules of the learning rate, from a base rate of 1", panels, 4);
    std::printf("%zu schedules: %s\n", panels.size(), path);
    return 0;
  });
}
