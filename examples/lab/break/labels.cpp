// Labels that have nothing to do with the images.
#include <xgrad/core/random.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "../experiment.h"
#include "../rules.h"
#include "failures.h"

namespace lab {
namespace {

using namespace xgrad;

datasets::Dataset shuffled(const datasets::Dataset& data, std::uint64_t seed) {
  const IndexTensor order = Generator(seed).permutation(data.size());
  std::vector<std::int64_t> labels(data.size());
  for (std::size_t i = 0; i < data.size(); ++i) labels[i] = data.labels()[static_cast<std::size_t>(order(i))];
  return {{data.images().begin(), data.images().end()}, data.image_shape(), labels, data.class_names()};
}

struct Learned {
  std::vector<double> steps, train, test;  // losses
  double first_loss = 0;                   // of the first batch
  double first_pass = 0;                   // of the batches of the first pass, each new to the network
  Score on_train = {}, on_test = {};
};

Learned learn(const Context& context, const datasets::Dataset& train_data, std::size_t steps, std::uint64_t seed) {
  const datasets::Dataset test_data = context.data.test.slice(0, std::min<std::size_t>(1000, context.data.test.size()));
  nn::Sequential model = mlp({64}, seed);
  const auto optimizer = rule("adam").make(model.parameters(), {.lr = 3e-3});
  const std::size_t every = steps / 20, batches = train_data.size() / 64;
  Learned result;
  const auto look = [&](std::size_t step) {
    if (step % every != 0) return;
    result.on_train = evaluate(model, train_data), result.on_test = evaluate(model, test_data);
    result.steps.push_back(static_cast<double>(step));
    result.train.push_back(result.on_train.loss), result.test.push_back(result.on_test.loss);
  };
  const Trained trained = train(model, *optimizer, train_data, {.steps = steps, .seed = seed, .after_step = look});
  result.first_loss = trained.losses.front();
  for (std::size_t i = 0; i < batches; ++i) result.first_pass += trained.losses[i] / static_cast<double>(batches);
  return result;
}

struct Cases {
  std::vector<Learned> runs;
  std::vector<double> all(const std::function<double(const Learned&)>& number) const {
    std::vector<double> values;
    for (const Learned& one : runs) values.push_back(number(one));
    return values;
  }
  Line line(std::string label, std::string_view color, std::vector<double> Learned::*losses, bool dashed) const {
    std::vector<std::vector<double>> curves;
    for (const Learned& one : runs) curves.push_back(one.*losses);
    Line result = summary(std::move(label), color, runs[0].steps, curves);
    result.dashed = dashed;
    return result;
  }
};

double gap(const Learned& one) { return one.test.back() - one.train.back(); }
double test_loss(const Learned& one) { return one.test.back(); }
double first_pass(const Learned& one) { return one.first_pass; }

}  // namespace

Failure shuffled_labels(const Context& context) {
  const std::size_t count = std::min<std::size_t>(context.pick<std::size_t>(640, 2560), context.data.train.size());
  const std::size_t steps = context.pick<std::size_t>(300, 3000);
  const datasets::Dataset right = context.data.train.slice(0, count);
  Cases good, bad;
  for (const std::uint64_t seed : seeds(context)) {
    good.runs.push_back(learn(context, right, steps, seed));
    bad.runs.push_back(learn(context, shuffled(right, seed + 64), steps, seed));
  }
  Table table = {.name = "labels",
                 .caption = say::signs_caption{.guess = number_text(std::log(10.0), 4)},
                 .columns = {"number", "right labels", "shuffled labels"},
                 .rows = {}};
  const auto row = [&](const char* label, const std::function<double(const Learned&)>& number, int digits = 3) {
    table.rows.push_back({label, Cell::spread(good.all(number), digits), Cell::spread(bad.all(number), digits)});
  };
  row(
      "loss at the start", [](const Learned& one) { return one.first_loss; }, 4);
  row("mean loss of the first pass", first_pass, 4);
  row("training loss at the end", [](const Learned& one) { return one.train.back(); });
  row("test loss at the end", test_loss);
  row("gap: test loss - training loss", gap);
  row("training accuracy, %", [](const Learned& one) { return 100 * one.on_train.accuracy; });
  row("test accuracy, %", [](const Learned& one) { return 100 * one.on_test.accuracy; });
  const auto middle = [](const Cases& cases, const std::function<double(const Learned&)>& number, int digits = 3) {
    return number_text(median(cases.all(number)), digits);
  };
  return {.blocks = {Heading{say::labels_heading{}},
                     Text{say::labels_words{
                         .count = count,
                         .first_pass = middle(bad, first_pass, 4),
                         .gap = middle(bad, gap),
                         .healthy_first_pass = middle(good, first_pass, 4),
                         .healthy_gap = middle(good, gap),
                         .test = middle(bad, [](const Learned& one) { return 100 * one.on_test.accuracy; }),
                         .train = middle(bad, [](const Learned& one) { return 100 * one.on_train.accuracy; })}},
                     LineChart{.name = "labels-loss",
                               .title = say::labels_chart{},
                               .note = say::labels_note{},
                               .x = {.label = "step"},
                               .y = {.label = "cross entropy", .logarithmic = true},
                               .lines = {good.line("right labels, training", "n2", &Learned::train, false),
                                         good.line("right labels, test", "n2", &Learned::test, true),
                                         bad.line("shuffled, training", "n1", &Learned::train, false),
                                         bad.line("shuffled, test", "n1", &Learned::test, true)},
                               .marks = {{"ln 10", std::log(10.0), true}}},
                     table},
          .name = "shuffled labels",
          .healthy = good.all(test_loss),
          .broken = bad.all(test_loss),
          .cured = good.all(test_loss),
          .cure = "shuffle images and labels in one order",
          .diagnosis = "test loss - training loss",
          .shown = Cell::spread(bad.all(gap)),
          .shown_healthy = Cell::spread(good.all(gap))};
}

}  // namespace lab
