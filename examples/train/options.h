// What the command line asks for.
#pragma once

#include <xgrad/core/communicator.h>
#include <xgrad/core/file.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models.h"
#include "optimizers.h"
#include "schedules.h"
#include "text.h"

namespace train {

constexpr std::size_t drawn_samples = 60000;

/// An optimizer to train with.
struct Choice {
  const OptimizerKind* kind;
  double lr, weight_decay;
  std::string label;  ///< its name, with the rate where the same optimizer comes more than once
  std::optional<double> momentum = {}, beta1 = {}, beta2 = {};  ///< given, and of use to it

  OptimizerSettings settings() const { return {lr, weight_decay, momentum, beta1, beta2}; }
};

struct Options {
  std::string help;  ///< to be printed in place of all else, where it is not empty

  std::optional<std::filesystem::path> data;  ///< a folder of pictures, or a table; drawn digits without one
  std::optional<std::string> label;           ///< the column of a table's classes; the last one without a name
  std::optional<std::filesystem::path> test;  ///< whose test images are read in place of those of `data`
  std::optional<std::size_t> samples;         ///< how many to train on; all of them without a number
  std::optional<std::size_t> picture_size;    ///< height and width to which pictures are scaled
  std::optional<double> validation;           ///< the share of the training samples that is held out
  bool augment = false;
  std::vector<Choice> choices;
  const ScheduleKind* schedule = &schedule_kinds().front();
  const ModelKind* model = &model_kinds().front();
  std::vector<std::size_t> hidden = {128};
  std::optional<double> clip;  ///< the greatest norm of all gradients together
  std::size_t epochs = 5;
  std::size_t batch_size = 64;
  std::uint64_t seed = 1;
  std::optional<std::size_t> threads;
  std::uintmax_t memory_limit = xgrad::LoadOptions().memory_limit;  ///< of what is read from one file, in bytes
  std::optional<std::filesystem::path> checkpoint;
  bool resume = false;                          ///< go on from the checkpoint
  std::optional<std::size_t> checkpoint_every;  ///< steps from one to the next, besides the ends of epochs
  std::optional<std::filesystem::path> plot, csv, report;
  std::optional<std::filesystem::path> save;      ///< the best network
  std::vector<std::filesystem::path> classified;  ///< pictures for the network of the checkpoint; no training
  bool json = false;
  std::optional<std::size_t> micro_batches;  ///< into which a batch is cut; 8 where several processes train
  /// Seconds that a process waits for the others.
  double deadline = xgrad::CommunicatorOptions().deadline;

  bool is_table() const { return data && data->extension() == ".csv"; }
};

/// UsageError for what is unknown, unreadable, out of range or contradictory.
Options parse(int argc, const char* const* argv);
/// UsageError where --checkpoint and --resume do not fit what is there now: asked again when the file is ours alone.
void check_checkpoint(const Options& options);

}  // namespace train
