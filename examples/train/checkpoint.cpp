#include "checkpoint.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace train {

using namespace cli;

namespace {

using namespace xgrad;

constexpr double none = std::numeric_limits<double>::quiet_NaN();

// Each with a space after it, in rows of `width`.
std::vector<double> numbers_in(StateReader& reader, const std::string& name, std::size_t width) {
  const std::string text = reader.text(name);
  std::vector<double> numbers;
  for (const char *at = text.data(), *end = at + text.size(); at != end; ++at) {
    const auto [next, error] = std::from_chars(at, end, numbers.emplace_back());
    if (error != std::errc() || next == end || *next != ' ') {
      reader.misfit(name, ": expected numbers, each with a space after it");
      return {};
    }
    at = next;
  }
  if (numbers.size() % width == 0) return numbers;
  reader.misfit(name, ": expected rows of ", width, " numbers, got ", numbers.size());
  return {};
}

std::optional<double> optional(double number) { return std::isnan(number) ? std::nullopt : std::optional(number); }

// A byte each up to 255, and as many more as a label needs.
std::vector<std::uint8_t> label_bytes(const Samples& data) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(data.size());
  for (const std::int64_t label : data.labels()) {
    std::int64_t rest = label;
    do bytes.push_back(static_cast<std::uint8_t>(rest));
    while ((rest >>= 8) > 0);
  }
  return bytes;
}

std::string fingerprint(const Task& task) {
  unsigned long checksum = 0;
  std::size_t count = 0;
  for (const Samples* data : {&task.data.train, task.validation ? &*task.validation : nullptr, &task.data.test})
    if (data) {
      const std::vector<std::uint8_t> labels = label_bytes(*data);
      checksum = crc32_z(checksum, data->bytes().data(), data->bytes().size());
      checksum = crc32_z(checksum, labels.data(), labels.size());
      count += data->size();
    }
  return message(count, task.data.train.images() ? " images" : " rows", " with the checksum ", checksum);
}

bool has_text(const StateDict& dict, const std::string& name) {
  return std::any_of(dict.texts.begin(), dict.texts.end(), [&](const auto& text) { return text.first == name; });
}

std::string text_of(std::optional<double> number, const char* otherwise) {
  return number ? shortest(*number) : otherwise;
}

}  // namespace

StateDict settings(const Task& task, const Choice& choice) {
  return {.scalars = {{"epochs", static_cast<double>(task.epochs)}},
          .texts = {{"data", fingerprint(task)},
                    {"validation", std::to_string(task.validation ? task.validation->size() : 0)},
                    {"augment", task.augment ? "on" : "off"},
                    {"model", task.architecture.name()},
                    {"optimizer", std::string(choice.kind->name)},
                    {"lr", shortest(choice.lr)},
                    {"weight-decay", shortest(choice.weight_decay)},
                    {"momentum", text_of(choice.momentum, "default")},
                    {"beta1", text_of(choice.beta1, "default")},
                    {"beta2", text_of(choice.beta2, "default")},
                    {"clip", text_of(task.clip, "none")},
                    {"schedule", std::string(task.schedule->name)},
                    {"batch-size", std::to_string(task.batch_size)},
                    {"micro-batches", task.communicator ? std::to_string(task.communicator->micro_batches()) : "none"},
                    {"seed", std::to_string(task.seed)}}};
}

std::string checksum(const StateDict& dict) {
  unsigned long sum = 0;
  for (const auto& [name, tensor] : dict.tensors)
    sum = crc32_z(sum, reinterpret_cast<const Bytef*>(tensor.data()), tensor.size() * sizeof(Scalar));
  return message("checksum ", sum);
}

void check_settings(const StateDict& saved, const Task& task, const Choice& choice) {
  if (saved.texts.empty()) throw UsageError("--resume: the file holds a network, and no training to go on with");
  const StateDict ours = settings(task, choice);
  StateDict theirs_all = saved;
  if (!has_text(saved, "micro-batches")) theirs_all.texts.emplace_back("micro-batches", "none");  // an earlier version
  StateReader reader("checkpoint", theirs_all);
  std::string contradictions;
  const auto contradict = [&](const std::string& name, const std::string& theirs, const std::string& asked) {
    contradictions += message(contradictions.empty() ? "" : ", ", name, " ", theirs, " rather than ", asked);
  };
  for (const auto& [name, asked] : ours.texts)
    if (const std::string theirs = reader.text(name); theirs != asked) contradict(name, printable(theirs), asked);
  const std::uint64_t epochs = reader.count("epochs");
  reader.finish();
  const bool extensible = task.schedule == &schedule_kinds().front();
  if (task.epochs < epochs || (task.epochs > epochs && !extensible))
    contradict("epochs", std::to_string(epochs), std::to_string(task.epochs));
  if (!contradictions.empty()) throw UsageError("--resume: the checkpoint was made with " + contradictions);
}

