// A checkpoint is input: what does not fit together is refused before training goes on.
#include <checkpoint.h>
#include <doctest/doctest.h>
#include <trainer.h>
#include <unistd.h>
#include <xgrad/core/safetensors.h>
#include <xgrad/datasets/digits.h>

#include <filesystem>
#include <limits>

using namespace train;
using xgrad::DataError;
using xgrad::StateDict;

namespace {

constexpr std::size_t steps = 4;

Task task(std::size_t epochs) {
  const xgrad::datasets::Dataset data = xgrad::datasets::digits(steps * 16, 1);
  return {.data = {data, data},
          .validation = {},
          .augment = false,
          .architecture = {&model_kinds().front(), {}, data.image_shape(), 10},
          .epochs = epochs,
          .batch_size = 16,
          .schedule = &schedule_kinds().front(),
          .seed = 1};
}

Choice choice() { return {&optimizer_kinds().front(), 0.001, 0, "adam"}; }

Run trained(const Task& task, const Saving& saving) {
  Progress progress({1, task.epochs, task.steps_per_epoch()});
  const std::atomic<int> stop = 0;
  return train_one(task, choice(), saving, progress, stop);
}

double& scalar(StateDict& state, const std::string& name) {
  for (auto& [key, value] : state.scalars)
    if (key == name) return value;
  FAIL("there is no ", name);
  return state.scalars.front().second;
}
std::string& points(StateDict& state) {
  for (auto& [key, value] : state.texts)
    if (key == "history.points") return value;
  FAIL("there are no points");
  return state.texts.front().second;
}

}  // namespace

TEST_CASE("a crafted checkpoint is refused, with what does not fit") {
  const auto folder = std::filesystem::temp_directory_path() / ("xgrad-resume-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  trained(task(2), {.file = folder / "run"});
  const StateDict whole = xgrad::load_checkpoint(folder / "run");
  std::filesystem::remove_all(folder);
  const Task more = task(3);
  CHECK(trained(more, {.resumed = whole}).epochs == 3);

  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const struct {
    const char* said;
    std::function<void(StateDict&)> craft;
  } cases[] = {
      {"expected at most 3 epochs of 4 steps, got 4 and 0", [](StateDict& s) { scalar(s, "place.epoch") = 4; }},
      {"expected at most 3 epochs of 4 steps, got 2 and 5", [](StateDict& s) { scalar(s, "place.step") = 5; }},
      {"epoch: expected a count, got -1", [](StateDict& s) { scalar(s, "place.epoch") = -1; }},
      {"epochs: expected 1, got 2", [](StateDict& s) { scalar(s, "place.epoch") = 1; }},
      {"loss: expected a sum and a count", [=](StateDict& s) { scalar(s, "place.loss.sum") = inf; }},
      {"recent: expected a sum and a count", [](StateDict& s) { scalar(s, "place.recent.count") = 1; }},
      {"accuracy: expected a sum and a count", [=](StateDict& s) { scalar(s, "place.accuracy.count") = nan; }},
      {"loss: expected a number from 0 on, got inf", [=](StateDict& s) { scalar(s, "history.loss") = inf; }},
      {"seconds: expected a number from 0 on, got nan", [=](StateDict& s) { scalar(s, "history.seconds") = nan; }},
      {"points: expected one at the end of epoch 2", [](StateDict& s) { points(s).clear(); }},
      {"points: expected rows of 6 numbers", [](StateDict& s) { points(s) += "1 "; }},
      {"points: expected numbers", [](StateDict& s) { points(s) += "x "; }},
      {"row 0: expected a loss from 0 on, got inf", [](StateDict& s) { points(s) = "1 1 inf nan 0 nan "; }},
      {"row 0: expected an epoch and a step", [](StateDict& s) { points(s) = "1 1e300 1 nan 0 nan "; }},
      {"row 0: expected an epoch and a step", [](StateDict& s) { points(s) = "2 1 1 nan 0 nan "; }},
      {"row 1: expected an epoch and a step", [](StateDict& s) { points(s) = "1 1 1 nan 0 nan 1 1 1 nan 0 nan "; }},
      {"row 0: expected accuracies", [](StateDict& s) { points(s) = "1 1 1 2 0 nan "; }},
      {"row 0: expected seconds", [](StateDict& s) { points(s) = "1 1 1 nan 1e9 nan "; }},
      {"schedule.count: expected 8, got 9", [](StateDict& s) { scalar(s, "schedule.count") = 9; }},
      {"optimizer.1.weight.step: expected 8, got 0", [](StateDict& s) { scalar(s, "optimizer.1.weight.step") = 0; }},
      {"optimizer.1.bias.step: expected 8, got 0",
       [](StateDict& s) {
         const auto of_bias = [](const auto& entry) { return entry.first.starts_with("optimizer.1.bias."); };
         std::erase_if(s.scalars, of_bias), std::erase_if(s.tensors, of_bias);
       }},
      {"loader: expected epoch 2 and 0 batches taken, got 1 and 3",
       [](StateDict& s) { scalar(s, "loader.epoch") = 1, scalar(s, "loader.taken") = 3; }},
  };
  for (const auto& c : cases) {
    StateDict crafted = whole;
    c.craft(crafted);
    std::string said = "accepted";
    try {
      trained(more, {.resumed = crafted});
    } catch (const DataError& error) {
      said = error.what();
    }
    CHECK_MESSAGE(said.find(c.said) != std::string::npos, said, " lacks ", std::string(c.said));
  }
}

TEST_CASE("a checkpoint that cannot be written does not end the training") {
  const Run run = trained(task(2), {.file = "/proc/none/run"});
  CHECK(run.epochs == 2);
  CHECK(run.test);
  CHECK_FALSE(run.is_saved);
}
