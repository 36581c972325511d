// Experiments of Kingma & Ba 2015: how they are run, and what is shown of them.
#include <xgrad/core/errors.h>
#include <xgrad/optim/schedule.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../compare.h"
#include "paper.h"

namespace lab {
namespace {

using xgrad::message;
using Progress = std::function<void(double)>;

struct Result {
  Contender contender;
  Sweep sweep;
  std::vector<std::vector<double>> curves = {};
  std::vector<double> early = {}, final = {};  // costs of each seed: around a quarter of the steps, and at the end
};

std::size_t window(const Experiment& experiment) { return std::max<std::size_t>(3, experiment.steps / 40); }

// The mean cost of the tenth of all steps that ends with a quarter of them.
double early_loss(const Trained& trained, std::size_t steps) {
  if (trained.losses.size() < steps / 4) return std::nan("");
  const auto end = trained.losses.begin() + static_cast<std::ptrdiff_t>(steps / 4);
  const auto count = static_cast<std::ptrdiff_t>(std::max<std::size_t>(1, steps / 10));
  return std::accumulate(end - count, end, 0.0) / static_cast<double>(count);
}

std::vector<Result> run(const Context& context, const Experiment& experiment, const Progress& progress) {
  std::vector<Contestant> contestants;
  for (const Contender& one : experiment.contenders)
    contestants.push_back({one.label(), one.is_constant ? "n5" : std::string(one.id), one.usual, [&](double lr) {
                             std::vector<double> costs;
                             for (const std::uint64_t seed : tuning_seeds(context, experiment.tuning_seed_count))
                               costs.push_back(final_loss(experiment.train(one, lr, seed, experiment.sweep_steps)));
                             return costs;
                           }});
  SweepOptions options = experiment.sweep;
  const auto expected = static_cast<double>(contestants.size() * (options.trials + 2 + 2 * options.halvings));
  options.progress = [&](std::size_t tried) { progress(0.5 * std::min(1.0, static_cast<double>(tried) / expected)); };
  const std::vector<Sweep> sweeps = fair_sweeps(contestants, options);
  std::vector<Result> results;
  for (std::size_t i = 0; i < sweeps.size(); ++i) {
    Result result = {experiment.contenders[i], sweeps[i]};
    const double best = sweeps[i].rates[sweeps[i].best()];
    for (const std::uint64_t seed : seeds(context)) {
      const Trained trained = experiment.train(result.contender, best, seed, experiment.steps);
      result.curves.push_back(smoothed(trained.losses, window(experiment)));
      result.early.push_back(early_loss(trained, experiment.steps));
      result.final.push_back(final_loss(trained));
    }
    results.push_back(std::move(result));
    progress(0.5 + 0.5 * static_cast<double>(i + 1) / static_cast<double>(sweeps.size()));
  }
  return results;
}

// 1 for the lowest median.
std::size_t place(const std::vector<Result>& results, const Result& of) {
  return 1 + static_cast<std::size_t>(std::count_if(results.begin(), results.end(), [&of](const Result& other) {
           return median(other.final) < median(of.final);
         }));
}

const Result& find(const std::vector<Result>& results, std::string_view id) {
  return *std::find_if(results.begin(), results.end(),
                       [id](const Result& result) { return result.contender.id == id; });
}

struct Outcome {
  std::vector<std::string> early, final;  // agreement() of each statement
};

Outcome outcome(const Experiment& experiment, const std::vector<Result>& results) {
  Outcome all;
  for (const auto& [first, second, ahead] : experiment.statements) {
    const Result &a = find(results, first), &b = find(results, second);
    all.early.push_back(agreement(a.early, b.early, ahead));
    all.final.push_back(agreement(a.final, b.final, ahead));
  }
  return all;
}

Table statements(const Experiment& experiment, const Outcome& all) {
  Table table = {experiment.name + "-statements",
                 say::statements_caption{},
                 {"the paper", "here, after a quarter of the steps", "here, at the end"},
                 {}};
  const bool same = comparable(experiment.passes, experiment.paper_passes);
  for (std::size_t i = 0; i < experiment.statements.size(); ++i) {
    const auto& [first, second, ahead] = experiment.statements[i];
    table.rows.push_back(
        {message(rule(first).label, ahead ? " converges faster than " : " converges like ", rule(second).label),
         on_budget(all.early[i], same), on_budget(all.final[i], same)});
  }
  return table;
}

std::string counted_up(const std::vector<std::string>& all) {
  const auto count = [&](std::string_view word) {
    return std::count_if(all.begin(), all.end(), [=](const std::string& one) { return one.starts_with(word); });
  };
  return say::counts{
      .all = all.size(), .opposite = count("disagrees"), .same = count("agrees"), .undecided = count("undecided")};
}

// What becomes of an optimizer where its rate stays constant; nothing where that was not tried.
std::vector<Block> of_constant_rate(const std::vector<Result>& results) {
  const Result& last = results.back();
  if (!last.contender.is_constant) return {};
  const Result& usual = find(results, last.contender.id);
  return {Text{say::constant{.constant = median(last.final),
                             .decayed = median(usual.final),
                             .is = either(compare(last.final, usual.final), say::constant_lower{},
                                          say::constant_higher{}, say::constant_undecided{}),
                             .like_adam = agreement(find(results, "adam").final, last.final, false)}}};
}

std::vector<Block> show(const Context& context, const Experiment& experiment, const Progress& progress) {
  const std::vector<Result> results = run(context, experiment, progress);
  LineChart curves = {.name = experiment.name + "-cost",
                      .title = say::cost_title{.experiment = experiment.title},
                      .note = say::cost_note{.window = window(experiment)},
                      .x = {.label = "step"},
                      .y = {.label = "cross entropy", .logarithmic = true, .high = 3},
                      .lines = {}};
  LineChart sweep = {.name = experiment.name + "-sweep",
                     .title = say::sweep_title{.experiment = experiment.title},
                     .note = say::sweep_note{.seeds = experiment.tuning_seed_count, .steps = experiment.sweep_steps},
                     .x = {.label = "α", .logarithmic = true},
                     .y = {.label = "cross entropy", .logarithmic = true, .high = 3},
                     .lines = {}};
  Table table = {experiment.name + "-ranking",
                 say::ranking_caption{.experiment = experiment.title},
                 {"optimizer", "place here", "place in the paper", "final cost", "cost at a quarter", "best α"},
                 {}};
  std::vector<Sweep> sweeps;
  for (const Result& result : results) {
    const Sweep& rates = result.sweep;
    sweeps.push_back(rates);
    curves.lines.push_back(thinned(summary(rates.label, rates.color, counted(experiment.steps), result.curves)));
    sweep.lines.push_back(rates.line());
    table.rows.push_back({rates.label, Cell::integer(static_cast<double>(place(results, result))),
                          result.contender.place, Cell::spread(result.final), Cell::spread(result.early),
                          Cell(rates.rates[rates.best()], 2)});
  }
  const Outcome all = outcome(experiment, results);
  const std::string early = counted_up(all.early), final = counted_up(all.final);
  const std::string passes = number_text(experiment.passes, 2), paper = number_text(experiment.paper_passes);
  std::vector<Block> blocks = {
      Heading{experiment.title},
      Text{experiment.words},
      curves,
      table,
      statements(experiment, all),
      Text{comparable(experiment.passes, experiment.paper_passes)
               ? std::string(say::result{.early = early, .final = final, .paper = paper, .passes = passes})
               : say::result_not_comparable{.early = early, .final = final, .paper = paper, .passes = passes}},
      sweep,
      where_best_lies(experiment.name + "-rates", say::rates_caption{}, sweeps)};
  const std::vector<Block> more = of_constant_rate(results);
  blocks.insert(blocks.end() - 2, more.begin(), more.end());
  return blocks;
}

}  // namespace

xgrad::optim::Curve rate_of(const Contender& one) {
  if (one.is_constant) return [](double base, std::int64_t) { return base; };
  return xgrad::optim::inverse_sqrt_lr({});
}

bool comparable(double passes, double paper_passes) {
  return passes <= 10 * paper_passes && paper_passes <= 10 * passes;
}

std::string on_budget(const std::string& agreement, bool is_comparable) {
  if (is_comparable) return agreement;
  const std::size_t colon = agreement.find(": ");
  const std::string verdict = agreement.substr(0, colon), what = agreement.substr(colon + 2);
  if (verdict == "agrees") return say::budget_same{.what = what};
  if (verdict == "disagrees") return say::budget_opposite{.what = what};
  return say::budget_undecided{.what = what};
}

Section paper_experiments(const Context& context) {
  std::vector<Block> blocks = {
      Text{say::introduction{}}, Text{say::method{.batch = paper_batch_size}},
      Text{say::data{.digits = context.real_digits ? "as they were given" : "drawn rather than MNIST's",
                     .images = context.data.train.size()}}};
  double done = 0;
  for (const Experiment& experiment : paper_experiment_list(context)) {
    const auto progress = [&](double within) { context.progress(done + experiment.share * within); };
    const std::vector<Block> more = show(context, experiment, progress);
    blocks.insert(blocks.end(), more.begin(), more.end());
    done += experiment.share;
  }
  blocks.emplace_back(Box{say::think{}, say::think_words{}});
  blocks.emplace_back(Box{say::remember{}, say::remember_words{}});
  return {.id = "paper", .title = say::title{}, .blocks = blocks};
}

}  // namespace lab
