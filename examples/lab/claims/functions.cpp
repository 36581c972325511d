// Claims that are tried on functions: momentum (2), different scales (3), convergence (13), the optimum (16).
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/init.h>
#include <xgrad/optim/minimize.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "../race/racers.h"
#include "claims.h"
#include "verdicts.h"

namespace lab {
namespace {

using namespace xgrad;

const Function& named(std::string_view id) {
  return *std::find_if(functions().begin(), functions().end(), [id](const Function& f) { return f.id == id; });
}

struct Setting {
  std::string label, color;
  const Rule* rule;
  std::optional<double> beta1;
};

// The cost of a rate, for each seed a number made of all its runs.
template <class Summary>
Contestant on_function(const Function& function, const Setting& setting, double usual, std::size_t budget,
                       std::size_t starts_a_seed, const Summary& summarize) {
  return {setting.label, setting.color, usual, [=, &function](double lr) {
            const std::vector<Trajectory> runs =
                run(function, *setting.rule, {.lr = lr, .beta1 = setting.beta1}, budget);
            std::vector<double> values;
            for (std::size_t i = 0; i < runs.size(); i += starts_a_seed)
              values.push_back(summarize(std::span(&runs[i], starts_a_seed)));
            return values;
          }};
}

Function with_starts(const Context& context, const char* id, std::size_t count) {
  Function function = named(id);
  function.starts.clear();
  for (const std::uint64_t seed : seeds(context)) {
    const Function drawn = race_parts::with_drawn_starts(function, seed, count);
    function.starts.insert(function.starts.end(), drawn.starts.begin(), drawn.starts.end());
  }
  return function;
}

}  // namespace

Blocks momentum(const Context& context) {
  const std::size_t budget = 500, starts = context.pick<std::size_t>(40, 200);
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
  // Rastrigin's minima are near whole numbers, where its value is about the sum of their squares. Negative, since a
  // sweep looks for the least.
  const auto share = [](std::span<const Trajectory> runs) {
    const auto lower = std::count_if(runs.begin(), runs.end(), [](const Trajectory& one) {
      const Position start = one.positions.front();
      return one.gap < std::pow(std::round(start[0]), 2) + std::pow(std::round(start[1]), 2) - 0.5;
    });
    return -static_cast<double>(lower) / static_cast<double>(runs.size());
  };
  std::vector<Contestant> down, away;
  for (const Setting& setting : settings) {
    down.push_back(on_function(ravine, setting, 0.05, budget, starts, steps));
    away.push_back(on_function(hills, setting, 0.1, budget, starts, share));
  }
  const std::vector<Sweep> fast = fair_sweeps(down), far = fair_sweeps(away);
  DotPlot speed = {.name = "2-ravine",
                   .title = say::momentum_ravine_title{},
                   .note = say::momentum_ravine_note{},
                   .x = {.label = "steps", .low = 0},
                   .groups = {}};
  DotPlot escape = {.name = "2-rastrigin",
                    .title = say::momentum_hills_title{},
                    .note = say::momentum_hills_note{},
                    .x = {.label = "share", .low = 0},
                    .groups = {}};
  Table table = {
      "2-numbers",
      say::momentum_numbers{.starts = starts},
      {"setting", "rates tried", "best rate, ravine", "steps", "best rate, Rastrigin", "share that ends lower"},
      {}};
  std::vector<std::vector<double>> quick, found;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    quick.push_back(fast[i].losses[fast[i].best()]);
    found.push_back(far[i].losses[far[i].best()]);
    for (double& value : found.back()) value = -value;
    speed.groups.push_back({settings[i].label, settings[i].color, quick.back()});
    escape.groups.push_back({settings[i].label, settings[i].color, found.back()});
    table.rows.push_back({settings[i].label, Cell::integer(static_cast<double>(fast[i].rates.size())),
                          Cell(fast[i].rates[fast[i].best()], 2), Cell::spread(quick.back()),
                          Cell(far[i].rates[far[i].best()], 2), Cell::spread(found.back())});
  }
  const auto parts = judge::momentum(quick[4], quick[2], found[4], found[2]);
  const std::string with = number_text(median(quick[4])), without = number_text(median(quick[2])),
                    often = number_text(median(found[4]), 2), seldom = number_text(median(found[2]), 2);
  return {Claim{2, say::momentum_claim{}, parts.all(),
                either(parts.part[0], say::momentum_faster{.with = with, .without = without},
                       say::momentum_slower{.with = with, .without = without},
                       say::momentum_as_fast{.with = with, .without = without}) +
                    " " +
                    either(parts.part[1], say::momentum_escapes{.with = often, .without = seldom},
                           say::momentum_stays{.with = often, .without = seldom},
                           say::momentum_maybe{.with = often, .without = seldom}) +
                    " " + std::string(say::momentum_sgd{.momentum = median(quick[1]), .sgd = median(quick[0])})},
          Text{say::momentum_rule{.budget = budget}}, speed, escape, table};
}

