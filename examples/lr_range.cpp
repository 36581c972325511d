// Which learning rate to begin with? The range test (Smith 2017, section 3.3) on drawn digits and an MLP, with Adam. It
// prints the losses and plots them, and then trains for an epoch with a tenth of what it suggests, with that, and with
// ten times as much.
//
//   lr_range [FILE.svg [IMAGES]]
#include <xgrad/xgrad.h>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include "cli/program.h"
#include "line_plot.h"

using namespace xgrad;

namespace {

nn::Sequential mlp() { return nn::Sequential{nn::Flatten(), nn::Linear(784, 128), nn::ReLU(), nn::Linear(128, 10)}; }

// The loss of the next batch at each call, epoch after epoch.
class Batches {
 public:
  explicit Batches(const datasets::Dataset& images) : loader_(images, {.batch_size = 64, .shuffle = true, .seed = 1}) {}
  std::size_t per_epoch() const { return loader_.size(); }

  Variable next_loss(nn::Module& model) {
    if (batch_ == loader_.end()) batch_ = loader_.begin();
    const Variable loss = nn::cross_entropy(model(batch_->images), batch_->labels);
    ++batch_;
    return loss;
  }

 private:
  datasets::DataLoader<> loader_;
  datasets::DataLoader<>::Iterator batch_ = loader_.begin();
};

double accuracy_after_an_epoch(double lr, const datasets::Dataset& train, const datasets::Dataset& test) {
  seed(1);
  nn::Sequential model = mlp();
  optim::Adam optimizer(model.parameters(), {.lr = lr});
  Batches batches(train);
  optim::minimize(optimizer, [&] { return batches.next_loss(model); },
                  {.max_steps = static_cast<std::int64_t>(batches.per_epoch())});
  const NoGrad no_grad;
  const datasets::Batch exam = *datasets::DataLoader(test, {.batch_size = 1000}).begin();
  return nn::accuracy(model(exam.images), exam.labels);
}

void print(const optim::LRRange& range) {
  std::puts("learning rate      loss  smoothed");
  for (std::size_t i = 0; i < range.points.size(); ++i) {
    const auto& [lr, loss, smoothed] = range.points[i];
    const bool here = lr == range.suggested;
    if (i % 6 == 0 || here || i + 1 == range.points.size())
      std::printf("%13.2e  %8.4f  %8.4f%s\n", lr, loss, smoothed, here ? "  <- falls most steeply" : "");
  }
}

void plot(const std::string& path, const optim::LRRange& range) {
  line_plot::Line loss{.points = {}, .pale = true}, smoothed;
  for (const optim::LRRangePoint& point : range.points) {
    loss.points.emplace_back(point.lr, point.loss);
    smoothed.points.emplace_back(point.lr, point.smoothed);
  }
  line_plot::write(path, "Learning rate range test",
                   {{.title = "Adam, MLP 784-128-10",
                     .subtitle = "pale: loss after a step; dark: its mean, 4 steps late; dashed: suggestion",
                     .x_label = "learning rate",
                     .y_label = "cross-entropy",
                     .lines = {loss, smoothed},
                     .log_x = true,
                     .mark = range.suggested,
                     .top = 1.3 * range.points.front().smoothed}},
                   1, 560, 300);
}

int run(const std::string& path, std::size_t count) {
  const datasets::Dataset images = datasets::digits(count, 1), test = datasets::digits(1000, 2);
  seed(1);
  nn::Sequential model = mlp();
  optim::Adam optimizer(model.parameters());
  Batches batches(images);
  const optim::LRRange range = optim::lr_range_test(optimizer, [&] { return batches.next_loss(model); });
  print(range);
  plot(path, range);
  std::printf("plot: %s\n\n", path.c_str());
  if (!range.suggested) {
    std::puts("The loss fell at no rate.");
    return 1;
  }
  for (const double factor : {0.1, 1.0, 10.0}) {
    const double lr = factor * *range.suggested;
    std::printf("an epoch with %.2e: %.1f %% right\n", lr, 100 * accuracy_after_an_epoch(lr, images, test));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program(
      "lr_range", [&] { return run(argc > 1 ? argv[1] : "lr_range.svg", argc > 2 ? std::stoul(argv[2]) : 10000); });
}
