// Trains one network with several optimizers and compares them: train --help.
#include <unistd.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/safetensors.h>
#include <xgrad/datasets/digits.h>
#include <xgrad/datasets/mnist.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <new>

#include "checkpoint.h"
#include "options.h"
#include "output_file.h"
#include "page.h"
#include "plot.h"
#include "progress.h"
#include "report.h"
#include "terminal.h"
#include "trainer.h"

namespace train {

using namespace cli;

namespace {

using xgrad::message;
using namespace xgrad::datasets;

constexpr int failed = 1, misused = 2, interrupted = 128 + SIGINT;
constexpr std::size_t drawn_test_samples = 10000;

std::atomic<bool> stop = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

// The first Ctrl-C asks for an end after this step; the second takes the default way.
void stop_at_interrupt() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
}

Split load_training(const Options& options) {
  if (!options.data) {
    const std::size_t count = options.samples.value_or(drawn_samples);
    return {digits(count, 2 * options.seed), digits(std::min(count, drawn_test_samples), 2 * options.seed + 1)};
  }
  Split split = mnist(*options.data);
  if (options.samples > split.train.size())
    throw UsageError(message("--samples: ", *options.samples, " is more than the ", split.train.size(), " of ",
                             options.data->string()));
  if (options.samples) split.train = split.train.slice(0, *options.samples);
  return split;
}

Split load(const Options& options) {
  Split split = load_training(options);
  if (!options.test) return split;
  split.test = mnist(*options.test).test;
  if (split.test.image_shape() != split.train.image_shape() || split.test.class_names() != split.train.class_names())
    throw UsageError(message("--test: the images of ", options.test->string(), " are ",
                             xgrad::to_string(split.test.image_shape()), " in ", split.test.class_names().size(),
                             " classes, those to train on ", xgrad::to_string(split.train.image_shape()), " in ",
                             split.train.class_names().size()));
  return split;
}

// Samples for validation are the last of the training samples.
std::optional<Dataset> hold_out(Dataset& train, std::optional<double> share) {
  if (!share) return {};
  const auto count = static_cast<std::size_t>(std::lround(*share * static_cast<double>(train.size())));
  if (count == 0 || count == train.size())
    throw UsageError(message("--validation: of ", train.size(), " training samples, ", shortest(*share), " is ",
                             count == 0 ? "none" : "all"));
  const std::size_t left = train.size() - count;
  const Dataset held_out = train.slice(left, train.size());
  train = train.slice(0, left);
  return held_out;
}

Task make_task(const Options& options) {
  Split data = load(options);
  const std::optional<Dataset> validation = hold_out(data.train, options.validation);
  if (options.batch_size > data.train.size())
    throw UsageError(
        message("--batch-size: ", options.batch_size, " is more than the ", data.train.size(), " training samples"));
  const Architecture architecture{options.model, options.hidden, data.train.image_shape(),
                                  data.train.class_names().size()};
  return {.data = data,
          .validation = validation,
          .augment = options.augment,
          .architecture = architecture,
          .epochs = options.epochs,
          .batch_size = options.batch_size,
          .schedule = options.schedule,
          .seed = options.seed};
}

std::size_t parameter_count(const Architecture& architecture) {
  std::size_t count = 0;
  for (const auto& [name, parameter] : architecture.make().parameters()) count += parameter.size();
  return count;
}

std::string summary(const Options& options, const Task& task) {
  const std::string validation = task.validation ? grouped(task.validation->size()) + " validation, " : "";
  return message(options.data ? options.data->string() : "digits", ": ", grouped(task.data.train.size()), " train, ",
                 validation, grouped(task.data.test.size()), " test",
                 options.test ? " of " + options.test->string() : "", "; ", task.architecture.name(), ", ",
                 grouped(parameter_count(task.architecture)), " parameters");
}

std::string settings(const Task& task) {
  const std::string schedule =
      task.schedule == &schedule_kinds().front() ? "" : message(task.schedule->name, " schedule, ");
  return message("batches of ", task.batch_size, ", ", task.augment ? "augmented, " : "", schedule, "seed ", task.seed);
}

std::vector<Run> train_all(const Task& task, const std::vector<Choice>& choices, const Saving& saving) {
  std::vector<Run> runs;
  Progress progress({choices.size(), task.epochs, task.steps_per_epoch()});
  for (const Choice& choice : choices) {
    if (stop) break;
    progress.start(choice.label);
    runs.push_back(train_one(task, choice, saving, progress, stop));
    if (const std::string& failure = runs.back().failure; !failure.empty())
      progress.line(message("train: ", choice.label, " stopped: ", failure));
  }
  if (stop) progress.line("train: interrupted");
  return runs;
}

int run(const Options& options) {
  std::optional<OutputFile> plot, table_file, report;
  if (options.plot) plot.emplace("--plot", *options.plot);
  if (options.csv) table_file.emplace("--csv", *options.csv);
  if (options.report) report.emplace("--report", *options.report);
  if (options.checkpoint) OutputFile("--checkpoint", *options.checkpoint);
  if (options.threads) xgrad::set_num_threads(static_cast<int>(*options.threads));

  const Task task = make_task(options);
  Saving saving{options.checkpoint, options.checkpoint_every};
  if (options.resume) {
    saving.resumed = xgrad::load_checkpoint(*options.checkpoint);
    check_settings(saving.resumed->below("settings."), task, options.choices[0]);
  }
  const int threads = xgrad::num_threads();
  std::printf("%s; %d thread%s\n", summary(options, task).c_str(), threads, threads == 1 ? "" : "s");
  std::fflush(stdout);
  stop_at_interrupt();
  const std::vector<Run> runs = train_all(task, options.choices, saving);

  std::printf("\n%s%s", table(runs, task.epochs, has_colors(STDOUT_FILENO)).c_str(),
              confusions(runs, task.data.test.class_names()).c_str());
  std::fflush(stdout);  // seen even if a file cannot be written
  const auto write = [](const char* what, const OutputFile& file, const std::string& content) {
    file.write(content);
    std::printf("%s: %s\n", what, file.path().c_str());
  };
  if (plot) {
    const std::string data = options.data ? options.data->string() : "drawn digits";
    write("plot", *plot,
          svg(runs, message(data, ", network ", task.architecture.name(), ", ", settings(task)), task.epochs,
              task.steps_per_epoch()));
  }
  if (table_file) write("csv", *table_file, csv(runs));
  if (report) write("report", *report, page(runs, task, summary(options, task) + "; " + settings(task)));

  const bool diverged = std::any_of(runs.begin(), runs.end(), [](const Run& run) { return !run.failure.empty(); });
  return stop ? interrupted : diverged ? failed : 0;
}

int main(int argc, char** argv) {
  try {
    const Options options = parse(argc, argv);
    std::fputs(options.help.c_str(), stdout);
    const int status = options.help.empty() ? run(options) : 0;
    check_printed();
    return status;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "train: %s\n", error.what());
    return misused;
  } catch (const std::bad_alloc&) {
    std::fputs("train: out of memory\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train: %s\n", error.what());
  }
  return failed;
}

}  // namespace
}  // namespace train

int main(int argc, char** argv) { return train::main(argc, argv); }
