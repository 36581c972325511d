// Trains one network with several optimizers and compares them: train --help.
#include <unistd.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/parallel.h>
#include <xgrad/datasets/digits.h>
#include <xgrad/datasets/mnist.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <new>

#include "options.h"
#include "output_file.h"
#include "plot.h"
#include "progress.h"
#include "report.h"
#include "trainer.h"

namespace train {
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

Split load(const Options& options) {
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

std::string joined(const std::vector<std::size_t>& widths) {
  std::string text;
  for (const std::size_t width : widths) text += message(text.empty() ? "" : "-", width);
  return text;
}

std::size_t parameter_count(const std::vector<std::size_t>& widths) {
  std::size_t count = 0;
  for (const auto& [name, parameter] : make_network(widths).parameters()) count += parameter.size();
  return count;
}

int run(const Options& options) {
  std::optional<OutputFile> plot, table_file;
  if (options.plot) plot.emplace("--plot", *options.plot);
  if (options.csv) table_file.emplace("--csv", *options.csv);
  if (options.threads) xgrad::set_num_threads(static_cast<int>(*options.threads));

  const Task task{load(options), options.hidden, options.epochs, options.batch_size, options.seed};
  if (task.batch_size > task.data.train.size())
    throw UsageError(
        message("--batch-size: ", task.batch_size, " is more than the ", task.data.train.size(), " training samples"));
  const std::string network = joined(task.widths());
  const int threads = xgrad::num_threads();
  std::printf("%s: %s train, %s test; %s, %s parameters; %d thread%s\n",
              options.data ? options.data->c_str() : "digits", grouped(task.data.train.size()).c_str(),
              grouped(task.data.test.size()).c_str(), network.c_str(), grouped(parameter_count(task.widths())).c_str(),
              threads, threads == 1 ? "" : "s");
  std::fflush(stdout);

  stop_at_interrupt();
  std::vector<Run> runs;
  bool diverged = false;
  {
    Progress progress({options.choices.size(), task.epochs, task.steps_per_epoch()});
    for (const Choice& choice : options.choices) {
      if (stop) break;
      progress.start(choice.label);
      runs.push_back(train_one(task, choice, progress, stop));
      if (const std::string& failure = runs.back().failure; !failure.empty()) {
        progress.line(message("train: ", choice.label, " stopped: ", failure));
        diverged = true;
      }
    }
    if (stop) progress.line("train: interrupted");
  }

  std::printf("\n%s", table(runs, task.epochs, has_colors(STDOUT_FILENO)).c_str());
  std::fflush(stdout);  // seen even if a file cannot be written
  if (plot) {
    const std::string data = options.data ? options.data->string() : "drawn digits";
    plot->write(svg(runs,
                    message(data, ", network ", network, ", batches of ", task.batch_size, ", seed ", options.seed),
                    task.epochs, task.steps_per_epoch()));
    std::printf("plot: %s\n", plot->path().c_str());
  }
  if (table_file) {
    table_file->write(csv(runs));
    std::printf("csv: %s\n", table_file->path().c_str());
  }
  return stop ? interrupted : diverged ? failed : 0;
}

int main(int argc, char** argv) {
  try {
    const Options options = parse(argc, argv);
    if (options.help.empty()) return run(options);
    std::fputs(options.help.c_str(), stdout);
    return 0;
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
