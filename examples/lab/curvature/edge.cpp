// Sharpness along training, beside what a rate can stand.
#include <xgrad/core/errors.h>
#include <xgrad/optim/sgd.h>

#include <algorithm>
#include <cmath>

#include "../compare.h"
#include "../experiment.h"
#include "full_batch.h"
#include "parts.h"
#include "preconditioner.h"
#include "verdicts.h"

namespace lab {
namespace {

using namespace xgrad;

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

// What was measured of each start, column by column.
struct Columns {
  std::vector<std::vector<double>> values = {};
  void add(const std::vector<double>& one) {
    values.resize(one.size());
    for (std::size_t i = 0; i < one.size(); ++i) values[i].push_back(one[i]);
  }
};

// At the steps of the looks, in units of 1 / `unit`; a run that ended early has no value after its end.
Line over_starts(const std::string& label, const std::string& color, double unit, const std::vector<Curved>& runs,
                 const std::function<std::vector<double>(const Curved&)>& values) {
  std::vector<double> steps;
  std::vector<std::vector<double>> lists;
  for (const Curved& run : runs) {
    if (run.steps.size() > steps.size()) steps = run.steps;
    lists.push_back(values(run));
  }
  return summary(label, color, scaled(steps, unit), lists);
}

// The losses at all steps.
Line over_steps(const std::string& label, const std::string& color, double unit, const std::vector<Curved>& runs) {
  std::size_t longest = 0;
  std::vector<std::vector<double>> lists;
  for (const Curved& run : runs) lists.push_back(run.losses), longest = std::max(longest, run.losses.size());
  return summary(label, color, scaled(counted(longest), unit), lists);
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
                         .title = say::gd_title{},
                         .note = say::gd_note{},
                         .x = {.label = "step × rate"},
                         .y = {.label = "λ, largest eigenvalue", .low = 0},
                         .lines = {}};
  LineChart losses = {.name = "gd-loss",
                      .title = say::gd_loss_title{},
                      .note = say::gd_loss_note{},
                      .x = {.label = "step × rate"},
                      .y = {.label = "training loss: squared error", .logarithmic = true},
                      .lines = {}};
  Table table = {
      .name = "gd",
      .caption = say::gd_caption{},
      .columns = {"rate α", "2/α", "λ at first", "λ in the last third", "over 2/α", "first step with λ ≥ 2/α",
                  "steps that raise the loss before, %", "and after, %", "loss at the end"},
      .rows = {}};
  const std::vector<std::uint64_t> starts = seeds(context);
  const std::size_t all = rates.size() * starts.size();
  std::size_t arrived = 0, stayed = 0, done = 0;
  std::vector<std::vector<double>> ends;  // λ in the last third, for each rate and start
  for (const double rate : rates) {
    const std::string label = "α = " + number_text(rate, 2);
    const double limit = 2 / rate;
    std::vector<Curved> runs;
    Columns of;
    for (const std::uint64_t start : starts) {
      FullBatch batch(subset(context), start);
      optim::SGD optimizer(batch.parameters, {.lr = rate});
      runs.push_back(follow(batch, optimizer,
                            {.steps = static_cast<std::size_t>(flow / rate),
                             .looks = context.pick<std::size_t>(12, 120),
                             .progress = part_of(progress, done++, all)}));
      const Curved& run = runs.back();
      const double there = first_at(run, run.raw, limit), late = run.raw.empty() ? nothing : last_third(run.raw);
      of.add({run.raw.empty() ? nothing : run.raw.front(), late, late / limit, there,
              rises(run, 0, std::isnan(there) ? 1e9 : there), std::isnan(there) ? nothing : rises(run, there, 1e9),
              run.losses.empty() ? nothing : run.losses.back()});
      arrived += !std::isnan(there);
      stayed += !std::isnan(there) && late / limit > 0.8 && late / limit < 1.25;
    }
    sharpness.lines.push_back(over_starts(label, "", rate, runs, [](const Curved& run) { return run.raw; }));
    sharpness.marks.push_back({"2/" + number_text(rate, 2), limit, true});
    losses.lines.push_back(thinned(over_steps(label, "", rate, runs)));
    std::vector<Cell> row = {Cell(rate, 2), Cell(limit)};
    for (const std::vector<double>& column : of.values) row.push_back(Cell::spread(column, 2));
    table.rows.push_back(row);
    ends.push_back(of.values[1]);
  }
  const Verdict flatter = lower(ends.front(), ends.back());  // the highest rate against the lowest
  return {
      Heading{say::gd_heading{}},
      Text{say::gd_words{.samples = subset(context).size()}},
      sharpness,
      losses,
      table,
      Text{say::gd_result{.arrived = all_or(arrived, all), .stayed = all_or(stayed, all)}},
      Text{flatter == Verdict::yes ? std::string(say::gd_flatter{}) : say::gd_no_flatter{}},
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

Curved follow(const Context& context, const Adaptive& run, std::uint64_t start, std::size_t steps,
              const Progress& progress) {
  FullBatch batch(subset(context), start);
  const auto optimizer =
      rule(run.adamax ? "adamax" : "adam")
          .make(batch.parameters, {.lr = run.lr, .beta1 = run.beta1, .bias_correction = run.corrected});
  return follow(batch, *optimizer,
                {.steps = steps,
                 .looks = context.pick<std::size_t>(9, 100),
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
                     .title = say::adaptive_title{},
                     .note = say::adaptive_note{},
                     .x = {.label = "step"},
                     .y = {.label = "λ(P⁻¹ᐟ² H P⁻¹ᐟ²) over its threshold", .logarithmic = true},
                     .lines = {},
                     .marks = {{"threshold", 1, true}}};
  LineChart raw = {.name = "adaptive-raw",
                   .title = say::adaptive_raw_title{},
                   .note = say::adaptive_raw_note{},
                   .x = {.label = "step"},
                   .y = {.label = "λ, largest eigenvalue", .low = 0},
                   .lines = {}};
  LineChart losses = {.name = "adaptive-loss",
                      .title = say::adaptive_loss_title{},
                      .note = say::adaptive_loss_note{},
                      .x = {.label = "step"},
                      .y = {.label = "training loss: squared error", .logarithmic = true},
                      .lines = {}};
  Table table = {.name = "adaptive",
                 .caption = say::adaptive_caption{},
                 .columns = {"run", "threshold", "2/α", "preconditioned eigenvalue", "over the threshold", "λ of H",
                             "λ of H over 2/α", "largest ‖g‖ over the first", "loss at the end"},
                 .rows = {}};
  const std::vector<std::uint64_t> starts = seeds(context);
  const std::size_t all = runs.size() * starts.size();
  std::size_t there = 0, raw_there = 0, done = 0;
  std::string above, not_yet, shortened, varied;
  for (const Adaptive& one : runs) {
    const double limit = threshold(one);
    std::vector<Curved> curves;
    Columns of;
    std::vector<judge::Edge> places;
    for (const std::uint64_t start : starts) {
      curves.push_back(follow(context, one, start, steps, part_of(progress, done++, all)));
      const Curved& run = curves.back();
      const double late = run.raw.empty() ? nothing : last_third(run.preconditioned),
                   late_raw = run.raw.empty() ? nothing : last_third(run.raw);
      const double spike =
          run.gradient_norms.empty()
              ? nothing
              : *std::max_element(run.gradient_norms.begin(), run.gradient_norms.end()) / run.gradient_norms.front();
      of.add({late, late / limit, late_raw, late_raw * one.lr / 2, spike,
              run.losses.empty() ? nothing : run.losses.back()});
      raw_there += judge::edge(late_raw, 2 / one.lr, spike) == judge::Edge::at;
      places.push_back(judge::edge(late, limit, spike));
      there += places.back() == judge::Edge::at;
    }
    const auto styled = [&](Line line) {
      line.dashed = one.dashed;
      return line;
    };
    ratio.lines.push_back(styled(over_starts(one.label, one.color, 1, curves, [limit](const Curved& run) {
      return scaled(run.preconditioned, 1 / limit);
    })));
    raw.lines.push_back(
        styled(over_starts(one.label, one.color, 1, curves, [](const Curved& run) { return run.raw; })));
    losses.lines.push_back(thinned(styled(over_steps(one.label, one.color, 1, curves))));
    std::vector<Cell> row = {one.label, Cell(limit), Cell(2 / one.lr)};
    for (const std::vector<double>& column : of.values) row.push_back(Cell::spread(column, 2));
    table.rows.push_back(row);
    std::string none;
    const bool same = std::count(places.begin(), places.end(), places[0]) == std::ssize(places);
    std::string& list = !same                                          ? varied
                        : places[0] == judge::Edge::above              ? above
                        : places[0] == judge::Edge::below              ? not_yet
                        : places[0] == judge::Edge::below_after_growth ? shortened
                                                                       : none;
    list += (list.empty() ? "" : "; ") + one.label;
  }
  Blocks blocks = {
      Heading{say::adaptive_heading{}},
      Text{say::adaptive_words{}},
      ratio,
      raw,
      losses,
      table,
      Text{say::adaptive_result{.raw = all_or(raw_there, all), .there = all_or(there, all)}},
  };
  if (!above.empty()) blocks.emplace_back(Text{say::adaptive_above{.runs = above}});
  if (!not_yet.empty()) blocks.emplace_back(Text{say::adaptive_below{.runs = not_yet, .steps = steps}});
  if (!shortened.empty()) blocks.emplace_back(Text{say::adaptive_shortened{.runs = shortened}});
  if (!varied.empty()) blocks.emplace_back(Text{say::adaptive_varied{.runs = varied}});
  return blocks;
}

}  // namespace lab
