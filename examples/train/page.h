// The runs as an HTML page of one file, without scripts and links, in light and dark.
#pragma once

#include <string>
#include <vector>

#include "trainer.h"

namespace train {

/// Table and plot, and for each run its confusion matrix and its surest mistakes. `caption` says what was trained; it
/// may hold any text. The page is well-formed XML too.
std::string page(const std::vector<Run>& runs, const Task& task, const std::string& caption);

}  // namespace train
