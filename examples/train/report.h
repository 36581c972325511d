// The runs as a table for people and as CSV for programs.
#pragma once

#include <string>
#include <vector>

#include "trainer.h"

namespace train {

/// A row a run, side by side; a star (and with colours, bold green) marks the best test accuracy of several.
std::string table(const std::vector<Run>& runs, std::size_t epochs, bool colors);

/// optimizer,epoch,step,train_loss,test_accuracy,seconds: a row a point of the plot. Steps count over all epochs,
/// train_loss is the mean since the row before, and test_accuracy is given at the end of an epoch, else empty.
std::string csv(const std::vector<Run>& runs);

}  // namespace train
