#include "trainer.h"

#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/core/safetensors.h>
#include <xgrad/datasets/loader.h>
#include <xgrad/nn/losses.h>
#include <xgrad/nn/metrics.h>
#include <xgrad/optim/clip.h>
#include <xgrad/optim/distributed.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "checkpoint.h"
#include "network_file.h"

namespace train {
namespace {

using namespace xgrad;

constexpr std::size_t points_in_a_plot = 500;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Mean {
  double sum = 0, count = 0;
  void add(double value) { sum += value, ++count; }
  double value() const { return sum / count; }
};

// One optimizer at work on one network.
class Trainer {
 public:
  Trainer(const Task& task, const Choice& choice, const Saving& saving, Progress& progress,
          const std::atomic<int>& stop)
      : task_(task), saving_(saving), progress_(progress), stop_(stop), run_{.choice = choice} {
    seed(task.seed);
    network_ = task.architecture.make();
    optimizer_ = make_optimizer();
    schedule_.emplace(*optimizer_,
                      task.schedule->make(static_cast<std::int64_t>(task.epochs * task.steps_per_epoch())));
    datasets::LoaderOptions options{
        .batch_size = static_cast<std::ptrdiff_t>(task.batch_size), .shuffle = true, .seed = task.seed};
    if (task.augment) options.augment.emplace();
    options.communicator = task.communicator;
    batches_.emplace(task.data.train, options);
    if (saving.resumed) load(*saving.resumed);
    if (task.communicator) task.communicator->require_same("network to begin with", checksum(network_.state_dict()));
  }

  Run run() {
    try {
      if (epoch_ > 0 && step_ == 0) evaluate_epoch();  // resumed at the end of one
      run_.stopped = any_stop();
      while (epoch_ < task_.epochs && !run_.stopped) train_epoch();
    } catch (const ValueError& error) {
      fail(error.what());
      if (task_.communicator) try {
          task_.communicator->raise(error.what());
        } catch (const ProcessError& of_all) {
          fail(of_all.what());
        }
    } catch (const ProcessError& error) {
      fail(error.what());
    }
    run_.state_bytes = optimizer_->state_bytes();
    if (saving_.network && run_.failure.empty()) {
      const optim::EvaluationWeights guard(*optimizer_);
      run_.network = {{"network", description()}, {"model", network_.state_dict()}};
    }
    return std::move(run_);
  }

 private:
  std::unique_ptr<optim::Optimizer> make_optimizer() {
    const auto make = [this](const optim::ParameterList& parameters) {
      return run_.choice.kind->make(parameters, run_.choice.settings());
    };
    if (!task_.communicator) return make(network_.parameters());
    return std::make_unique<optim::DistributedOptimizer>(*task_.communicator, network_.parameters(), network_.buffers(),
                                                         make, optim::DistributedOptions{task_.clip});
  }

  void fail(const std::string& what) {
    run_.failure = message(what, " (step ", step_, " of ", task_.steps_per_epoch(), " in epoch ", epoch_ + 1, ")");
  }

  bool any_stop() const {
    if (!task_.communicator) return stop_ != 0;
    const std::vector<std::string> all = task_.communicator->gather(stop_ != 0 ? "1" : "0");
    return std::find(all.begin(), all.end(), "1") != all.end();
  }

  // The rest of it, if resumed in the middle.
  void train_epoch() {
    const std::size_t steps = task_.steps_per_epoch();
    const std::size_t marks = std::clamp<std::size_t>(points_in_a_plot / task_.epochs, 1, steps);
    const double before = run_.seconds;
    const auto start = std::chrono::steady_clock::now();
    for (const auto& [images, labels] : *batches_) {
      if (!optimizer_->is_waiting()) ++step_;
      auto [step_loss, step_accuracy] = train_step(images, labels);
      run_.stopped = stop_ != 0;
      if (task_.communicator) {
        const MicroBatch& part = task_.communicator->current();
        const double share = static_cast<double>(part.samples) / static_cast<double>(part.batch);
        parts_.insert(parts_.end(), {share * step_loss, share * step_accuracy, run_.stopped ? 1. : 0.});
        if (optimizer_->is_waiting()) continue;
        const std::vector<double> sums = task_.communicator->sum(std::exchange(parts_, {}), 3);
        step_loss = sums[0], step_accuracy = sums[1], run_.stopped = sums[2] > 0;
      }
      loss_.add(step_loss), recent_.add(step_loss), accuracy_.add(step_accuracy);
      run_.loss = loss_.value();
      run_.seconds = before + seconds_since(start);
      run_.epochs = static_cast<double>(epoch_) + static_cast<double>(step_) / static_cast<double>(steps);
      progress_.step({epoch_ + 1, step_, run_.loss, accuracy_.value()});
      const std::size_t all_steps = epoch_ * steps + step_;
      if (step_ * marks / steps != (step_ - 1) * marks / steps) {
        run_.points.push_back({epoch_ + 1, all_steps, recent_.value(), {}, run_.seconds});
        recent_ = {};
      }
      if (run_.stopped || (saving_.every && all_steps % *saving_.every == 0)) save();
      if (run_.stopped) return;
    }
    evaluate_epoch();
    progress_.epoch({epoch_ + 1, step_, run_.loss, run_.test->accuracy}, run_.seconds);
    ++epoch_, step_ = 0;
    loss_ = recent_ = accuracy_ = {};
    save();
  }

