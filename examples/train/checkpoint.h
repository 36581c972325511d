// What a checkpoint keeps of a training besides the states of its parts: the settings, and what a plot needs.
#pragma once

#include <xgrad/core/state_dict.h>

#include <string>

#include "trainer.h"

namespace train {

/// Everything that the numbers depend on, by the names of the options.
xgrad::StateDict settings(const Task& task, const Choice& choice);

/// Of the bytes of all tensors.
std::string checksum(const xgrad::StateDict& dict);

/// UsageError, with both values, where a checkpoint was made with other settings. More epochs are welcome as long as
/// the schedule does not depend on them.
void check_settings(const xgrad::StateDict& saved, const Task& task, const Choice& choice);

/// How far a training has come: epochs that are complete, and steps of the next one.
struct Place {
  std::size_t epoch, step;
};

/// All of a run but its evaluations, which can be made again.
xgrad::StateDict history(const Run& run);
/// DataError for what is not a history, or not one that leads to this place.
void load_history(Run& run, const xgrad::StateDict& saved, Place place, std::size_t steps_per_epoch);

/// DataError unless the counts of the loader and the schedule are those of this place.
void check_counts(const xgrad::StateDict& saved, Place place, std::size_t steps_per_epoch);

}  // namespace train
