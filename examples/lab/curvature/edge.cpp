// Sharpness along training, beside what a rate can stand.
#include <xgrad/core/errors.h>
#include <xgrad/optim/sgd.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "../experiment.h"
#include "full_batch.h"
#include "parts.h"
#include "preconditioner.h"

namespace lab {
namespace {

using namespace xgrad;

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

datasets::Dataset subset(const Context& context) {
  return context.data.train.slice(0, std::min(context.data.train.size(), context.pick<std::size_t>(500, 1000)));
}

double last_third(const std::vector<double>& values) {
  return median({values.end() - static_cast<std::ptrdiff_t>((values.size() + 2) / 3), values.end()});
}

// The step of the first value that reaches the limit.
double first_at(const Curved& run, const std::vector<double>& values, double limit) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] >= limit) return run.steps[i];
  return nothing;
}

// Of the steps between, the percentage that made the loss larger.
double rises(const Curved& run, double from, double to) {
  double count = 0, rose = 0;
  for (std::size_t i = 1; i < run.losses.size(); ++i)
    if (static_cast<double>(i) >= from && static_cast<double>(i) < to) {
      ++count;
      rose += run.losses[i] > run.losses[i - 1];
    }
  return count > 0 ? 100 * rose / count : nothing;
}

std::vector<double> scaled(std::vector<double> values, double factor) {
  for (double& one : values) one *= factor;
  return values;
}

Progress part_of(const Progress& progress, std::size_t index, std::size_t count) {
  return [=](double share) { progress((static_cast<double>(index) + share) / static_cast<double>(count)); };
}

std::string all_or(std::size_t some, std::size_t all) {
  if (some == all) return message("all ", all);
  if (some == 0) return message("none of the ", all);
  return message(some, " of the ", all);
}

}  // namespace

Blocks gradient_descent_edge(const Context& context, const Progress& progress) {
  const double flow = context.pick(110.0, 240.0);  // rate times steps: the same for every rate
  const std::vector<double> rates =
      context.quick ? std::vector{0.1, 0.075, 0.06} : std::vector{0.1, 0.075, 0.06, 0.045};
  LineChart sharpness = {.name = "gd-sharpness",
                         .title = "Gradient descent: the largest eigenvalue of the Hessian",
                         .note =
                             "The dashed marks are 2/α of each rate. Step times rate is the way that a continuous "
                             "flow down the gradient has gone: as long as its steps are short for the curvature, each "
                             "rate follows that flow.",
                         .x = {.label = "step × rate"},
                         .y = {.label = "largest eigenvalue λ", .low = 0},
                         .lines = {}};
  LineChart losses = {.name = "gd-loss",
                      .title = "Its loss",
                      .note = "",
                      .x = {.label = "step × rate"},
                      .y = {.label = "squared error", .logarithmic = true},
                      .lines = {}};
  Table table = {
      .name = "gd",
      .caption = "Gradient descent on all samples, by rate",
      .columns = {"rate α", "2/α", "λ at first", "λ in the last third", "over 2/α", "first step with λ ≥ 2/α",
                  "steps that raise the loss before, %", "and after, %", "loss at the end"},
      .rows = {}};
  std::size_t arrived = 0, stayed = 0;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    FullBatch batch(subset(context), context.seed);
    optim::SGD optimizer(batch.parameters, {.lr = rates[i]});
    const Curved run = follow(batch, optimizer,
                              {.steps = static_cast<std::size_t>(flow / rates[i]),
                               .looks = context.pick<std::size_t>(30, 120),
                               .progress = part_of(progress, i, rates.size())});
    const std::string label = "α = " + number_text(rates[i], 2);
    const double limit = 2 / rates[i], there = first_at(run, run.raw, limit);
    sharpness.lines.push_back({.label = label, .x = scaled(run.steps, rates[i]), .y = run.raw});
    sharpness.marks.push_back({"2/" + number_text(rates[i], 2), limit, true});
    losses.lines.push_back(
        thinned({.label = label, .x = scaled(counted(run.losses.size()), rates[i]), .y = run.losses}));
    const double late = run.raw.empty() ? nothing : last_third(run.raw);
    table.rows.push_back({Cell(rates[i], 2), Cell(limit), Cell(run.raw.empty() ? nothing : run.raw.front()), Cell(late),
                          Cell(late / limit), Cell::integer(there),
                          Cell(rises(run, 0, std::isnan(there) ? 1e9 : there), 2),
                          Cell(std::isnan(there) ? nothing : rises(run, there, 1e9), 2),
                          Cell(run.losses.empty() ? nothing : run.losses.back())});
    arrived += !std::isnan(there);
    stayed += !std::isnan(there) && late / limit > 0.8 && late / limit < 1.25;
  }
  return {
      Heading{"The edge of stability"},
      Text{message(
          "The largest eigenvalue λ of the Hessian is the curvature in the steepest direction. There, gradient "
          "descent multiplies the distance from the bottom of the valley by 1 - αλ a step: it shrinks "
          "while λ < 2/α, and with a larger λ it grows, with a change of sign in each step. Cohen et al. (2021) saw "
          "that training makes λ larger until it is there, and then stays there, while the loss goes on to fall in the "
          "long run. Here a network 196-32-10 with tanh learns ",
          subset(context).size(),
          " digits (14 x 14 pixels, squared error), with all of them in every step. λ is found by Lanczos' "
          "method from exact Hessian-vector products.")},
      sharpness,
      losses,
      table,
      Text{message(
          "With ", all_or(arrived, rates.size()), " rates λ reached 2/α, and with ", all_or(stayed, rates.size()),
          " it was within a quarter of it in the last third.",
          stayed > 1 ? " Of these, a higher rate ends in a flatter place: it cannot stay in a sharper one." : "")},
  };
}

