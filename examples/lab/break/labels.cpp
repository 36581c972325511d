// Labels that have nothing to do with the images.
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>

#include <algorithm>
#include <cmath>

#include "../rules.h"
#include "failures.h"

namespace lab {
namespace {

using namespace xgrad;

datasets::Dataset shuffled(const datasets::Dataset& data, std::uint64_t seed) {
  const IndexTensor order = Generator(seed).permutation(data.size());
  std::vector<std::uint8_t> labels(data.size());
  for (std::size_t i = 0; i < data.size(); ++i) labels[i] = data.labels()[static_cast<std::size_t>(order(i))];
  return {{data.images().begin(), data.images().end()}, data.image_shape(), labels, data.class_names()};
}

struct Learned {
  std::vector<double> steps, train, test;  // losses
  double first_loss = 0,
         first_pass = 0;  // of the first batch; of the batches of the first pass, each new to the network
  Score on_train = {}, on_test = {};
};

Learned learn(const Context& context, const datasets::Dataset& train_data, std::size_t steps,
              const std::function<void(double)>& progress) {
  const datasets::Dataset test_data = context.data.test.slice(0, std::min<std::size_t>(1000, context.data.test.size()));
  nn::Sequential model = mlp({64}, context.seed * 1000 + 63);
  const auto optimizer = rule("adam").make(model.parameters(), {.lr = 3e-3});
  const std::size_t every = steps / 20, batches = train_data.size() / 64;
  Learned result;
  const auto look = [&](std::size_t step) {
    if (step % every != 0) return;
    result.on_train = evaluate(model, train_data), result.on_test = evaluate(model, test_data);
    result.steps.push_back(static_cast<double>(step));
    result.train.push_back(result.on_train.loss), result.test.push_back(result.on_test.loss);
    progress(static_cast<double>(step) / static_cast<double>(steps));
  };
  const Trained trained =
      train(model, *optimizer, train_data, {.steps = steps, .seed = context.seed, .after_step = look});
  result.first_loss = trained.losses.front();
  for (std::size_t i = 0; i < batches; ++i) result.first_pass += trained.losses[i] / static_cast<double>(batches);
  return result;
}

}  // namespace

Failure shuffled_labels(const Context& context) {
  const std::size_t count = std::min<std::size_t>(context.pick<std::size_t>(640, 2560), context.data.train.size());
  const std::size_t steps = context.pick<std::size_t>(400, 3000);
  const datasets::Dataset right = context.data.train.slice(0, count), wrong = shuffled(right, context.seed * 1000 + 64);
  const Learned good = learn(context, right, steps, [](double) {}), bad = learn(context, wrong, steps, [](double) {});
  const double gap = bad.test.back() - bad.train.back(), healthy_gap = good.test.back() - good.train.back();
  Table table = {
      .name = "labels",
      .caption = message("What the library says; ln 10 = ", number_text(std::log(10.0), 4)),
      .columns = {"number", "right labels", "shuffled labels"},
      .rows = {{"loss at the start", Cell(good.first_loss, 4), Cell(bad.first_loss, 4)},
               {"mean loss of the first pass", Cell(good.first_pass, 4), Cell(bad.first_pass, 4)},
               {"training loss at the end", Cell(good.train.back()), Cell(bad.train.back())},
               {"test loss at the end", Cell(good.test.back()), Cell(bad.test.back())},
               {"gap: test loss - training loss", Cell(healthy_gap), Cell(gap)},
               {"training accuracy, %", Cell(100 * good.on_train.accuracy), Cell(100 * bad.on_train.accuracy)},
               {"test accuracy, %", Cell(100 * good.on_test.accuracy), Cell(100 * bad.on_test.accuracy)}}};
  return {
      {Heading{"3. Shuffled labels"},
       Text{message(
           "Images and labels were put in order one without the other: a mistake that no shape can show. A network "
           "784-64-10 has ",
           count,
           " such digits to learn (Adam, α = 0.003), and can only learn them by heart (Zhang et al. 2017): its "
           "training "
           "accuracy "
           "ends at ",
           number_text(100 * bad.on_train.accuracy), " %, its test accuracy at ",
           number_text(100 * bad.on_test.accuracy),
           " %. Two numbers tell. In the first pass, where each sample is new, nothing but guessing can be learned, "
           "and the loss has no reason to leave ln 10: its mean is ",
           number_text(bad.first_pass, 4), ", with right labels ", number_text(good.first_pass, 4),
           ". And at the end the test loss is ", number_text(gap), " above the training loss, with right labels ",
           number_text(healthy_gap),
           ". A look at a dozen images with their labels tells too. Cure: shuffle both in one order, as DataLoader "
           "does. The curves with right labels are the cure's.")},
       LineChart{
           .name = "labels-loss",
           .title = "Shuffled labels: training and test loss",
           .note = "A training loss that falls says that a network can learn its samples, not that there is something "
                   "in them.",
           .x = {.label = "step"},
           .y = {.label = "cross entropy", .logarithmic = true},
           .lines = {{.label = "right labels, training", .color = "n2", .x = good.steps, .y = good.train},
                     {.label = "right labels, test", .color = "n2", .x = good.steps, .y = good.test, .dashed = true},
                     {.label = "shuffled, training", .color = "n1", .x = bad.steps, .y = bad.train},
                     {.label = "shuffled, test", .color = "n1", .x = bad.steps, .y = bad.test, .dashed = true}},
           .marks = {{"ln 10", std::log(10.0), true}}},
       table},
      {"shuffled labels", Cell(bad.test.back()), Cell(good.test.back()), "test loss - training loss", Cell(gap),
       Cell(healthy_gap), "shuffle images and labels in one order", Cell(good.test.back())}};
}

}  // namespace lab