  std::pair<double, double> train_step(const Variable& images, const IndexTensor& labels) {
    Variable scores;
    const auto compute = [&] {
      const Variable now = network_(images);
      if (!scores) scores = now;  // a second call may be about other weights
      return nn::cross_entropy(now, labels);
    };
    if (optimizer_->needs_closure()) {
      const double loss = optimizer_->step(compute);
      schedule_->step();
      return {loss, nn::accuracy(scores, labels)};
    }
    optimizer_->zero_grad();
    const Variable loss = compute();
    loss.backward({.check_finite = true, .names = &optimizer_->parameters()});
    if (task_.clip && !task_.communicator) optim::clip_grad_norm(optimizer_->parameters(), *task_.clip);
    optimizer_->step();
    schedule_->step();
    return {loss.item(), nn::accuracy(scores, labels)};
  }

  void evaluate_epoch() {
    const optim::EvaluationWeights guard(*optimizer_);
    run_.test = evaluate(network_, task_.data.test, task_.communicator);
    run_.points.back().accuracy = run_.test->accuracy;
    if (!task_.validation) return;
    run_.validation_accuracy = run_.points.back().validation_accuracy =
        evaluate(network_, *task_.validation, task_.communicator).accuracy;
  }

  void save() {
    if (!saving_.file) return;
    try {
      save_to(*saving_.file);
      run_.is_saved = true;
    } catch (const ProcessError&) {
      throw;
    } catch (const std::exception& error) {  // of the file, or of memory: training can go on
      run_.is_saved = false;
      progress_.line(message("train: no checkpoint was saved: ", error.what(), "; the one before stays"));
    }
  }

  void save_to(const std::filesystem::path& file) const {
    StateDict place{.scalars = {{"epoch", static_cast<double>(epoch_)}, {"step", static_cast<double>(step_)}}};
    for (const auto& [name, mean] : means_) {
      place.scalars.emplace_back(name + ".sum", (this->*mean).sum);
      place.scalars.emplace_back(name + ".count", (this->*mean).count);
    }
    StateDict evaluation;  // where these weights are not the model's
    if (!optimizer_->evaluation_weights().empty()) {
      const optim::EvaluationWeights guard(*optimizer_);
      evaluation = network_.state_dict();
    }
    StateDict optimizer = optimizer_->state_dict();  // of all processes
    if (task_.communicator && !task_.communicator->is_first()) return;
    save_checkpoint(file, {{"settings", settings(task_, run_.choice)},
                           {"place", std::move(place)},
                           {"history", history(run_)},
                           {"network", description()},
                           {"model", network_.state_dict()},
                           {"evaluation", std::move(evaluation)},
                           {"optimizer", std::move(optimizer)},
                           {"schedule", schedule_->state_dict()},
                           {"loader", batches_->state_dict()},
                           {"generator", default_generator().state_dict()}});
  }

  StateDict description() const { return train::description(task_.architecture, task_.data.train.class_names()); }

  void load(const StateDict& saved) {
    const StateDict place = saved.below("place.");
    StateReader reader("place", place);
    epoch_ = reader.count("epoch"), step_ = reader.count("step");
    for (const auto& [name, mean] : means_)
      this->*mean = {reader.scalar(name + ".sum"), reader.scalar(name + ".count")};
    const std::size_t steps = task_.steps_per_epoch();
    if (epoch_ > task_.epochs || step_ > steps || (epoch_ == task_.epochs && step_ > 0))
      reader.misfit("expected at most ", task_.epochs, " epochs of ", steps, " steps, got ", epoch_, " and ", step_);
    for (const auto& [name, mean] : means_) {
      const auto& [sum, count] = this->*mean;
      if (!(sum >= 0 && std::isfinite(sum) && count >= 0 && count <= static_cast<double>(step_)))
        reader.misfit(name, ": expected a sum and a count of what ", step_, " steps gave, got ", sum, " and ", count);
    }
    reader.finish();
    load_history(run_, saved.below("history."), {epoch_, step_}, steps);
    check_counts(saved, {epoch_, step_}, steps);
    network_.load_state_dict(saved.below("model."));
    optimizer_->load_state_dict(saved.below("optimizer."));
    for (const auto& [name, parameter] : optimizer_->parameters()) {  // one without a count has not made a step
      const auto made = static_cast<std::size_t>(optimizer_->step_count(name));
      if (const std::size_t all = epoch_ * steps + step_; made != all)
        throw DataError(message("[checkpoint] optimizer.", name, ".step: expected ", all, ", got ", made));
    }
    schedule_->load_state_dict(saved.below("schedule."));
    batches_->load_state_dict(saved.below("loader."));
    default_generator().load_state_dict(saved.below("generator."));
  }

  const Task& task_;
  const Saving& saving_;
  Progress& progress_;
  const std::atomic<int>& stop_;
  Run run_;
  nn::Sequential network_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::optional<optim::Schedule> schedule_;  // refers to the optimizer
  std::optional<datasets::DataLoader<Samples>> batches_;
  std::size_t epoch_ = 0, step_ = 0;  // epochs that are complete, and steps of the next one
  Mean loss_, recent_, accuracy_;     // of this epoch, since the last point, and of this epoch
  std::vector<double> parts_;  // of the step: what its micro-batches add to the loss, the accuracy, and the stops
  const std::pair<std::string, Mean Trainer::*> means_[3] = {
      {"loss", &Trainer::loss_}, {"recent", &Trainer::recent_}, {"accuracy", &Trainer::accuracy_}};
};

}  // namespace

Run train_one(const Task& task, const Choice& choice, const Saving& saving, Progress& progress,
              const std::atomic<int>& stop) {
  return Trainer(task, choice, saving, progress, stop).run();
}

}  // namespace train
