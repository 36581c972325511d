// Trains a network with one optimizer, and keeps what a plot needs.
#pragma once

#include <xgrad/core/communicator.h>
#include <xgrad/core/state_dict.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "evaluation.h"
#include "options.h"
#include "progress.h"
#include "samples.h"

namespace train {

struct Point {
  std::size_t epoch, step;         ///< both from 1; steps count over all epochs
  double loss;                     ///< the mean since the point before
  std::optional<double> accuracy;  ///< of the test set, in [0, 1], at the end of an epoch
  double seconds;                  ///< of training so far, evaluation not counted
  std::optional<double> validation_accuracy = {};
};

struct Run {
  Choice choice;
  std::vector<Point> points = {};
  double loss = 0;                                 ///< the mean of the last epoch, as far as it went
  std::optional<Evaluation> test = {};             ///< after the last whole epoch
  std::optional<double> validation_accuracy = {};  ///< as above
  double seconds = 0;                              ///< of training
  std::size_t state_bytes = 0;                     ///< of the optimizer
  double epochs = 0;                               ///< how far it came
  bool stopped = false;                            ///< by a signal, to any of the processes
  bool is_saved = true;                            ///< false where the last checkpoint could not be written
  /// The parts of a file (network_file.h) with the weights to evaluate with; if asked for.
  std::vector<std::pair<std::string, xgrad::StateDict>> network = {};
  std::string failure = {};  ///< empty, or the first value that was not finite, with its step and epoch
};

/// The same for every optimizer.
struct Task {
  Split data;
  std::optional<Samples> validation;  ///< held out of the training data
  bool augment;                       ///< distort the training images
  Architecture architecture;
  std::size_t epochs, batch_size;
  const ScheduleKind* schedule;
  std::uint64_t seed;
  std::optional<double> clip = {};  ///< the greatest norm of all gradients together
  /// Who trains together, and in how many micro-batches; null where whole batches are trained on, alone.
  xgrad::Communicator* communicator = nullptr;
  std::string inputs = {};  ///< what samples are, for people

  std::size_t steps_per_epoch() const { return (data.train.size() + batch_size - 1) / batch_size; }
};

struct Saving {
  std::optional<std::filesystem::path> file = {};  ///< written at each epoch's end, and when `stop` is not 0
  std::optional<std::size_t> every = {};           ///< steps from one more checkpoint to the next
  std::optional<xgrad::StateDict> resumed = {};    ///< a checkpoint to go on from
  bool network = false;                            ///< keep the trained network in Run::network
};

/// Trains until the end, until `stop` is not 0 in any of the processes, or until a loss or a gradient is not finite.
/// UsageError for a checkpoint of a training with other settings, DataError where one holds something else. One that
/// cannot be written is reported, and the next one is tried again.
Run train_one(const Task& task, const Choice& choice, const Saving& saving, Progress& progress,
              const std::atomic<int>& stop);

}  // namespace train
