// Claims that are tried on digits: adapted rates (1), sensitivity (4) and steadiness (9), bias correction (12).
#include <xgrad/core/errors.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "../experiment.h"
#include "claims.h"

namespace lab {
namespace {

using xgrad::message;
using xgrad::NamedVariables;

struct Followed {
  Trained trained;
  std::vector<double> lengths;  // the root mean square of each step's updates, in units of the rate
};

// Trains, and measures how far the weights go.
Followed follow(const Context& context, const Rule& rule, const Settings& settings, std::uint64_t seed,
                std::size_t steps) {
  xgrad::nn::Sequential model = mlp({32}, seed);
  const auto optimizer = rule.make(model.parameters(), settings);
  std::vector<xgrad::Tensor> before;
  Followed result;
  const auto remember = [&](std::size_t) {
    before.clear();
    for (const auto& [name, parameter] : optimizer->parameters()) before.push_back(parameter.value());
  };
  const auto measure = [&](std::size_t) {
    double sum = 0, count = 0;
    for (std::size_t p = 0; p < before.size(); ++p) {
      const xgrad::Tensor& now = optimizer->parameters()[p].second.value();
      for (std::size_t i = 0; i < now.size(); ++i)
        sum += std::pow(double{now.data()[i]} - double{before[p].data()[i]}, 2);
      count += static_cast<double>(now.size());
    }
    result.lengths.push_back(std::sqrt(sum / count) / settings.lr);
  };
  result.trained = train(model, *optimizer, context.data.train,
                         {.steps = steps, .seed = seed, .before_step = remember, .after_step = measure});
  return result;
}

double mean(const std::vector<double>& values, std::size_t from, std::size_t to) {
  double sum = 0;
  for (std::size_t i = from; i < to; ++i) sum += values.at(i);
  return sum / static_cast<double>(to - from);
}

struct Compared {
  double rate;
  std::vector<std::vector<double>> losses, lengths;
  std::vector<double> final, early, late;
};

Compared at_best_rate(const Context& context, const Rule& one, const std::vector<double>& rates, std::size_t steps) {
  const std::vector<std::uint64_t> all = seeds(context);
  const Sweep sweep = sweep_digits(context, one, rates, steps, {all[0], all[1]});
  Compared result = {rates[sweep.best()], {}, {}, {}, {}, {}};
  for (const std::uint64_t seed : all) {
    const Followed run = follow(context, one, {.lr = result.rate}, seed, steps);
    result.losses.push_back(smoothed(run.trained.losses, 10));
    result.lengths.push_back(run.lengths);
    result.final.push_back(final_loss(run.trained));
    result.early.push_back(mean(run.lengths, 0, steps / 10));
    result.late.push_back(mean(run.lengths, steps - steps / 10, steps));
  }
  return result;
}

bool all_below(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) { return x < y; });
}

}  // namespace

Blocks adapted_rates(const Context& context) {
  const std::size_t steps = context.pick<std::size_t>(150, 1000);
  const Compared adam = at_best_rate(context, rule("adam"), {1e-3, 3e-3, 1e-2, 3e-2}, steps);
  const Compared sgd = at_best_rate(context, rule("sgd"), {1e-1, 3e-1, 1}, steps);
  const bool shorter = all_below(adam.late, adam.early), faster = all_below(adam.final, sgd.final);
  const Verdict verdict = shorter && faster   ? Verdict::holds
                          : shorter || faster ? Verdict::holds_if
                                              : Verdict::does_not_hold;
  const std::string steps_words = shorter ? "Adam's steps get shorter" : "Adam's steps do not get shorter in every run";
  const std::string speed_words = faster ? "it ends lower than SGD at its best fixed rate, with every seed"
                                         : "it does not end lower than SGD at its best fixed rate with every seed";
  const auto row = [](const char* name, const Compared& c) {
    return std::vector<Cell>{name, Cell(c.rate, 1), Cell::spread(c.final), Cell::spread(c.early), Cell::spread(c.late)};
  };
  const std::vector<double> t = counted(steps);
  return {
      Claim{1,
            "Adam adapts the rate of each parameter: large steps early and small ones late, and so it converges faster "
            "than a fixed rate",
            verdict, message(steps_words, ", and ", speed_words, ".")},
      Text{message("A network 784-32-10 learns digits for ", steps,
                   " steps with Adam and with SGD, each at its best rate of a sweep. The claim "
                   "holds where late updates are shorter than early ones and Adam's last losses lower, both with each "
                   "of five seeds; it holds in part "
                   "where one of these is so. Nothing in Adam's formula shortens steps as such: m̂ / √v̂ shrinks when "
                   "gradients change their sign "
                   "from batch to batch, which they do near a minimum.")},
      LineChart{
          .name = "1-loss",
          .title = "Training loss, each at its best rate",
          .note = "Means over ten steps: median and range of five seeds.",
          .x = {.label = "step"},
          .y = {.label = "cross entropy", .logarithmic = true},
          .lines = {thinned(summary("Adam", "adam", t, adam.losses)), thinned(summary("SGD", "sgd", t, sgd.losses))}},
      LineChart{
          .name = "1-length",
          .title = "How long the updates are",
          .note = "Root mean square over all weights, divided by the rate: for SGD that is the size of its gradients.",
          .x = {.label = "step"},
          .y = {.label = "update / rate", .logarithmic = true},
          .lines = {thinned(summary("Adam", "adam", t, adam.lengths)), thinned(summary("SGD", "sgd", t, sgd.lengths))}},
      Table{"1-numbers",
            "Five seeds: median (least to largest)",
            {"optimizer", "best rate", "final loss", "update / rate, first tenth", "last tenth"},
            {row("Adam", adam), row("SGD", sgd)}},
  };
}

