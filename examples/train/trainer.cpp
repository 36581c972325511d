#include "trainer.h"

#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/datasets/loader.h>
#include <xgrad/nn/losses.h>
#include <xgrad/nn/metrics.h>

#include <algorithm>
#include <chrono>

namespace train {
namespace {

using namespace xgrad;

constexpr std::size_t points_in_a_plot = 500;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Mean {
  double sum = 0;
  std::size_t count = 0;
  void add(double value) { sum += value, ++count; }
  double value() const { return sum / static_cast<double>(count); }
};

// One optimizer at work on one network.
class Trainer {
 public:
  Trainer(const Task& task, const Choice& choice, Progress& progress, const std::atomic<bool>& stop)
      : task_(task), progress_(progress), stop_(stop), run_{.choice = choice} {
    seed(task.seed);
    network_ = task.architecture.make();
    optimizer_ = choice.kind->make(network_.parameters(), choice.lr, choice.weight_decay);
    schedule_.emplace(*optimizer_,
                      task.schedule->make(static_cast<std::int64_t>(task.epochs * task.steps_per_epoch())));
  }

  Run run() {
    datasets::LoaderOptions options{
        .batch_size = static_cast<std::ptrdiff_t>(task_.batch_size), .shuffle = true, .seed = task_.seed};
    if (task_.augment) options.augment.emplace();
    datasets::DataLoader batches(task_.data.train, options);
    try {
      while (epoch_ < task_.epochs && !stop_) train_epoch(batches);
    } catch (const ValueError& error) {
      run_.failure =
          message(error.what(), " (step ", step_, " of ", task_.steps_per_epoch(), " in epoch ", epoch_, ")");
    }
    run_.state_bytes = optimizer_->state_bytes();
    return std::move(run_);
  }

 private:
  void train_epoch(datasets::DataLoader& batches) {
    const std::size_t steps = task_.steps_per_epoch();
    const std::size_t marks = std::clamp<std::size_t>(points_in_a_plot / task_.epochs, 1, steps);
    const double before = run_.seconds;
    const auto start = std::chrono::steady_clock::now();
    ++epoch_, step_ = 0;
    Mean loss, recent, accuracy;
    for (const auto& [images, labels] : batches) {
      ++step_;
      const auto [step_loss, step_accuracy] = train_step(images, labels);
      loss.add(step_loss), recent.add(step_loss), accuracy.add(step_accuracy);
      run_.loss = loss.value();
      run_.seconds = before + seconds_since(start);
      run_.epochs = static_cast<double>(epoch_ - 1) + static_cast<double>(step_) / static_cast<double>(steps);
      progress_.step({epoch_, step_, run_.loss, accuracy.value()});
      if (step_ * marks / steps != (step_ - 1) * marks / steps) {
        run_.points.push_back({epoch_, (epoch_ - 1) * steps + step_, recent.value(), {}, run_.seconds});
        recent = {};
      }
      if (stop_) return;
    }
    evaluate_epoch();
    progress_.epoch({epoch_, step_, run_.loss, run_.test->accuracy}, run_.seconds);
  }

  std::pair<double, double> train_step(const Variable& images, const IndexTensor& labels) {
    optimizer_->zero_grad();
    const Variable scores = network_(images);
    const Variable loss = nn::cross_entropy(scores, labels);
    loss.backward({.check_finite = true});
    optimizer_->step();
    schedule_->step();
    return {loss.item(), nn::accuracy(scores, labels)};
  }

  void evaluate_epoch() {
    run_.test = evaluate(network_, task_.data.test);
    run_.points.back().accuracy = run_.test->accuracy;
    if (!task_.validation) return;
    run_.validation_accuracy = run_.points.back().validation_accuracy = evaluate(network_, *task_.validation).accuracy;
  }

  const Task& task_;
  Progress& progress_;
  const std::atomic<bool>& stop_;
  Run run_;
  nn::Sequential network_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::optional<optim::Schedule> schedule_;  // refers to the optimizer
  std::size_t epoch_ = 0, step_ = 0;
};

}  // namespace

Run train_one(const Task& task, const Choice& choice, Progress& progress, const std::atomic<bool>& stop) {
  return Trainer(task, choice, progress, stop).run();
}

}  // namespace train
