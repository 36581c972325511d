// The runs as a picture: SVG 1.1, without scripts, fonts or links.
#pragma once

#include <string>
#include <vector>

#include "trainer.h"

namespace train {

/// Training loss on the left (smoothed, and as measured, pale, where that of one run alone is to be seen) and test
/// accuracy on the right, over the epochs.
/// `caption` says what was trained; it may hold any text.
std::string svg(const std::vector<Run>& runs, const std::string& caption, std::size_t epochs,
                std::size_t steps_per_epoch);

/// The two panels as pictures of their own, in which text and grid lines are dark on nothing, and a run's line: for a
/// page that arranges them itself.
struct Panels {
  std::string loss, accuracy;
};
Panels panels(const std::vector<Run>& runs, std::size_t epochs, std::size_t steps_per_epoch);
std::string swatch(std::size_t run);

}  // namespace train