Blocks optimum(const Context& context) {
  const std::size_t budget = 2000, starts = context.pick<std::size_t>(40, 200);
  const Setting adam = {"Adam", "adam", &rule("adam"), {}};
  // The share of starts that end within a tenth of the least point; negative, since a sweep looks for the least.
  const auto share = [](std::span<const Trajectory> runs) {
    const auto there =
        std::count_if(runs.begin(), runs.end(), [](const Trajectory& one) { return one.distance < 0.1; });
    return -static_cast<double>(there) / static_cast<double>(runs.size());
  };
  const Function bowl = with_starts(context, "sphere", starts), hills = with_starts(context, "rastrigin", starts);
  const std::vector<Sweep> sweeps = {fair_sweeps({on_function(bowl, adam, 0.1, budget, starts, share)}).front(),
                                     fair_sweeps({on_function(hills, adam, 0.1, budget, starts, share)}).front()};
  std::vector<std::vector<double>> shares;
  for (const Sweep& sweep : sweeps) {
    shares.push_back(sweep.losses[sweep.best()]);
    for (double& value : shares.back()) value = -value;
  }
  std::vector<double> ends;
  for (const double lr : {0.01, 0.03, 0.1, 0.3, 1.0})
    ends.push_back(run_reddi(rule("adam"), lr, 0.1, 20000, 100).positions.back()[0]);
  const auto parts = judge::optimum(shares[0], shares[1], ends);
  Table table = {
      "16-numbers", say::optimum_numbers{.starts = starts}, {"problem", "what", "median (least to largest)"}, {}};
  table.rows = {{"sphere", "share of starts that end at the minimum", Cell::spread(shares[0])},
                {"Rastrigin", "share of starts that end at the least minimum", Cell::spread(shares[1])},
                {"Reddi's example", "end at five rates (best is -1)", Cell::spread(ends)}};
  return {
      Claim{16, say::optimum_claim{}, parts.all(),
            std::string(either(parts.part[0], say::optimum_bowl{}, say::optimum_no_bowl{}, say::optimum_no_bowl{})) +
                " " + std::string(say::optimum_hills{.share = 100 * median(shares[1])}) + " " +
                either(parts.part[2], say::optimum_reddi_right{}, say::optimum_reddi_wrong{},
                       say::optimum_reddi_wrong{})},
      Text{say::optimum_rule{}}, table};
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
  Table table = {"3-numbers", say::scales_numbers{}, {"setting"}, {}};
  Table rates = {"3-rates", say::scales_rates{}, {"setting"}, {}};
  for (const double d : decades)
    for (Table* one : {&table, &rates}) one->columns.push_back(message(static_cast<int>(d), " decades"));
  std::vector<std::vector<std::vector<double>>> ends(settings.size());  // of each setting, decade and start
  for (const Setting& setting : settings)
    for (Table* one : {&table, &rates}) one->rows.push_back({setting.label});
  for (std::size_t d = 0; d < decades.size(); ++d) {
    Tensor scales = Tensor::from_shape({dimensions, 1});
    for (std::size_t i = 0; i < dimensions; ++i)
      scales.data()[i] = static_cast<Scalar>(std::pow(10, -decades[d] * static_cast<double>(i) / (dimensions - 1)));
    std::vector<Contestant> all;
    for (const Setting& setting : settings)
      all.push_back({setting.label, setting.color, 0.1, [&](double lr) {
                       return quadratic(rule(setting.id), lr, scales, setting.is_turned ? turn : Variable(),
                                        setting.is_turned ? turned : start, steps);
                     }});
    const std::vector<Sweep> sweeps = fair_sweeps(all);
    for (std::size_t s = 0; s < sweeps.size(); ++s) {
      ends[s].push_back(sweeps[s].losses[sweeps[s].best()]);
      for (double& end : ends[s].back()) end = std::max(end, 1e-20);
      table.rows[s].push_back(Cell::spread(ends[s].back(), 2));
      rates.rows[s].emplace_back(sweeps[s].rates[sweeps[s].best()], 2);
    }
  }
  for (std::size_t s = 0; s < settings.size(); ++s) {
    std::vector<std::vector<double>> runs(count);
    for (const std::vector<double>& at : ends[s])
      for (std::size_t i = 0; i < count; ++i) runs[i].push_back(at[i]);
    lines.push_back(summary(settings[s].label, settings[s].color, decades, runs));
    lines.back().dashed = settings[s].is_turned;
  }
  std::vector<double> along, across;  // how many times lower Adam ends than SGD, at four decades
  for (std::size_t i = 0; i < count; ++i) {
    along.push_back(ends[2][4][i] / ends[0][4][i]);
    across.push_back(ends[3][4][i] / ends[1][4][i]);
  }
  const auto parts = judge::different_scales(along, across);
  const std::string times = number_text(median(across), 2);
  return {Claim{3, say::scales_claim{}, parts.all(),
                either(parts.part[0], say::scales_along{}, say::scales_not_along{}, say::scales_maybe_along{}) + " " +
                    either(parts.part[1], say::scales_turned{.times = times}, say::scales_not_turned{.times = times},
                           say::scales_maybe_turned{.times = times})},
          Text{say::scales_rule{.dimensions = dimensions, .steps = steps}},
          LineChart{.name = "3-scales",
                    .title = say::scales_title{},
                    .note = say::scales_note{},
                    .x = {.label = "decades between the largest and the least curvature"},
                    .y = {.label = "f at the end / f at the start", .logarithmic = true},
                    .lines = lines},
          table, rates};
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
                  .title = say::convergence_title{},
                  .note = say::convergence_note{},
                  .x = {.label = "steps", .low = 0},
                  .groups = {},
                  .marks = {{"budget", static_cast<double>(budget)}}};
  Table table = {"13-numbers",
                 say::convergence_numbers{},
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
  const auto parts = judge::convergence(whole_ended, noisy_ended, runs);
  return {Claim{13, say::convergence_claim{}, parts.all(),
                say::convergence_words{.noisy = noisy_ended, .runs = runs, .whole = whole_ended}},
          Text{say::convergence_rule{.budget = budget, .features = features, .samples = samples}}, plot, table};
}

}  // namespace lab
