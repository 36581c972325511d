// Claims that are tried on functions: momentum (2), different scales (3), convergence (13).
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/init.h>
#include <xgrad/optim/minimize.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "../experiment.h"
#include "../race/run.h"
#include "claims.h"

namespace lab {
namespace {

using namespace xgrad;

const Function& named(std::string_view id) {
  return *std::find_if(functions().begin(), functions().end(), [id](const Function& f) { return f.id == id; });
}

std::vector<Position> drawn_starts(const Function& f, std::uint64_t seed, std::size_t count) {
  Generator generator(seed);
  std::vector<Position> starts;
  for (std::size_t i = 0; i < count; ++i)
    starts.push_back({generator.uniform(f.left, f.right), generator.uniform(f.bottom, f.top)});
  return starts;
}

struct Setting {
  std::string label, color;
  const Rule* rule;
  std::optional<double> beta1;
};

// For each seed, a number made of all its runs: at the rate where the median over the seeds is best.
struct Outcome {
  double rate = 0;
  std::vector<double> values;
};

template <class Summary>
Outcome best_outcome(const Function& function, const Setting& setting, const std::vector<double>& rates,
                     std::size_t budget, std::size_t starts_a_seed, bool high_is_good, const Summary& summarize) {
  Outcome best;
  for (const double lr : rates) {
    const std::vector<Trajectory> runs = run(function, *setting.rule, {.lr = lr, .beta1 = setting.beta1}, budget);
    Outcome outcome = {lr, {}};
    for (std::size_t i = 0; i < runs.size(); i += starts_a_seed)
      outcome.values.push_back(summarize(std::span(&runs[i], starts_a_seed)));
    const double here = median(outcome.values), least = median(best.values);
    if (best.values.empty() || (high_is_good ? here > least : here < least)) best = std::move(outcome);
  }
  return best;
}

Function with_starts(const Context& context, const char* id, std::size_t count) {
  Function function = named(id);
  function.starts.clear();
  for (const std::uint64_t seed : seeds(context)) {
    const std::vector<Position> drawn = drawn_starts(function, seed, count);
    function.starts.insert(function.starts.end(), drawn.begin(), drawn.end());
  }
  return function;
}

}  // namespace

Blocks momentum(const Context& context) {
  const std::size_t budget = 500, starts = context.pick<std::size_t>(40, 200);
  const std::vector<double> rates = log_spaced(1e-3, 1, context.pick<std::size_t>(7, 13));
  const std::vector<Setting> settings = {{"SGD", "sgd", &rule("sgd"), {}},
                                         {"SGD, momentum 0.9", "momentum", &rule("momentum"), {}},
                                         {"Adam, β₁ 0", "n5", &rule("adam"), 0.0},
                                         {"Adam, β₁ 0.5", "amsgrad", &rule("adam"), 0.5},
                                         {"Adam, β₁ 0.9", "adam", &rule("adam"), 0.9},
                                         {"Adam, β₁ 0.99", "radam", &rule("adam"), 0.99}};
  const Function ravine = with_starts(context, "ravine", starts), hills = with_starts(context, "rastrigin", starts);
  const auto steps = [=](std::span<const Trajectory> runs) {  // the median of a seed's starts
    std::vector<double> all;
    for (const Trajectory& one : runs)
      all.push_back(one.steps ? static_cast<double>(*one.steps) : static_cast<double>(budget));
    return median(all);
  };
  // Rastrigin's minima are near whole numbers, where its value is about the sum of their squares.
  const auto share = [](std::span<const Trajectory> runs) {
    const auto lower = std::count_if(runs.begin(), runs.end(), [](const Trajectory& one) {
      const Position start = one.positions.front();
      return one.gap < std::pow(std::round(start[0]), 2) + std::pow(std::round(start[1]), 2) - 0.5;
    });
    return static_cast<double>(lower) / static_cast<double>(runs.size());
  };
  DotPlot speed = {.name = "2-ravine",
                   .title = "Ravine: steps until it stays within 0.001 of the least value",
                   .note = "Each at its best rate; a dot is the median of one seed's starts.",
                   .x = {.label = "steps", .low = 0},
                   .groups = {}};
  DotPlot escape = {.name = "2-rastrigin",
                    .title = "Rastrigin: share of starts that end lower than the minimum next to them",
                    .note = "Each at its best rate; a dot for each of five seeds.",
                    .x = {.label = "share", .low = 0},
                    .groups = {}};
  Table table = {"2-numbers",
                 message("Five seeds of ", starts, " starts: median (least to largest)"),
                 {"setting", "rate, ravine", "steps", "rate, Rastrigin", "share that ends lower"},
                 {}};
  std::vector<double> quick, found;
  for (const Setting& setting : settings) {
    const Outcome down = best_outcome(ravine, setting, rates, budget, starts, false, steps);
    const Outcome away = best_outcome(hills, setting, rates, budget, starts, true, share);
    speed.groups.push_back({setting.label, setting.color, down.values});
    escape.groups.push_back({setting.label, setting.color, away.values});
    table.rows.push_back(
        {setting.label, Cell(down.rate, 1), Cell::spread(down.values), Cell(away.rate, 1), Cell::spread(away.values)});
    quick.push_back(median(down.values));
    found.push_back(median(away.values));
  }
  const bool faster_sgd = quick[1] < quick[0], faster = quick[4]<quick[2], escapes = found[4]> 1.2 * found[2];
  return {
      Claim{2, "Adam's momentum speeds descent and helps out of local minima",
            faster && escapes   ? Verdict::holds
            : faster || escapes ? Verdict::holds_if
                                : Verdict::does_not_hold,
            message("In the ravine β₁ = 0.9 is ", faster ? "faster" : "no faster", " than 0 for Adam, and momentum ",
                    faster_sgd ? "speeds up" : "does not speed up", " SGD. On Rastrigin's hills it ",
                    escapes ? "leaves the nearest minimum for a lower one more often."
                            : "does not leave the nearest minimum for a lower one more often, by the margin of a fifth "
                              "that we ask for.",
                    " Both at the best rate for each: much of what looks like momentum is the rate.")},
      Text{message("Speed: steps down a ravine that is fifty times steeper across than along. Local minima: "
                   "Rastrigin's function has 49 in the square from "
                   "which starts are drawn. The claim holds where Adam with β₁ = 0.9 is faster than with 0 and ends "
                   "lower than the nearest minimum more often, by a fifth at "
                   "least; it holds in part where one of these is so. ",
                   budget, " steps each.")},
      speed, escape, table};
}

namespace {

constexpr std::size_t dimensions = 20;

// f = sum of s (Q x)^2 / 2 for each column of x: five seeds side by side. Returns f at the end over f at the start.
std::vector<double> quadratic(const Rule& rule, double lr, const Tensor& scales, const Variable& turn,
                              const Tensor& start, std::size_t steps) {
  const Variable x(start, true), s(scales);
  const auto optimizer = rule.make({{"x", x}}, {.lr = lr});
  const auto values = [&] { return 0.5 * sum(s * square(turn ? matmul(turn, x) : x), {0}); };
  const Tensor first = values().value();
  for (std::size_t t = 0; t < steps; ++t) {
    optimizer->zero_grad();
    sum(values()).backward();
    optimizer->step();
  }
  const Tensor last = values().value();
  std::vector<double> ratios;
  for (std::size_t i = 0; i < last.size(); ++i) {
    const double ratio = double{last.data()[i]} / double{first.data()[i]};
    ratios.push_back(std::isfinite(ratio) ? ratio : std::numeric_limits<double>::quiet_NaN());
  }
  return ratios;
}

std::vector<double> best_quadratic(const Rule& rule, const Tensor& scales, const Variable& turn, const Tensor& start,
                                   std::size_t steps) {
  std::vector<double> best;
  for (const double lr : {1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 1.9}) {
    std::vector<double> here = quadratic(rule, lr, scales, turn, start, steps);
    if (best.empty() || median(here) < median(best) || std::isnan(median(best))) best = std::move(here);
  }
  return best;
}

}  // namespace

Blocks different_scales(const Context& context) {
  const std::size_t steps = context.pick<std::size_t>(200, 500), count = seeds(context).size();
  const std::vector<double> decades = {0, 1, 2, 3, 4, 5, 6};
  seed(context.seed);
  Variable turn(Tensor::from_shape({dimensions, dimensions}));
  nn::init::orthogonal(turn);
  Tensor start = Tensor::from_shape({dimensions, count});
  for (std::size_t c = 0; c < count; ++c) {
    Generator generator(seeds(context)[c]);
    for (std::size_t i = 0; i < dimensions; ++i) start.data()[i * count + c] = static_cast<Scalar>(generator.normal());
  }
  const Tensor turned = matmul(transpose(turn), Variable(start)).value();  // the same point, seen along the axes of f
  struct Setting {
    const char *label, *id, *color;
    bool is_turned;
  };
  const std::vector<Setting> settings = {{"Adam, scales along the axes", "adam", "adam", false},
                                         {"Adam, turned", "adam", "amsgrad", true},
                                         {"SGD, scales along the axes", "sgd", "sgd", false},
                                         {"SGD, turned", "sgd", "momentum", true}};
  std::vector<Line> lines;
  Table table = {"3-numbers",
                 "f at the end / f at the start, each at its best rate; five starts: median (least to largest)",
                 {"setting"},
                 {}};
  for (const double d : decades) table.columns.push_back(message(static_cast<int>(d), " decades"));
  std::vector<std::vector<double>> medians;
  for (const Setting& setting : settings) {
    std::vector<std::vector<double>> runs(count);
    std::vector<Cell> row = {setting.label};
    medians.emplace_back();
    for (const double d : decades) {
      Tensor scales = Tensor::from_shape({dimensions, 1});
      for (std::size_t i = 0; i < dimensions; ++i)
        scales.data()[i] = static_cast<Scalar>(std::pow(10, -d * static_cast<double>(i) / (dimensions - 1)));
      const std::vector<double> ratios = best_quadratic(rule(setting.id), scales, setting.is_turned ? turn : Variable(),
                                                        setting.is_turned ? turned : start, steps);
      for (std::size_t i = 0; i < count; ++i) runs[i].push_back(std::max(ratios[i], 1e-20));
      row.push_back(Cell::spread(ratios));
      medians.back().push_back(std::max(median(ratios), 1e-20));
    }
    lines.push_back(summary(setting.label, setting.color, decades, runs));
    lines.back().dashed = setting.is_turned;
    table.rows.push_back(row);
  }
  // How the four decades in the middle come out.
  const double along = medians[2][4] / medians[0][4], across = medians[3][4] / medians[1][4];
  const bool suits = along > 10, needs_axes = suits && across < along / 10;
  return {
      Claim{3, "Adam's second-moment estimate suits parameters of different scale",
            !suits       ? Verdict::does_not_hold
            : needs_axes ? Verdict::holds_if
                         : Verdict::holds,
            !suits       ? "At four decades between the scales Adam ends no lower than a tenth of SGD."
            : needs_axes ? "If the scales belong to single parameters. Where the same quadratic is turned, so that "
                           "each parameter has a share in all scales, most of the advantage is gone."
                         : "It ends far lower than SGD, along the axes and turned."},
      Text{message("A quadratic in ", dimensions,
                   " numbers whose curvatures lie between 1 and 10⁻ᵈ, for d from 0 to 6 decades, ", steps,
                   " steps from five starts, each optimizer at the best of eight "
                   "rates. Dividing by √v̂ gives every parameter steps of about the rate, whatever its scale; but v̂ is "
                   "kept for each parameter, and knows nothing of other directions. "
                   "The claim holds where at four decades Adam ends ten times lower than SGD; it holds in part where "
                   "turning the axes takes nine tenths of that factor.")},
      LineChart{.name = "3-scales",
                .title = "What is left of f, by the spread of the scales",
                .note = "Median and range of five starts. SGD does not see how the axes lie: its two lines are one.",
                .x = {.label = "decades between the largest and the least curvature"},
                .y = {.label = "f at the end / f at the start", .logarithmic = true},
                .lines = lines},
      table};
}

Blocks convergence(const Context& context) {
  const std::size_t samples = 64, features = 10, batch = 8;
  const std::int64_t budget = context.pick(1500, 5000);
  constexpr double goal_norm = 1e-3;
  struct Setting {
    const char* id;
    double lr;
  };
  DotPlot plot = {.name = "13-steps",
                  .title = "Steps until the gradient's norm is at most 0.001, or the budget is spent",
                  .note = "A dot for each of five seeds.",
                  .x = {.label = "steps", .low = 0},
                  .groups = {},
                  .marks = {{"budget", static_cast<double>(budget)}}};
  Table table = {"13-numbers",
                 "Which condition ended the loop",
                 {"optimizer and gradient", "ended by", "steps", "norm of the whole gradient at the end"},
                 {}};
  std::size_t whole_ended = 0, noisy_ended = 0, runs = 0;
  for (const bool noisy : {false, true})
    for (const Setting& setting : {Setting{"sgd", 0.1}, {"momentum", 0.03}, {"adam", 0.01}, {"adamax", 0.02}}) {
      std::vector<double> steps, norms;
      std::map<std::string_view, int> ends;
      for (const std::uint64_t one : seeds(context)) {
        Generator generator(one);
        const Variable a(generator.normal({samples, features})), b(generator.normal({samples, 1}));
        const Variable x(zeros({features, 1}), true);
        const auto optimizer = rule(setting.id).make({{"x", x}}, {.lr = setting.lr});
        const auto loss = [&](const Variable& inputs, const Variable& targets) {
          return 0.5 * mean(square(matmul(inputs, x) - targets));
        };
        const auto part = [&] {  // some rows, drawn anew in each step
          Tensor rows = Tensor::from_shape({batch, features}), targets = Tensor::from_shape({batch, 1});
          for (std::size_t i = 0; i < batch; ++i) {
            const std::size_t row = generator.below(samples);
            std::copy_n(a.value().data() + row * features, features, rows.data() + i * features);
            targets.data()[i] = b.value().data()[row];
          }
          return loss(Variable(std::move(rows)), Variable(std::move(targets)));
        };
        const optim::Minimum found =
            optim::minimize(*optimizer, noisy ? optim::Closure(part) : [&] { return loss(a, b); },
                            {.gradient_norm = goal_norm, .max_steps = budget});
        ++ends[to_string(found.ended_by)];
        steps.push_back(static_cast<double>(found.steps));
        const Tensor whole = grad(loss(a, b), {x})[0].value();
        norms.push_back(std::sqrt(std::inner_product(whole.begin(), whole.end(), whole.begin(), 0.0)));
        const bool ended = found.ended_by == optim::EndedBy::gradient_norm;
        (noisy ? noisy_ended : whole_ended) += ended;
        runs += !noisy;
      }
      const std::string label = message(rule(setting.id).label, noisy ? ", batches of 8" : ", all samples");
      std::string words;
      for (const auto& [end, times] : ends)
        words += message(words.empty() ? "" : ", ", end, " ", times, " of ", steps.size());
      plot.groups.push_back({label, setting.id, steps});
      table.rows.push_back({label, words, Cell::spread(steps), Cell::spread(norms)});
    }
  const Verdict verdict = whole_ended < runs ? Verdict::does_not_hold
                          : noisy_ended == 0 ? Verdict::holds_if
                                             : Verdict::holds;
  return {Claim{13,
                "The loop (states to zero, gradient, moments, correction, update) is repeated until a convergence "
                "condition holds",
                verdict,
                verdict == Verdict::holds_if
                    ? "If the gradient is that of all samples. With batches the gradient never becomes small: the loop "
                      "ends when the budget is spent, or with a falling rate."
                : verdict == Verdict::holds
                    ? "The condition came to hold with all samples, and with batches in some run, too."
                    : "Even with all samples, the condition did not come to hold in every run."},
          Text{message("Least squares with ", samples, " samples and ", features,
                       " weights, by optim::minimize(), which repeats the loop and says which condition ended it: the "
                       "norm of the gradient at "
                       "most 0.001, or a budget of ",
                       budget,
                       " steps. The claim holds where the norm ends every run; it holds in part where it does with all "
                       "samples, and never with batches of 8.")},
          plot, table};
}

}  // namespace lab
