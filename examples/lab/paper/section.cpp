// The first two experiments of Kingma & Ba 2015.
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/activations.h>
#include <xgrad/nn/dropout.h>
#include <xgrad/nn/flatten.h>
#include <xgrad/nn/linear.h>
#include <xgrad/optim/schedule.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../compare.h"
#include "../sweep.h"

namespace lab {
namespace {

using namespace xgrad;

constexpr std::size_t batch_size = 128;
struct Contender {
  std::string_view id;
  std::vector<double> rates;
  const char* place;  // in the paper's own words on its figure, to be read
};

// What the paper says of two optimizers: the first is ahead of the second, or they are alike.
struct Statement {
  std::string_view first, second;
  bool ahead;
};

struct Experiment {
  std::string name, title;
  std::vector<std::size_t> widths;
  double dropout;
  std::size_t sweep_steps, steps;
  std::vector<Contender> contenders;
  std::vector<Statement> statements;
  std::string words;  // what it is, and what the paper says
};

struct Result {
  std::string_view id;
  const char* place;
  Sweep sweep;
  std::vector<std::vector<double>> curves;
  std::vector<double> early, final;  // costs of each seed: around a quarter of the steps, and at the end
};

nn::Sequential network(const Experiment& experiment, std::uint64_t weights) {
  seed(weights);  // of the weights, and then of the dropout
  nn::Sequential model{nn::Flatten()};
  std::size_t in = 28 * 28;
  for (const std::size_t width : experiment.widths) {
    model.push_back(nn::Linear(in, width));
    model.push_back(nn::ReLU());
    if (experiment.dropout > 0) model.push_back(nn::Dropout(experiment.dropout));
    in = width;
  }
  model.push_back(nn::Linear(in, 10));
  return model;
}

Trained train_once(const Context& context, const Experiment& experiment, std::string_view id, double lr,
                   std::uint64_t one_seed, std::size_t steps) {
  nn::Sequential model = network(experiment, one_seed);
  const auto optimizer = rule(id).make(model.parameters(), {.lr = lr});
  return train(model, *optimizer, context.data.train,
               {.steps = steps, .batch_size = batch_size, .seed = one_seed, .schedule = optim::inverse_sqrt_lr({})});
}

// The mean cost of the tenth of the steps that ends with a quarter of them.
double early_loss(const Trained& trained, std::size_t steps) {
  if (trained.losses.size() < steps / 4) return std::nan("");
  const auto end = trained.losses.begin() + static_cast<std::ptrdiff_t>(steps / 4);
  const auto count = static_cast<std::ptrdiff_t>(std::max<std::size_t>(1, steps / 10));
  return std::accumulate(end - count, end, 0.0) / static_cast<double>(count);
}

std::vector<Result> run(const Context& context, const Experiment& experiment, std::size_t seed_count,
                        const std::function<void(std::size_t)>& progress) {
  const std::vector<std::uint64_t> all = seeds(context, seed_count);
  std::vector<Result> results;
  for (const auto& [id, rates, place] : experiment.contenders) {
    Result result = {.id = id,
                     .place = place,
                     .sweep = {std::string(rule(id).label), std::string(id), rates, {}},
                     .curves = {},
                     .early = {},
                     .final = {}};
    for (const double lr : rates) {
      result.sweep.losses.push_back(
          {final_loss(train_once(context, experiment, id, lr, all[0], experiment.sweep_steps))});
      progress(experiment.sweep_steps);
    }
    const double best = rates[result.sweep.best()];
    for (const std::uint64_t one_seed : all) {
      const Trained trained = train_once(context, experiment, id, best, one_seed, experiment.steps);
      result.curves.push_back(smoothed(trained.losses, std::max<std::size_t>(1, experiment.steps / 40)));
      result.early.push_back(early_loss(trained, experiment.steps));
      result.final.push_back(final_loss(trained));
      progress(experiment.steps);
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

const Result& find(const std::vector<Result>& results, std::string_view id) {
  return *std::find_if(results.begin(), results.end(), [id](const Result& result) { return result.id == id; });
}

Table statements(const Experiment& experiment, const std::vector<Result>& results) {
  Table table = {
      experiment.name + "-statements",
      "What the paper says, and what is measured here: the cost of the first named against that of the second",
      {"the paper", "here, after a quarter of the steps", "here, at the end"},
      {}};
  for (const auto& [first, second, ahead] : experiment.statements) {
    const Result &a = find(results, first), &b = find(results, second);
    table.rows.push_back({message(a.sweep.label, ahead ? " converges faster than " : " converges like ", b.sweep.label),
                          agreement(a.early, b.early, ahead), agreement(a.final, b.final, ahead)});
  }
  return table;
}

// "3 of 4 agree, 0 disagree and 1 are undecided"
std::string outcome(const Table& table, std::size_t column) {
  const auto count = [&](const char* word) {
    return static_cast<std::size_t>(
        std::count_if(table.rows.begin(), table.rows.end(),
                      [=](const std::vector<Cell>& row) { return row[column].text.starts_with(word); }));
  };
  return message(count("agrees"), " of ", table.rows.size(), " agree, ", count("disagrees"), " disagree and ",
                 count("undecided"), " are undecided");
}

std::vector<Block> show(const Context& context, const Experiment& experiment, std::size_t seed_count,
                        const std::function<void(std::size_t)>& progress) {
  const std::vector<Result> results = run(context, experiment, seed_count, progress);
  LineChart curves = {
      .name = experiment.name + "-cost",
      .title = experiment.title + ": training cost",
      .note = message("Each at its best α: moving mean over ", std::max<std::size_t>(1, experiment.steps / 40),
                      " steps, median and range of ", seed_count, " seeds."),
      .x = {.label = "step"},
      .y = {.label = "cross entropy", .logarithmic = true, .high = 3},
      .lines = {}};
  LineChart sweep = {
      .name = experiment.name + "-sweep",
      .title = experiment.title + ": the sweep of α",
      .note = message("Cost after ", experiment.sweep_steps,
                      " steps, one seed. The lowest point of each line is its best α; for longer runs another "
                      "might be. A line that ends early diverges beyond."),
      .x = {.label = "α", .logarithmic = true},
      .y = {.label = "cross entropy", .logarithmic = true, .high = 3},
      .lines = {}};
  Table table = {experiment.name + "-ranking",
                 message(experiment.title, ": training cost of ", seed_count,
                         " seeds, median (least to largest), and the order in which the optimizers end"),
                 {"optimizer", "best α", "cost at a quarter", "final cost", "place here", "place in the paper"},
                 {}};
  std::string at_end;
  for (const Result& result : results) {
    const Sweep& rates = result.sweep;
    const std::size_t best = rates.best();
    curves.lines.push_back(thinned(summary(rates.label, rates.color, counted(experiment.steps), result.curves)));
    sweep.lines.push_back(rates.line());
    table.rows.push_back({rates.label, Cell(rates.rates[best], 1), Cell::spread(result.early),
                          Cell::spread(result.final), Cell::integer(static_cast<double>(place(results, result))),
                          result.place});
    if (best == 0 || best + 1 == rates.rates.size()) at_end += (at_end.empty() ? "" : ", ") + rates.label;
  }
  const Table says = statements(experiment, results);
  return {Heading{experiment.title},
          Text{experiment.words},
          curves,
          sweep,
          table,
          says,
          Text{message("Of the paper's statements, after a quarter of the steps ", outcome(says, 1), "; at the end ",
                       outcome(says, 2), ". Where the costs of the seeds overlap, we call it undecided.",
                       at_end.empty()
                           ? ""
                           : " At an end of their sweep, so that a better rate may lie beyond, are: " + at_end + ".")}};
}

std::vector<Experiment> experiments(const Context& context) {
  const std::vector<double> adaptive = {1e-3, 3e-3, 1e-2, 3e-2}, adamax = {3e-3, 1e-2, 3e-2, 1e-1},
                            adagrad = {3e-3, 1e-2, 3e-2, 1e-1}, nesterov = {1e-1, 3e-1, 1, 3},
                            adadelta = {1, 3, 10, 30};
  const char *absent = "not in it", *behind = "behind Adam";
  const std::vector<Statement> adam_ahead = {
      {"adam", "adagrad", true}, {"adam", "rmsprop", true}, {"adam", "nesterov", true}, {"adam", "adadelta", true}};
  const std::vector<std::size_t> widths(2, context.pick<std::size_t>(100, 1000));
  const std::string layers = message("784-", widths[0], "-", widths[0], "-10 with ReLU",
                                     context.quick ? ": a quick page takes a tenth of the paper's widths. " : ". ");
  const std::vector<Contender> all = {{"adam", adaptive, "1"},        {"nesterov", nesterov, behind},
                                      {"rmsprop", adaptive, behind},  {"adagrad", adagrad, behind},
                                      {"adadelta", adadelta, behind}, {"adamax", adamax, absent}};
  return {
      {.name = "logistic",
       .title = "Logistic regression",
       .widths = {},
       .dropout = 0,
       .sweep_steps = context.pick<std::size_t>(80, 1000),
       .steps = context.pick<std::size_t>(160, 4500),
       .contenders = {{"adam", {3e-3, 1e-2, 3e-2, 1e-1, 3e-1}, "1 to 2"},
                      {"nesterov", nesterov, "1 to 2"},
                      {"adagrad", {1e-2, 3e-2, 1e-1, 3e-1, 1}, "3"},
                      {"adamax", {3e-3, 1e-2, 3e-2, 1e-1, 3e-1}, absent},
                      {"rmsprop", {3e-3, 1e-2, 3e-2, 1e-1}, absent}},
       .statements = {{"adam", "nesterov", false}, {"adam", "adagrad", true}, {"nesterov", "adagrad", true}},
       .words =
           message("784-10: a convex problem. The paper (section 6.1, Figure 1) finds that Adam converges like SGD "
                   "with Nesterov momentum, and both faster than AdaGrad. We call costs alike that differ by no "
                   "more than ",
                   100 * alike, " %. The paper adds an L2 penalty, and we do not.")},
      {.name = "dropout",
       .title = "Two hidden layers with dropout",
       .widths = widths,
       .dropout = 0.5,
       .sweep_steps = context.pick<std::size_t>(30, 150),
       .steps = context.pick<std::size_t>(60, 600),
       .contenders = all,
       .statements = adam_ahead,
       .words = layers +
                "Half of the hidden units are dropped at random in every step, so that gradients are noisier. "
                "The paper (section 6.2, Figure 2) finds that Adam converges faster than AdaGrad, RMSProp, SGD "
                "with Nesterov momentum and AdaDelta; it does not rank these in words. AdaDelta has no rate of "
                "its own: here α multiplies its step."},
      {.name = "mlp",
       .title = "The same without dropout",
       .widths = widths,
       .dropout = 0,
       .sweep_steps = context.pick<std::size_t>(30, 100),
       .steps = context.pick<std::size_t>(60, 400),
       .contenders = all,
       .statements = adam_ahead,
       .words = "Is it the dropout that decides? In the paper, this cost is only compared with another kind of method, "
                "SFO. So beside what is measured stands what the paper finds with dropout."}};
}

}  // namespace

Section paper_experiments(const Context& context) {
  const std::vector<Experiment> all = experiments(context);
  const auto seed_count = context.pick<std::size_t>(2, 3);
  // A step of the two layers takes some 30 times as long as one of logistic regression.
  const auto weight = [&](const Experiment& experiment) {
    return experiment.widths.empty() ? 1.0 : context.pick(4, 30);
  };
  double parts = 0, done = 0;
  for (const Experiment& experiment : all)
    for (const Contender& contender : experiment.contenders)
      parts += weight(experiment) *
               static_cast<double>(contender.rates.size() * experiment.sweep_steps + seed_count * experiment.steps);
  const double images = static_cast<double>(context.data.train.size());
  std::vector<Block> blocks = {Text{message(
      "The first two experiments of Kingma & Ba 2015, on ",
      context.real_digits ? "the data set that was given" : "drawn digits rather than MNIST", ": batches of ",
      batch_size,
      ", and in step t the rate α / √t, where t counts batches from 1. (The paper says so of logistic regression; we "
      "do "
      "it in all three.) α is the best of a sweep for each optimizer. The runs are shorter than the paper's: ",
      number_text(static_cast<double>(all[0].steps * batch_size) / images, 2), " passes over the ",
      context.data.train.size(), " images for logistic regression, ",
      number_text(static_cast<double>(all[1].steps * batch_size) / images, 2),
      " for the networks. AdaMax is in none of the paper's figures, and RMSProp not in the first; they are here for "
      "comparison. The final cost is the mean of "
      "the last tenth of the steps, the cost at a quarter that of the tenth before it, and places are by the median of "
      "the final cost.")}};
  for (const Experiment& experiment : all) {
    const std::vector<Block> more = show(context, experiment, seed_count, [&](std::size_t steps) {
      context.progress((done += weight(experiment) * static_cast<double>(steps)) / parts);
    });
    blocks.insert(blocks.end(), more.begin(), more.end());
  }
  return {.id = "paper", .title = "The paper's experiments", .blocks = blocks};
}

}  // namespace lab