Blocks sensitivity_and_steadiness(const Context& context, std::size_t number) {
  constexpr double factor = 2;
  const std::size_t steps = context.pick<std::size_t>(80, 400);
  const std::vector<double> rates = log_spaced(1e-5, 1, context.pick<std::size_t>(11, 21));
  const std::vector<std::string_view> ids =
      number == 4 ? std::vector<std::string_view>{"adam", "sgd"} : std::vector<std::string_view>{"adam", "adamax"};
  std::vector<Sweep> sweeps;
  for (const std::string_view id : ids) {
    std::vector<double> all = rates;
    if (id == "sgd")  // its rates are in other units, and it is usable at some above 1
      for (const double extra : {3.16, 10.0}) all.push_back(extra);
    sweeps.push_back(sweep_digits(context, rule(id), all, steps, seeds(context)));
  }
  std::vector<std::vector<double>> widths;
  for (const Sweep& sweep : sweeps) widths.push_back(sweep.usable_decades(factor));
  const double first = median(widths[0]), second = median(widths[1]);
  const std::string name = std::to_string(number);

  Blocks blocks;
  if (number == 4) {
    const Sweep& adam = sweeps[0];
    const double best = median(adam.losses[adam.best()]), low = median(adam.losses.front()),
                 high = median(adam.losses.back());
    const bool ends_fail = !(low <= factor * best) && !(high <= factor * best);
    const Verdict verdict = !ends_fail ? Verdict::does_not_hold : first < 1 ? Verdict::holds : Verdict::holds_if;
    blocks = {
        Claim{4, "Adam can be very sensitive to the learning rate: too large does not converge, too small is slow",
              verdict,
              verdict == Verdict::holds      ? "Both ends of the sweep fail, and less than a decade between them works."
              : verdict == Verdict::holds_if ? message("Both ends of the sweep fail, but a whole decade or more works: "
                                                       "the rate matters if it is off by a "
                                                       "factor of ten. SGD's range is ",
                                                       second > first ? "wider." : "no wider.")
                                             : "One end of the sweep works nearly as well as the best rate."},
        Text{message("Final training loss on digits after ", steps,
                     " steps, over the rate. A rate is usable where the loss is at most twice the least "
                     "of the sweep. Both ends failing with less than a decade in between would be very sensitive.")}};
  } else {
    const auto [low1, high1] = std::minmax_element(widths[0].begin(), widths[0].end());
    const auto [low2, high2] = std::minmax_element(widths[1].begin(), widths[1].end());
    const Verdict verdict = *low2 > *high1   ? Verdict::holds
                            : second > first ? Verdict::holds_if
                                             : Verdict::does_not_hold;
    blocks = {
        Claim{
            9, "AdaMax is steadier across learning rates", verdict,
            verdict == Verdict::holds ? "Its usable range is wider than Adam's with any pair of seeds."
            : verdict == Verdict::holds_if
                ? "Its usable range is wider in the median, but not with every pair of seeds: if one looks at many "
                  "runs."
                : "Its usable range is no wider than Adam's: it lies at larger rates, because its steps are shorter."},
        Text{message(
            "The same sweep for both. The width is the range of rates, in decades, in which the final loss is at most "
            "twice the run's least. The claim "
            "holds if the narrowest of Adamax is wider than the widest of Adam, and in part if the median is.")}};
  }
  std::vector<Line> lines;
  DotPlot plot = {.name = name + "-widths",
                  .title = "Width of the usable range of rates",
                  .note = "A dot for each of five seeds, and the median.",
                  .x = {.label = "decades", .low = 0},
                  .groups = {}};
  Table table = {name + "-numbers",
                 "Five seeds: median (least to largest)",
                 {"optimizer", "best rate", "loss there", "usable decades"},
                 {}};
  for (std::size_t i = 0; i < sweeps.size(); ++i) {
    lines.push_back(sweeps[i].line());
    plot.groups.push_back({sweeps[i].label, sweeps[i].color, widths[i]});
    table.rows.push_back({sweeps[i].label, Cell(sweeps[i].rates[sweeps[i].best()], 1),
                          Cell::spread(sweeps[i].losses[sweeps[i].best()]), Cell::spread(widths[i])});
  }
  blocks.insert(blocks.end(), {LineChart{.name = name + "-sweep",
                                         .title = "Final loss over the rate",
                                         .note = "Median and range of five seeds; a gap is a run that diverged.",
                                         .x = {.label = "rate", .logarithmic = true},
                                         .y = {.label = "final loss", .logarithmic = true, .high = 20},
                                         .lines = lines},
                               plot, table});
  return blocks;
}

