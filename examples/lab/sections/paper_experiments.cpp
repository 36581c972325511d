#include <xgrad/core/errors.h>
#include <xgrad/optim/schedule.h>

#include <algorithm>
#include <numeric>

#include "../experiment.h"

namespace lab {
namespace {

using xgrad::message;

struct Contender {
  const Rule* rule;
  std::vector<double> rates;
  std::size_t tier;   // in the paper's own words on its figure: 1 is ahead of 2, alike within; 0 where it is not in it
  const char* place;  // the same, to be read
};

struct Experiment {
  std::string name, title;
  std::vector<std::size_t> widths;
  std::size_t sweep_steps, steps;
  std::vector<Contender> contenders;
  std::string paper;  // what the paper says
};

struct Result {
  const Contender* contender;
  Sweep sweep;
  std::vector<std::vector<double>> curves;
  std::vector<double> final;
};

std::vector<Result> run(const Context& context, const Experiment& experiment, const std::function<void()>& progress) {
  const xgrad::optim::Curve falling = xgrad::optim::inverse_sqrt_lr({});
  const std::vector<std::uint64_t> all = seeds(context, context.pick<std::size_t>(2, 3));
  std::vector<Result> results;
  for (const Contender& contender : experiment.contenders) {
    Result result = {
        &contender, {std::string(contender.rule->label), std::string(contender.rule->id), contender.rates, {}}, {}, {}};
    const auto one = [&](double lr, std::uint64_t seed, std::size_t steps) {
      return train_digits(context, *contender.rule, {.lr = lr}, seed,
                          {.steps = steps, .batch_size = 128, .schedule = falling}, experiment.widths);
    };
    for (const double lr : contender.rates) {
      result.sweep.losses.push_back({final_loss(one(lr, all[0], experiment.sweep_steps))});
      progress();
    }
    const double best = contender.rates[result.sweep.best()];
    for (const std::uint64_t seed : all) {
      const Trained trained = one(best, seed, experiment.steps);
      result.curves.push_back(smoothed(trained.losses, std::max<std::size_t>(1, experiment.steps / 40)));
      result.final.push_back(final_loss(trained));
      progress();
    }
    results.push_back(std::move(result));
  }
  return results;
}

// 1 for the lowest median.
std::size_t place(const std::vector<Result>& results, const Result& of) {
  return 1 + static_cast<std::size_t>(std::count_if(results.begin(), results.end(), [&of](const Result& other) {
           return median(other.final) < median(of.final);
         }));
}

// Where the order is another one than the paper's.
std::string compared(const std::vector<Result>& results) {
  std::string words;
  for (const Result& ahead : results)
    for (const Result& behind : results)
      if (ahead.contender->tier > 0 && ahead.contender->tier < behind.contender->tier &&
          median(ahead.final) >= median(behind.final))
        words += message(words.empty() ? "" : ", ", behind.sweep.label, " before ", ahead.sweep.label);
  return words.empty() ? "Here they end in that order, too." : message("Here the order is another one: ", words, ".");
}

std::vector<Block> show(const Context& context, const Experiment& experiment, const std::function<void()>& progress) {
  const std::vector<Result> results = run(context, experiment, progress);
  LineChart curves = {.name = experiment.name + "-cost",
                      .title = experiment.title + ": training cost",
                      .note = "Each at its best rate: moving mean, median and range over the seeds.",
                      .x = {.label = "step"},
                      .y = {.label = "cross entropy", .logarithmic = true},
                      .lines = {}};
  LineChart sweep = {.name = experiment.name + "-sweep",
                     .title = experiment.title + ": the sweep of α",
                     .note = message("Cost after ", experiment.sweep_steps,
                                     " steps, one seed. The lowest point of each line is its best rate."),
                     .x = {.label = "α", .logarithmic = true},
                     .y = {.label = "cross entropy", .logarithmic = true, .high = 5},
                     .lines = {}};
  Table table = {
      experiment.name + "-ranking",
      experiment.title + ": final training cost, median (least to largest), and the order in which the optimizers end",
      {"optimizer", "best α", "final cost", "place here", "place in the paper"},
      {}};
  for (const Result& result : results) {
    curves.lines.push_back(
        thinned(summary(result.sweep.label, result.sweep.color, counted(experiment.steps), result.curves)));
    sweep.lines.push_back(result.sweep.line());
    table.rows.push_back({result.sweep.label, Cell(result.contender->rates[result.sweep.best()], 1),
                          Cell::spread(result.final), Cell::integer(static_cast<double>(place(results, result))),
                          result.contender->place});
  }
  return {Heading{experiment.title}, Text{experiment.paper + " " + compared(results)}, curves, sweep, table};
}

}  // namespace

Section paper_experiments(const Context& context) {
  const auto adaptive = [](const char* id, std::size_t tier, const char* place) {
    return Contender{&rule(id), {1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1}, tier, place};
  };
  const auto nesterov = [](std::size_t tier, const char* place) {
    return Contender{&rule("nesterov"), {1e-2, 3e-2, 1e-1, 3e-1, 1, 3}, tier, place};
  };
  const auto adagrad = [](std::size_t tier, const char* place) {
    return Contender{&rule("adagrad"), {3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1}, tier, place};
  };
  const char *absent = "not in it", *behind = "behind Adam";
  const std::vector<Experiment> experiments = {
      {.name = "logistic",
       .title = "Logistic regression",
       .widths = {},
       .sweep_steps = context.pick<std::size_t>(100, 1000),
       .steps = context.pick<std::size_t>(200, 4500),
       .contenders = {adaptive("adam", 1, "1 to 2"), nesterov(1, "1 to 2"), adagrad(2, "3"),
                      adaptive("adamax", 0, absent), adaptive("rmsprop", 0, absent)},
       .paper = "784-10. The paper (section 6.1, Figure 1) finds that Adam converges like SGD with Nesterov momentum, "
                "and both faster than AdaGrad."},
      {.name = "mlp",
       .title = "Two hidden layers",
       .widths = context.quick ? std::vector<std::size_t>{250, 250} : std::vector<std::size_t>{1000, 1000},
       .sweep_steps = context.pick<std::size_t>(25, 150),
       .steps = context.pick<std::size_t>(60, 900),
       .contenders = {adaptive("adam", 1, "1"), nesterov(2, behind), adaptive("rmsprop", 2, behind), adagrad(2, behind),
                      adaptive("adamax", 0, absent)},
       .paper = message(context.quick ? "784-250-250-10 with ReLU: a quick page takes a quarter of the paper's widths. "
                                      : "784-1000-1000-10 with ReLU. ",
                        "The paper (section 6.2, Figure 2, with dropout) finds that Adam converges better than the "
                        "others; it does not rank these in words. We train without dropout.")}};
  double parts = 0, done = 0;
  for (const Experiment& experiment : experiments)
    for (const Contender& contender : experiment.contenders)
      parts += static_cast<double>(contender.rates.size()) + context.pick(2, 3);
  std::vector<Block> blocks = {
      Text{message("The first two experiments of Kingma & Ba 2015, on ",
                   context.real_digits ? "the data set that was given" : "drawn digits rather than MNIST",
                   ": batches of 128, rate α / √t where t counts steps, and α from a sweep for each optimizer. AdaMax "
                   "is in none of the paper's figures, RMSProp not in the first; they are here for comparison. Places "
                   "are by the median of the last tenth of the costs.")}};
  for (const Experiment& experiment : experiments) {
    const std::vector<Block> more = show(context, experiment, [&] { context.progress(++done / parts); });
    blocks.insert(blocks.end(), more.begin(), more.end());
  }
  return {.id = "paper", .title = "The paper's experiments", .blocks = blocks};
}

}  // namespace lab