namespace {

struct Adaptive {
  std::string label, color;
  bool adamax;
  double lr, beta1 = 0.9;
  bool corrected = true, dashed = false;
};

double threshold(const Adaptive& run) { return (2 + 2 * run.beta1) / ((1 - run.beta1) * run.lr); }

Curved follow(const Context& context, const Adaptive& run, std::size_t steps, const Progress& progress) {
  FullBatch batch(subset(context), context.seed);
  const auto optimizer =
      rule(run.adamax ? "adamax" : "adam")
          .make(batch.parameters, {.lr = run.lr, .beta1 = run.beta1, .bias_correction = run.corrected});
  return follow(batch, *optimizer,
                {.steps = steps,
                 .looks = context.pick<std::size_t>(12, 100),
                 .preconditioner = [&run](const optim::Optimizer& of,
                                          std::size_t t) { return preconditioner(of, t, run.beta1, run.corrected); },
                 .progress = progress});
}

}  // namespace

Blocks adaptive_edge(const Context& context, const Progress& progress) {
  const std::vector<Adaptive> runs = {
      {.label = "Adam, α 0.01", .color = "adam", .adamax = false, .lr = 1e-2},
      {.label = "Adam, α 0.003", .color = "adam", .adamax = false, .lr = 3e-3, .dashed = true},
      {.label = "Adam, α 0.01, β₁ 0.5", .color = "n2", .adamax = false, .lr = 1e-2, .beta1 = 0.5},
      {.label = "Adam, α 0.01, β₁ 0", .color = "n5", .adamax = false, .lr = 1e-2, .beta1 = 0},
      {.label = "Adamax, α 0.01", .color = "adamax", .adamax = true, .lr = 1e-2},
      {.label = "Adamax, α 0.03", .color = "adamax", .adamax = true, .lr = 3e-2, .dashed = true},
      {.label = "Adamax, α 0.03, no correction", .color = "n3", .adamax = true, .lr = 3e-2, .corrected = false},
      {.label = "Adamax, α 0.01, β₁ 0", .color = "n6", .adamax = true, .lr = 1e-2, .beta1 = 0},
  };
  const std::size_t steps = context.pick<std::size_t>(600, 2500);
  LineChart ratio = {.name = "adaptive-sharpness",
                     .title = "Adam and Adamax: the largest preconditioned eigenvalue, as a share of its threshold",
                     .note = "At 1 the step is as long as the curvature can stand.",
                     .x = {.label = "step"},
                     .y = {.label = "λ(P⁻¹ᐟ² H P⁻¹ᐟ²) over its threshold", .logarithmic = true},
                     .lines = {},
                     .marks = {{"threshold", 1, true}}};
  LineChart raw = {.name = "adaptive-raw",
                   .title = "The same runs: the largest eigenvalue of H itself",
                   .note = "Gradient descent with these rates would have to keep it below 2/α: see the table.",
                   .x = {.label = "step"},
                   .y = {.label = "largest eigenvalue λ", .low = 0},
                   .lines = {}};
  LineChart losses = {.name = "adaptive-loss",
                      .title = "Their loss",
                      .note = "",
                      .x = {.label = "step"},
                      .y = {.label = "squared error", .logarithmic = true},
                      .lines = {}};
  Table table = {.name = "adaptive",
                 .caption = "Adam and Adamax on all samples; the last third of each run",
                 .columns = {"run", "threshold", "preconditioned λ", "over the threshold", "λ of H", "2/α",
                             "λ of H over 2/α", "largest ‖g‖ over the first", "loss at the end"},
                 .rows = {}};
  std::size_t there = 0, raw_there = 0;
  std::string above, not_yet, shortened;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Adaptive& one = runs[i];
    const Curved run = follow(context, one, steps, part_of(progress, i, runs.size()));
    const double limit = threshold(one), late = run.raw.empty() ? nothing : last_third(run.preconditioned),
                 late_raw = run.raw.empty() ? nothing : last_third(run.raw);
    const double spike =
        run.gradient_norms.empty()
            ? nothing
            : *std::max_element(run.gradient_norms.begin(), run.gradient_norms.end()) / run.gradient_norms.front();
    const auto line = [&](const std::vector<double>& x, const std::vector<double>& y) {
      return Line{.label = one.label, .color = one.color, .x = x, .y = y, .dashed = one.dashed};
    };
    ratio.lines.push_back(line(run.steps, scaled(run.preconditioned, 1 / limit)));
    raw.lines.push_back(line(run.steps, run.raw));
    losses.lines.push_back(thinned(line(counted(run.losses.size()), run.losses)));
    table.rows.push_back({one.label, Cell(limit), Cell(late), Cell(late / limit), Cell(late_raw), Cell(2 / one.lr),
                          Cell(late_raw * one.lr / 2), Cell(spike),
                          Cell(run.losses.empty() ? nothing : run.losses.back())});
    there += late / limit > 0.75 && late / limit < 1.33;
    raw_there += late_raw * one.lr / 2 > 0.75 && late_raw * one.lr / 2 < 1.33;
    std::string& list = late / limit <= 0.75 ? (spike > 1.5 ? shortened : not_yet) : above;
    if (!(late / limit > 0.75 && late / limit < 1.33)) list += (list.empty() ? "" : "; ") + one.label;
  }
  return {
      Heading{"The edge of stability with a preconditioner"},
      Text{"Adam divides each element of m by √v̂ + ε, and so walks as momentum would in coordinates that are stretched "
           "by P = diag(√v̂ + ε) (1 - β₁ᵗ). What counts is the curvature there: the largest eigenvalue of P⁻¹ᐟ² H "
           "P⁻¹ᐟ². With "
           "P held fast, an eigendirection follows x ← x - α m, m ← β₁ m + (1 - β₁) λ x, whose two modes decay as "
           "long as λ < (2 + 2β₁) / ((1 - β₁) α): that is 38/α for β₁ = 0.9, 6/α for 0.5, and 2/α for 0 (Cohen et al. "
           "2022). "
           "Adamax differs in P alone: there it is diag(u) (1 - β₁ᵗ), and diag(u) without the correction, so that its "
           "threshold is the same. v and u are read out of the optimizer's state."},
      ratio,
      raw,
      losses,
      table,
      Text{message("In the last third, ", all_or(there, runs.size()),
                   " runs have a preconditioned eigenvalue within a third of the threshold, and ",
                   all_or(raw_there, runs.size()), " a λ of H within a third of 2/α.",
                   above.empty() ? "" : message(" Above it: ", above, "."),
                   not_yet.empty() ? "" : message(" Below it, after ", steps, " steps: ", not_yet, "."),
                   shortened.empty()
                       ? ""
                       : message(" Below it, after gradients half as large again as the first, or more: ", shortened,
                                 ". These made v and u large, and both forget by β₂ a step only: for a thousand steps "
                                 "P is larger than the gradients of the day would make it, and each step shorter."))},
  };
}

}  // namespace lab
