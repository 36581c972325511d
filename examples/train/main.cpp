// Trains one network with several optimizers and compares them: train --help.
#include <unistd.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/file.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/safetensors.h>
#include <xgrad/datasets/digits.h>
#include <xgrad/datasets/folder.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>

#include "checkpoint.h"
#include "classify.h"
#include "options.h"
#include "output_file.h"
#include "page.h"
#include "plot.h"
#include "program.h"
#include "progress.h"
#include "report.h"
#include "table_data.h"
#include "terminal.h"
#include "together.h"
#include "trainer.h"

namespace train {

using namespace cli;

namespace {

using xgrad::message, xgrad::printable;
using xgrad::datasets::digits, xgrad::datasets::PictureOptions;

constexpr int failed = 1, signalled = 128;  // to which a shell adds the signal
constexpr std::size_t drawn_test_samples = 10000;

Split read(const Options& options, const std::filesystem::path& folder) {
  PictureOptions pictures{.load = {options.memory_limit}};
  if (options.picture_size) pictures.size = {*options.picture_size, *options.picture_size};
  const auto [train, test] = xgrad::datasets::read_folder(folder, pictures);
  return {train, test};
}

// And of a table, what was found there.
Split load_training(const Options& options, std::string& found) {
  if (!options.data) {
    const std::size_t count = options.samples.value_or(drawn_samples);
    return {digits(count, 2 * options.seed), digits(std::min(count, drawn_test_samples), 2 * options.seed + 1)};
  }
  Split split = options.is_table() ? read_table(options, found) : read(options, *options.data);
  if (options.samples > split.train.size())
    throw UsageError(message("--samples: ", *options.samples, " is more than the ", split.train.size(), " of ",
                             printable(options.data->string())));
  if (options.samples) split.train = split.train.slice(0, *options.samples);
  return split;
}

Split load(const Options& options, std::string& found) {
  Split split = load_training(options, found);
  if (!options.test) return split;
  split.test = read(options, *options.test).test;
  if (split.test.image_shape() != split.train.image_shape() || split.test.class_names() != split.train.class_names())
    throw UsageError(message("--test: the images of ", printable(options.test->string()), " are ",
                             xgrad::to_string(split.test.image_shape()), " in ", split.test.class_names().size(),
                             " classes, those to train on ", xgrad::to_string(split.train.image_shape()), " in ",
                             split.train.class_names().size()));
  return split;
}

// Samples for validation are the last of the training samples.
std::optional<Samples> hold_out(Samples& train, std::optional<double> share) {
  if (!share) return {};
  const auto count = static_cast<std::size_t>(std::lround(*share * static_cast<double>(train.size())));
  if (count == 0 || count == train.size())
    throw UsageError(message("--validation: of ", train.size(), " training samples, ", shortest(*share), " is ",
                             count == 0 ? "none" : "all"));
  const std::size_t left = train.size() - count;
  Samples held_out = train.slice(left, train.size());
  train = train.slice(0, left);
  return held_out;
}

Task make_task(const Options& options, xgrad::Communicator* communicator) {
  std::string found;
  Split data = load(options, found);
  std::optional<Samples> validation = hold_out(data.train, options.validation);
  if (options.is_table()) standardize(data, validation);
  if (options.batch_size > data.train.size())
    throw UsageError(
        message("--batch-size: ", options.batch_size, " is more than the ", data.train.size(), " training samples"));
  const Architecture architecture{options.model, options.hidden, data.train.image_shape(),
                                  data.train.class_names().size(), !options.is_table()};
  return {.data = data,
          .validation = validation,
          .augment = options.augment,
          .architecture = architecture,
          .epochs = options.epochs,
          .batch_size = options.batch_size,
          .schedule = options.schedule,
          .seed = options.seed,
          .clip = options.clip,
          .communicator = communicator,
          .inputs = options.is_table() ? found : message(" of images ", xgrad::to_string(data.train.image_shape()))};
}

std::size_t parameter_count(const Architecture& architecture) {
  std::size_t count = 0;
  for (const auto& [name, parameter] : architecture.make().parameters()) count += parameter.size();
  return count;
}

// Pictures are shown to others, who have other folders.
std::string data_name(const Options& options) {
  return options.data ? printable(std::filesystem::weakly_canonical(*options.data).filename().string())
                      : "drawn digits";
}

std::string summary(const std::string& data, const Options& options, const Task& task) {
  const std::string validation = task.validation ? grouped(task.validation->size()) + " validation, " : "";
  return message(data, ": ", grouped(task.data.train.size()), " train, ", validation, grouped(task.data.test.size()),
                 " test", options.test ? " of " + printable(options.test->string()) : "", ", ",
                 task.data.train.class_names().size(), " classes", task.inputs, "; ", task.architecture.name(), ", ",
                 grouped(parameter_count(task.architecture)), " parameters");
}

std::string settings(const Task& task) {
  const std::string schedule =
      task.schedule == &schedule_kinds().front() ? "" : message(task.schedule->name, " schedule, ");
  const std::string parts =
      task.communicator ? message("in ", task.communicator->micro_batches(), " parts, ") : std::string();
  return message("batches of ", task.batch_size, ", ", parts, task.augment ? "augmented, " : "",
                 task.clip ? message("gradients clipped at ", shortest(*task.clip), ", ") : "", schedule, "seed ",
                 task.seed);
}

std::vector<Run> train_all(const Task& task, const std::vector<Choice>& choices, const Saving& saving,
                           const std::atomic<int>& stop) {
  std::vector<Run> runs;
  Progress progress({choices.size(), task.epochs, task.steps_per_epoch()});
  for (const Choice& choice : choices) {
    if (!runs.empty() && runs.back().stopped) break;
    progress.start(choice.label);
    runs.push_back(train_one(task, choice, saving, progress, stop));
    if (const std::string& failure = runs.back().failure; !failure.empty())
      progress.line(message("train: ", choice.label, " stopped: ", failure));
  }
  if (runs.back().stopped) progress.line("train: interrupted");
  return runs;
}

// The lock of a checkpoint: another training may still be saving its last one, after Ctrl-C.
void hold(std::optional<xgrad::FileLock>& lock, const std::filesystem::path& checkpoint) {
  constexpr std::chrono::seconds longest_wait(5);
  try {
    lock.emplace(checkpoint, longest_wait, [&] {
      std::fprintf(stderr, "train: another program works on %s; waiting for it, %d seconds at most\n",
                   printable(checkpoint.string()).c_str(), static_cast<int>(longest_wait.count()));
    });
  } catch (const xgrad::DataError& error) {
    throw UsageError(message("--checkpoint: ", error.what()));
  }
}

struct Output {
  const char* what;
  OutputFile file;
  std::function<std::string(const std::vector<Run>&, const Task&)> content;
};

std::vector<Output> outputs_of(const Options& options) {
  std::vector<Output> outputs;
  const auto add = [&outputs](const char* what, const std::optional<std::filesystem::path>& path, const auto& content) {
    if (path) outputs.push_back({what, OutputFile(message("--", what), *path), content});
  };
  add("plot", options.plot, [&](const std::vector<Run>& runs, const Task& task) {
    return svg(runs, message(data_name(options), ", network ", task.architecture.name(), ", ", settings(task)),
               task.epochs, task.steps_per_epoch());
  });
  add("csv", options.csv, [](const std::vector<Run>& runs, const Task&) { return csv(runs); });
  add("report", options.report, [&](const std::vector<Run>& runs, const Task& task) {
    return page(runs, task, summary(data_name(options), options, task) + "; " + settings(task));
  });
  return outputs;
}

int classify_all(const Options& options) {
  if (options.threads) xgrad::set_num_threads(static_cast<int>(*options.threads));
  TrainedNetwork network = load_network(*options.checkpoint, {options.memory_limit});
  std::vector<Classified> pictures;
  bool all_well = true;
  for (const std::filesystem::path& file : options.classified) try {
      pictures.push_back({file, classify(network, file, {options.memory_limit})});
    } catch (const xgrad::DataError& error) {  // the other pictures are not to blame
      std::fprintf(stderr, "train: %s\n", error.what());
      all_well = false;
    }
  const std::string text = options.json ? classified_json(pictures) : classified_table(pictures);
  if (options.json || !pictures.empty()) std::fputs(text.c_str(), stdout);
  return all_well ? 0 : failed;
}

// What --save says, or "".
std::string save_best(const Options& options, const std::vector<Run>& runs) {
  if (!options.save) return "";
  const Run* const best = best_run(runs);
  if (!best) throw xgrad::ValueError("no network was trained to the end of an epoch");
  xgrad::save_checkpoint(*options.save, best->network);
  return message("save: ", printable(options.save->string()), runs.size() > 1 ? " (" + best->choice.label + ")" : "",
                 "\n");
}

// What all processes must agree on.
void require_same(xgrad::Communicator& communicator, const Task& task, const std::vector<Choice>& choices) {
  communicator.require_same("number of optimizers", message(choices.size()));
  for (const Choice& choice : choices) {
    const xgrad::StateDict all = settings(task, choice);
    for (const auto& [name, text] : all.texts) communicator.require_same(name, text);
    for (const auto& [name, number] : all.scalars) communicator.require_same(name, shortest(number));
  }
}

int run(const Options& options, xgrad::Communicator* communicator) {
  if (!options.classified.empty()) return classify_all(options);
  const bool writes = !communicator || communicator->is_first();
  const std::vector<Output> outputs = writes ? outputs_of(options) : std::vector<Output>();
  std::optional<xgrad::FileLock> lock;
  if (writes && options.save) const OutputFile can_be_written("--save", *options.save, OutputFile::regular);
  if (writes && options.checkpoint) {
    const OutputFile can_be_written("--checkpoint", *options.checkpoint, OutputFile::regular);
    hold(lock, *options.checkpoint);
    check_checkpoint(options);  // the one that was waited for may have saved a training
  }
  if (options.threads) xgrad::set_num_threads(static_cast<int>(*options.threads));

  const Task task = make_task(options, communicator);
  if (communicator) require_same(*communicator, task, options.choices);
  Saving saving{options.checkpoint, options.checkpoint_every, {}, options.save.has_value()};
  if (options.resume) {
    saving.resumed = xgrad::load_checkpoint(*options.checkpoint, {options.memory_limit});
    check_settings(saving.resumed->below("settings."), task, options.choices[0]);
  }
  const int threads = xgrad::num_threads();
  const std::string data = options.data ? printable(options.data->string()) : "digits";
  const std::string processes =
      communicator ? message(communicator->size(), " process", communicator->size() == 1 ? "" : "es", " with ") : "";
  const std::string head =
      message(summary(data, options, task), "; ", processes, threads, " thread", threads == 1 ? "" : "s");
  std::printf("%s\n", is_terminal(STDOUT_FILENO) ? wrapped(head, terminal_width()).c_str() : head.c_str());
  std::fflush(stdout);
  const std::atomic<int>& stop = catch_stop_signals();
  const std::vector<Run> runs = train_all(task, options.choices, saving, stop);

  // Files first: standard output may have lost its reader. What becomes of one touches no other.
  bool all_well = true;
  std::string written;
  for (const Output& output : outputs) try {
      output.file.write(output.content(runs, task));
      written += message(output.what, ": ", printable(output.file.path().string()), "\n");
    } catch (const std::exception& error) {
      std::fprintf(stderr, "train: %s: %s\n", output.what, error.what());
      all_well = false;
    }
  try {
    if (writes) written += save_best(options, runs);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train: save: %s\n", error.what());
    all_well = false;
  }
  for (const Run& one : runs) all_well = all_well && one.failure.empty() && one.is_saved;
  std::printf("\n%s%s%s", table(runs, task.epochs, has_colors(STDOUT_FILENO)).c_str(),
              confusions(runs, task.data.test.class_names()).c_str(), written.c_str());
  return stop != 0 ? signalled + stop : all_well ? 0 : failed;
}

int run_command(int argc, char** argv, Together& together) {
  const Options options = together.agree([&] { return parse(argc, argv); });
  std::fputs(options.help.c_str(), stdout);
  if (!options.help.empty()) return 0;
  return together.run({options.micro_batches, options.deadline},
                      [&](xgrad::Communicator* communicator) { return run(options, communicator); });
}

}  // namespace
}  // namespace train

int main(int argc, char** argv) {
  train::Together together;  // to the very end: what is said must be heard before the others end
  return cli::run_program("train", [&] { return train::run_command(argc, argv, together); });
}