Blocks bias_correction(const Context& context) {
  const std::size_t steps = 100, first = 10;
  const std::vector<double> t = counted(steps);
  struct Setting {
    const char *label, *id, *color;
    double beta2;
    bool corrected;
  };
  const std::vector<Setting> settings = {{"Adam", "adam", "adam", 0.999, true},
                                         {"Adam, without", "adam", "n5", 0.999, false},
                                         {"Adam, β₂ 0.9999, without", "adam", "n3", 0.9999, false},
                                         {"Adamax", "adamax", "adamax", 0.999, true},
                                         {"Adamax, without", "adamax", "n4", 0.999, false}};
  std::vector<Line> losses, lengths;
  Table table = {"12-numbers",
                 "Five seeds: median (least to largest)",
                 {"setting", "longest of the first 10 updates / α", "loss at step 10", "loss at step 100"},
                 {}};
  std::vector<std::vector<double>> longest, at_end;
  for (const Setting& s : settings) {
    std::vector<std::vector<double>> runs, far;
    std::vector<double> most, early, late;
    for (const std::uint64_t seed : seeds(context)) {
      const Followed run = follow(context, rule(s.id),
                                  {.lr = rule(s.id).lr, .beta2 = s.beta2, .bias_correction = s.corrected}, seed, steps);
      runs.push_back(smoothed(run.trained.losses, 5));
      far.push_back(run.lengths);
      most.push_back(*std::max_element(run.lengths.begin(), run.lengths.begin() + first));
      early.push_back(runs.back()[first - 1]);
      late.push_back(runs.back().back());
    }
    losses.push_back(summary(s.label, s.color, t, runs));
    lengths.push_back(summary(s.label, s.color, t, far));
    table.rows.push_back({s.label, Cell::spread(most), Cell::spread(early), Cell::spread(late)});
    longest.push_back(most);
    at_end.push_back(late);
  }
  const double jump = median(longest[1]) / median(longest[0]), cost = median(at_end[1]) / median(at_end[0]);
  const bool matters = jump > 1.5 || 1 / jump > 1.5;
  const char* later = cost > 1.1       ? "still higher after 100 steps."
                      : 1 / cost > 1.1 ? "lower after 100 steps: here, long steps at first did no harm."
                                       : "about the same after 100 steps.";
  table.rows.push_back(
      {"Adam, without / with", Cell(jump), Cell(std::numeric_limits<double>::quiet_NaN()), Cell(cost)});
  return {
      Claim{12, "Bias correction matters in the first steps", matters ? Verdict::holds : Verdict::does_not_hold,
            matters ? message("Without it, Adam's first steps have another length by far; the loss is ", later)
                    : "The first steps are about as long with it as without."},
      Text{"Without correction m is too small by 1 - β₁ᵗ and √v by √(1 - β₂ᵗ), which is less: Adam's steps are too "
           "long, by 3.16 in the first step at the "
           "usual betas, and by ten with β₂ = 0.9999. Adamax's u needs no correction, so that its steps are too short. "
           "The claim holds where the longest of "
           "Adam's first ten steps differs by a factor of 1.5 at least."},
      LineChart{.name = "12-loss",
                .title = "Training loss in the first 100 steps",
                .note = "Means over five steps: median and range of five seeds.",
                .x = {.label = "step"},
                .y = {.label = "cross entropy", .logarithmic = true},
                .lines = losses},
      LineChart{.name = "12-length",
                .title = "How long the updates are",
                .note = "Root mean square over all weights, divided by the rate α.",
                .x = {.label = "step", .logarithmic = true},
                .y = {.label = "update / α", .logarithmic = true},
                .lines = lengths},
      table,
  };
}

}  // namespace lab
