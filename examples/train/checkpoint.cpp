#include "checkpoint.h"

#include <zlib.h>

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

std::string fingerprint(const Task& task) {
  unsigned long checksum = 0;
  std::size_t count = 0;
  for (const datasets::Dataset* data :
       {&task.data.train, task.validation ? &*task.validation : nullptr, &task.data.test})
    if (data) {
      for (const auto bytes : {data->images(), data->labels()})
        checksum = crc32_z(checksum, bytes.data(), bytes.size());
      count += data->size();
    }
  return message(count, " images with the checksum ", checksum);
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
                    {"schedule", std::string(task.schedule->name)},
                    {"batch-size", std::to_string(task.batch_size)},
                    {"seed", std::to_string(task.seed)}}};
}

void check_settings(const StateDict& saved, const Task& task, const Choice& choice) {
  const StateDict ours = settings(task, choice);
  StateReader reader("checkpoint", saved);
  std::string contradictions;
  const auto contradict = [&](const std::string& name, const std::string& theirs, const std::string& asked) {
    contradictions += message(contradictions.empty() ? "" : ", ", name, " ", theirs, " rather than ", asked);
  };
  for (const auto& [name, asked] : ours.texts)
    if (const std::string theirs = reader.text(name); theirs != asked) contradict(name, theirs, asked);
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

void load_history(Run& run, const StateDict& saved) {
  StateReader reader("history", saved);
  Run loaded{.choice = run.choice,
             .loss = reader.scalar("loss"),
             .seconds = reader.scalar("seconds"),
             .epochs = reader.scalar("epochs")};
  const std::vector<double> numbers = numbers_in(reader, "points", 6);
  reader.finish();
  for (auto at = numbers.begin(); at != numbers.end(); at += 6)
    loaded.points.push_back({static_cast<std::size_t>(at[0]), static_cast<std::size_t>(at[1]), at[2], optional(at[3]),
                             at[4], optional(at[5])});
  run = std::move(loaded);
}

}  // namespace train
