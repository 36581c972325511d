// The runs as a table for people and as CSV for programs.
#pragma once

#include <string>
#include <vector>

#include "trainer.h"

namespace train {

struct Row {
  std::vector<std::string> cells;
  bool best = false;  ///< the highest test accuracy of several runs
};
/// A row of headings and then a row a run. A column for validation is there if there was one.
std::vector<Row> rows(const std::vector<Run>& runs, std::size_t epochs);

/// The rows side by side; a star (and with colours, bold green) marks the best.
std::string table(const std::vector<Run>& runs, std::size_t epochs, bool colors);

/// An empty line, and then a line a run: its three most frequent confusions. "" where no run came to an evaluation.
std::string confusions(const std::vector<Run>& runs, const std::vector<std::string>& class_names);

/// optimizer,epoch,step,train_loss,test_accuracy,seconds: a row a point of the plot. Steps count over all epochs,
/// train_loss is the mean since the row before, and test_accuracy is given at the end of an epoch, else empty. With
/// validation, its accuracy is one more column.
std::string csv(const std::vector<Run>& runs);

/// The run with the best test accuracy; null where none has one.
const Run* best_run(const std::vector<Run>& runs);

}  // namespace train
