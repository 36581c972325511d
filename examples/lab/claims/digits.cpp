// Claims that are tried on digits: adapted rates (1), sensitivity (4 and 19), steadiness (9), bias correction (12).
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "../sweep.h"
#include "claims.h"
#include "verdicts.h"

namespace lab {
namespace {

using namespace xgrad;

struct Followed {
  Trained trained;
  std::vector<double> lengths;  // the root mean square of each step's updates, in units of the rate
};

// Trains, and measures how far the weights go.
Followed follow(const Context& context, const Rule& rule, const Settings& settings, std::uint64_t seed,
                std::size_t steps) {
  nn::Sequential model = mlp({32}, seed);
  const auto optimizer = rule.make(model.parameters(), settings);
  std::vector<Tensor> before;
  Followed result;
  const auto remember = [&](std::size_t) {
    before.clear();
    for (const auto& [name, parameter] : optimizer->parameters()) before.push_back(parameter.value());
  };
  const auto measure = [&](std::size_t) {
    double sum = 0, count = 0;
    for (std::size_t p = 0; p < before.size(); ++p) {
      const Tensor& now = optimizer->parameters()[p].second.value();
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

// As far as a thousand numbers go whose gradients are noise around 0.
std::vector<double> lengths_of_noise(double lr, std::uint64_t seed, std::size_t steps) {
  const Variable x(zeros({1000}), true);
  const auto optimizer = rule("adam").make({{"x", x}}, {.lr = lr});
  Generator generator(seed);
  std::vector<double> lengths;
  for (std::size_t t = 0; t < steps; ++t) {
    x.mutable_value() = zeros({1000});
    optimizer->zero_grad();
    sum(x * Variable(generator.normal({1000}))).backward();
    optimizer->step();
    double squares = 0;
    for (const Scalar value : x.value()) squares += std::pow(double{value}, 2);
    lengths.push_back(std::sqrt(squares / 1000) / lr);
  }
  return lengths;
}

double mean(const std::vector<double>& values, std::size_t from, std::size_t to) {
  double sum = 0;
  for (std::size_t i = from; i < to; ++i) sum += values.at(i);
  return sum / static_cast<double>(to - from);
}

// The last tenth over what comes after the first third of a hundred steps: in the very first steps m̂ / √v̂ is 1 for
// whatever gradients.
double shrunk(const std::vector<double>& lengths) {
  const std::size_t steps = lengths.size();
  return mean(lengths, steps - steps / 10, steps) / mean(lengths, 30, 60);
}

struct Compared {
  double rate;
  std::vector<std::vector<double>> losses = {}, lengths = {};
  std::vector<double> final = {}, shrunk = {};
};

Compared judged(const Context& context, const Sweep& sweep, std::size_t steps) {
  Compared result = {sweep.rates[sweep.best()]};
  for (const std::uint64_t seed : seeds(context)) {
    const Followed run = follow(context, rule(sweep.color), {.lr = result.rate}, seed, steps);
    result.losses.push_back(smoothed(run.trained.losses, 10));
    result.lengths.push_back(run.lengths);
    result.final.push_back(final_loss(run.trained));
    result.shrunk.push_back(run.trained.diverged ? std::numeric_limits<double>::quiet_NaN() : shrunk(run.lengths));
  }
  return result;
}

}  // namespace

Blocks adapted_rates(const Context& context) {
  const std::size_t steps = context.pick<std::size_t>(150, 1000);
  const std::vector<Sweep> sweeps = fair_sweeps({on_digits(context, rule("adam"), steps, tuning_seeds(context)),
                                                 on_digits(context, rule("sgd"), steps, tuning_seeds(context))});
  const Compared adam = judged(context, sweeps[0], steps), sgd = judged(context, sweeps[1], steps);
  std::vector<std::vector<double>> noise;
  std::vector<double> by_noise;
  for (const std::uint64_t seed : seeds(context)) {
    noise.push_back(lengths_of_noise(adam.rate, seed, steps));
    by_noise.push_back(shrunk(noise.back()));
  }
  const auto parts = judge::adapted_rates(adam.shrunk, by_noise, adam.final, sgd.final);
  const std::string by = number_text(median(adam.shrunk), 2), by_chance = number_text(median(by_noise), 2);
  const std::vector<double> t = counted(steps);
  return {
      Claim{1, say::rates_claim{}, parts.all(),
            either(parts.part[0], say::rates_shorter{.by = by, .noise = by_chance},
                   say::rates_not_shorter{.by = by, .noise = by_chance},
                   say::rates_maybe_shorter{.by = by, .noise = by_chance}) +
                " " +
                either(parts.part[1], say::rates_faster{}, say::rates_slower{},
                       say::rates_as_fast{.adam = median(adam.final), .sgd = median(sgd.final)})},
      Text{say::rates_rule{.steps = steps}},
      LineChart{
          .name = "1-loss",
          .title = say::rates_loss_title{},
          .note = say::rates_loss_note{},
          .x = {.label = "step"},
          .y = {.label = "cross entropy", .logarithmic = true},
          .lines = {thinned(summary("Adam", "adam", t, adam.losses)), thinned(summary("SGD", "sgd", t, sgd.losses))}},
      LineChart{.name = "1-length",
                .title = say::rates_length_title{},
                .note = say::rates_length_note{},
                .x = {.label = "step"},
                .y = {.label = "update / rate", .logarithmic = true},
                .lines = {thinned(summary("Adam", "adam", t, adam.lengths)),
                          thinned(summary("Adam, gradients of noise", "n5", t, noise))}},
      where_best_lies("1-sweep", say::tuning_caption{}, sweeps),
      Table{"1-numbers",
            say::five_seeds{},
            {"optimizer", "rate", "final loss", "late steps / early steps"},
            {{"Adam", Cell(adam.rate, 2), Cell::spread(adam.final), Cell::spread(adam.shrunk)},
             {"SGD", Cell(sgd.rate, 2), Cell::spread(sgd.final), Cell("")},
             {"Adam, gradients of noise", Cell(adam.rate, 2), Cell(""), Cell::spread(by_noise)}}},
  };
}

Blocks sensitivity(const Context& context) {
  constexpr double factor = 2;
  const std::size_t steps = context.pick<std::size_t>(80, 400);
  std::vector<Contestant> all;
  for (const char* id : {"adam", "adamax", "sgd"}) all.push_back(on_digits(context, rule(id), steps, seeds(context)));
  const std::vector<Sweep> sweeps = fair_sweeps(all, {.usable = factor});
  std::vector<std::vector<double>> widths;
  std::vector<Line> lines;
  DotPlot plot = {.name = "4-widths",
                  .title = say::width_title{},
                  .note = say::width_note{},
                  .x = {.label = "decades", .low = 0},
                  .groups = {}};
  for (const Sweep& sweep : sweeps) {
    widths.push_back(sweep.usable_decades(factor));
    lines.push_back(sweep.line());
    plot.groups.push_back({sweep.label, sweep.color, widths.back()});
  }
  const std::string adam = number_text(median(widths[0])), adamax = number_text(median(widths[1])),
                    sgd = number_text(median(widths[2]));
  const Verdict very = judge::very_sensitive(widths[0]), not_at_all = judge::insensitive(widths[0]),
                steadier = lower(widths[0], widths[1]);
  const std::string than_sgd = either(lower(widths[2], widths[0]), say::wider_than_sgd{.sgd = sgd},
                                      say::narrower_than_sgd{.sgd = sgd}, say::as_wide_as_sgd{.sgd = sgd});
  return {
      Claim{4, say::sensitive_claim{}, very,
            either(very, say::sensitive_yes{.adam = adam}, say::sensitive_no{.adam = adam},
                   say::sensitive_undecided{.adam = adam})},
      Text{say::sensitive_rule{.steps = steps}},
      LineChart{.name = "4-sweep",
                .title = say::sweep_title{},
                .note = say::sweep_note{},
                .x = {.label = "rate", .logarithmic = true},
                .y = {.label = "final loss", .logarithmic = true, .high = 5},
                .lines = lines},
      plot,
      where_best_lies("4-sweep-numbers", say::sweep_caption{}, sweeps),
      usable_table("4-numbers", say::five_seeds{}, sweeps, factor),
      Claim{19, say::insensitive_claim{}, not_at_all,
            either(not_at_all, say::insensitive_yes{.adam = adam}, say::insensitive_no{.adam = adam},
                   say::insensitive_undecided{.adam = adam}) +
                " " + than_sgd},
      Text{say::insensitive_rule{}},
      Claim{9, say::steadier_claim{}, steadier,
            either(steadier, say::steadier_yes{.adam = adam, .adamax = adamax},
                   say::steadier_no{.adam = adam, .adamax = adamax},
                   say::steadier_undecided{.adam = adam, .adamax = adamax})},
      Text{say::steadier_rule{}},
  };
}

Blocks bias_correction(const Context& context) {
  const std::size_t steps = 100, first = 10;
  const std::vector<double> t = counted(steps);
  const std::vector<Sweep> sweeps = fair_sweeps({on_digits(context, rule("adam"), steps, tuning_seeds(context)),
                                                 on_digits(context, rule("adamax"), steps, tuning_seeds(context))});
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
                 say::five_seeds{},
                 {"setting", "rate", "longest of the first 10 updates / α", "loss at step 10", "loss at step 100"},
                 {}};
  std::vector<std::vector<double>> longest, at_end;
  for (const Setting& s : settings) {
    const Sweep& sweep = sweeps[s.id == std::string_view("adam") ? 0 : 1];
    const double lr = sweep.rates[sweep.best()];
    std::vector<std::vector<double>> runs, far;
    std::vector<double> most, early, late;
    for (const std::uint64_t seed : seeds(context)) {
      const Followed run =
          follow(context, rule(s.id), {.lr = lr, .beta2 = s.beta2, .bias_correction = s.corrected}, seed, steps);
      runs.push_back(smoothed(run.trained.losses, 5));
      runs.back().resize(steps, std::numeric_limits<double>::quiet_NaN());
      far.push_back(run.lengths);
      most.push_back(run.lengths.size() < first ? std::numeric_limits<double>::quiet_NaN()
                                                : *std::max_element(run.lengths.begin(), run.lengths.begin() + first));
      early.push_back(runs.back()[first - 1]);
      late.push_back(runs.back().back());
    }
    losses.push_back(summary(s.label, s.color, t, runs));
    lengths.push_back(summary(s.label, s.color, t, far));
    table.rows.push_back({s.label, Cell(lr, 2), Cell::spread(most), Cell::spread(early), Cell::spread(late)});
    longest.push_back(most);
    at_end.push_back(late);
  }
  std::vector<double> jump;
  for (std::size_t i = 0; i < longest[0].size(); ++i) jump.push_back(longest[1][i] / longest[0][i]);
  const Verdict verdict = judge::bias_correction(jump);
  const std::string with = number_text(median(at_end[0])), without = number_text(median(at_end[1]));
  return {
      Claim{12, say::correction_claim{}, verdict,
            either(verdict, say::correction_yes{.jump = median(jump)}, say::correction_no{.jump = median(jump)},
                   say::correction_undecided{.jump = median(jump)}) +
                " " +
                either(lower(at_end[0], at_end[1]), say::correction_costs{.with = with, .without = without},
                       say::correction_gains{.with = with, .without = without},
                       say::correction_alike{.with = with, .without = without})},
      Text{say::correction_rule{}},
      LineChart{.name = "12-loss",
                .title = say::correction_loss_title{},
                .note = say::correction_loss_note{},
                .x = {.label = "step"},
                .y = {.label = "cross entropy", .logarithmic = true},
                .lines = losses},
      LineChart{.name = "12-length",
                .title = say::rates_length_title{},
                .note = say::correction_length_note{},
                .x = {.label = "step", .logarithmic = true},
                .y = {.label = "update / α", .logarithmic = true},
                .lines = lengths},
      where_best_lies("12-sweep", say::tuning_caption{}, sweeps),
      table,
  };
}

}  // namespace lab
