// A checkpoint that somebody made who knows the format, and all that `train --resume` makes of it: the checks, the rest
// of the training, and its table, plot, page and CSV.
#include <checkpoint.h>
#include <page.h>
#include <plot.h>
#include <report.h>
#include <text.h>
#include <trainer.h>
#include <xgrad/xgrad.h>

#include <cstdio>

#include "fuzz.h"

using namespace xgrad;
using namespace train;

namespace {

// Everything that has state, and little of it: a training takes a millisecond.
nn::Sequential tiny(const Architecture& architecture) {
  return nn::Sequential{nn::Flatten(), nn::Linear(16, 3), nn::BatchNorm1d(3),
                        nn::ReLU(),    nn::Dropout(0.2),  nn::Linear(3, architecture.classes)};
}
constexpr ModelKind tiny_kind = {"tiny", 1, tiny};

datasets::Dataset images(std::size_t count, std::uint64_t start) {
  Generator generator(start);
  std::vector<std::uint8_t> pixels(count * 16), labels(count);
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(generator.below(256));
  for (std::uint8_t& label : labels) label = static_cast<std::uint8_t>(generator.below(3));
  return datasets::Dataset(pixels, {1, 4, 4}, labels, {"a", "b", "c"});
}

constexpr std::size_t steps_in_epoch = 5, most_epochs = 3;

const OptimizerKind& optimizer_kind(std::string_view name) {
  for (const OptimizerKind& kind : optimizer_kinds())
    if (kind.name == name) return kind;
  std::abort();
}

struct Case {
  Task task;
  Choice choice;
  StateDict state = {};
};

std::atomic<int> stop = 0;
std::int64_t last_step = 0;

// The learning rate stays, and after so many steps the training is told to stop, as by a signal.
optim::Curve until_last_step(std::int64_t) {
  return [](double base, std::int64_t count) {
    if (count == last_step) stop = 1;
    return base;
  };
}

Run resume(const Case& one, const Saving& saving) {
  Progress progress({1, one.task.epochs, one.task.steps_per_epoch()});
  return train_one(one.task, one.choice, saving, progress, stop);
}

// Stopped in the first epoch, after its last step and in the second one.
std::vector<Case> make_cases() {
  const train::Split data = {images(38, 1), images(12, 2)};
  const auto task = [&](const ScheduleKind& schedule) {
    return Task{.data = data,
                .validation = {},
                .augment = false,
                .architecture = {&tiny_kind, {}, data.train.image_shape(), 3},
                .epochs = 2,
                .batch_size = 8,
                .schedule = &schedule,
                .seed = 1};
  };
  std::vector<Case> all;
  const std::string_view names[] = {"adam", "nadam", "sgd"};
  for (std::size_t i = 0; i < std::size(names); ++i)
    for (const std::int64_t steps : {std::int64_t{2}, std::int64_t{steps_in_epoch}, std::int64_t{7}}) {
      const OptimizerKind& kind = optimizer_kind(names[i]);
      Case one{task(schedule_kinds()[i]), {&kind, 0.01, 0, std::string(kind.name)}};
      if (i == 1) one.task.validation = images(9, 3);
      one.task.augment = i == 2;
      Case stopped = one;
      const ScheduleKind stopping = {one.task.schedule->name, until_last_step};
      stopped.task.schedule = &stopping;
      last_step = steps, stop = 0;
      const std::filesystem::path file = fuzz::path_of("made");
      resume(stopped, {file});
      one.state = load_checkpoint(file);
      all.push_back(std::move(one));
    }
  // And one that came to the end of its first epoch.
  Case one = all[0];
  one.task.epochs = 1, stop = 0;
  resume(one, {fuzz::path_of("made")});
  one.task.epochs = 2;
  one.state = load_checkpoint(fuzz::path_of("made"));
  all.push_back(std::move(one));
  return all;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::FILE* const quiet = std::fopen("/dev/null", "w");
    fuzz::expect(quiet, "/dev/null");
    stderr = quiet;  // a line an epoch
    return make_cases();
  }();
  return all;
}

void report(const std::vector<Run>& runs, const Task& task) {
  table(runs, task.epochs, true);
  confusions(runs, task.data.test.class_names());
  svg(runs, "caption", task.epochs, task.steps_per_epoch());
  csv(runs);
  page(runs, task, "caption");
}

}  // namespace

void fuzz::run(Bytes bytes) {
  Input input(bytes);
  Case one = cases()[input.byte() % cases().size()];
  const std::uint8_t flags = input.byte();
  if (flags & 1) one.task.epochs = most_epochs;
  stop = flags & 2;
  Saving saving{path_of("checkpoint")};
  if (flags & 4) saving.every = 2;
  mutate(one.state, input);
  // A name that comes twice, or no UTF-8: no file has that.
  if (!succeeds<ValueError>([&] { save_safetensors(*saving.file, one.state); })) return;

  std::vector<Run> runs;
  const bool resumed = succeeds<DataError, cli::UsageError>([&] {
    saving.resumed = load_checkpoint(*saving.file, little_memory);
    check_settings(saving.resumed->below("settings."), one.task, one.choice);
    runs.push_back(resume(one, saving));
  });
  if (!resumed) return;
  expect(runs[0].is_saved, "checkpoints that are written");
  report(runs, one.task);
  stop = 1;
  saving.resumed = load_checkpoint(*saving.file, little_memory);
  check_settings(saving.resumed->below("settings."), one.task, one.choice);
  report({resume(one, saving)}, one.task);
}

// Each case gets an eighth of its changes: all of them would take longer than a run of a minute.
std::vector<std::string> fuzz::seeds() {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < cases().size(); ++i) {
    const std::vector<std::string> some = mutations(cases()[i].state);
    for (std::size_t k = i % 8; k < some.size(); k += 8) all.push_back(byte(i) + byte(k / 8 % 8) + some[k]);
  }
  return all;
}