StateDict history(const Run& run) {
  std::string points;
  for (const Point& point : run.points)
    for (const double number : {static_cast<double>(point.epoch), static_cast<double>(point.step), point.loss,
                                point.accuracy.value_or(none), point.seconds, point.validation_accuracy.value_or(none)})
      points += shortest(number) + " ";
  return {.scalars = {{"loss", run.loss}, {"seconds", run.seconds}, {"epochs", run.epochs}},
          .texts = {{"points", points}}};
}

void load_history(Run& run, const StateDict& saved, Place place, std::size_t steps_per_epoch) {
  StateReader reader("history", saved);
  Run loaded{.choice = run.choice,
             .loss = reader.scalar("loss"),
             .seconds = reader.scalar("seconds"),
             .epochs = reader.scalar("epochs")};
  const auto expect = [&reader](bool good, const auto&... what) {
    if (!good) reader.misfit(what...);
  };
  const auto at_least_0 = [](double number) { return number >= 0 && std::isfinite(number); };
  const auto share = [](std::optional<double> number) { return !number || (*number >= 0 && *number <= 1); };
  expect(at_least_0(loaded.loss), "loss: expected a number from 0 on, got ", loaded.loss);
  expect(at_least_0(loaded.seconds), "seconds: expected a number from 0 on, got ", loaded.seconds);
  const double epochs =
      static_cast<double>(place.epoch) + static_cast<double>(place.step) / static_cast<double>(steps_per_epoch);
  expect(loaded.epochs == epochs, "epochs: expected ", epochs, ", got ", loaded.epochs);

  const std::vector<double> numbers = numbers_in(reader, "points", 6);
  const double last_step = static_cast<double>(place.epoch * steps_per_epoch + place.step);
  std::size_t row = 0;
  Point before{.epoch = 1, .step = 0, .loss = 0, .accuracy = {}, .seconds = 0};
  for (auto at = numbers.begin(); at != numbers.end(); at += 6, ++row) {
    const bool counts = at[1] >= 1 && at[1] <= last_step && at[1] == std::floor(at[1]);
    const std::size_t step = counts ? static_cast<std::size_t>(at[1]) : 0;
    expect(step > before.step && at[0] == static_cast<double>((step - 1) / steps_per_epoch + 1), "points, row ", row,
           ": expected an epoch and a step that follow those before, got ", at[0], " and ", at[1]);
    before = {.epoch = step / steps_per_epoch + 1,
              .step = step,
              .loss = at[2],
              .accuracy = optional(at[3]),
              .seconds = at[4],
              .validation_accuracy = optional(at[5])};
    expect(at_least_0(at[2]), "points, row ", row, ": expected a loss from 0 on, got ", at[2]);
    expect(share(before.accuracy) && share(before.validation_accuracy), "points, row ", row,
           ": expected accuracies from 0 to 1");
    expect(at[4] >= 0 && at[4] <= loaded.seconds, "points, row ", row, ": expected seconds from 0 to ", loaded.seconds,
           ", got ", at[4]);
    if (counts) before.epoch = (step - 1) / steps_per_epoch + 1;
    loaded.points.push_back(before);
  }
  // Each epoch that came to its end has a point there.
  const std::size_t ends = place.epoch + (place.step == steps_per_epoch ? 1 : 0);
  expect(before.step >= ends * steps_per_epoch, "points: expected one at the end of epoch ", ends);
  reader.finish();
  run = std::move(loaded);
}

void check_counts(const StateDict& saved, Place place, std::size_t steps_per_epoch) {
  std::string misfits;
  const auto all_steps = static_cast<double>(place.epoch * steps_per_epoch + place.step);
  const auto epoch = static_cast<double>(place.epoch), step = static_cast<double>(place.step);
  const bool at_end = place.step == steps_per_epoch;
  double loader_epoch = epoch, taken = step;
  for (const auto& [name, number] : saved.scalars) {
    if (name == "loader.epoch") loader_epoch = number;
    if (name == "loader.taken") taken = number;
    if (name == "schedule.count" && number != all_steps)
      misfits += message("\n  schedule.count: expected ", all_steps, ", got ", number);
  }
  const bool at_its_end = at_end && loader_epoch == epoch + 1 && taken == 0;
  if (!at_its_end && (loader_epoch != epoch || taken != step))
    misfits += message("\n  loader: expected epoch ", epoch, " and ", step, " batches taken, got ", loader_epoch,
                       " and ", taken);
  if (!misfits.empty()) throw DataError(message("[checkpoint] the counts do not fit each other:", misfits));
}

}  // namespace train
