// A trained network in a file that says what it is: nobody retypes its layers, classes and pictures.
#pragma once

#include <xgrad/core/file.h>
#include <xgrad/core/state_dict.h>

#include <filesystem>
#include <string>
#include <vector>

#include "models.h"

namespace train {

/// The part "network" of such a file. Beside it are "model", the state of the network, and, where an optimizer
/// evaluates with other weights than those that it trains, "evaluation" with these. Checkpoints have all of them, too.
xgrad::StateDict description(const Architecture& architecture, const std::vector<std::string>& class_names);

struct TrainedNetwork {
  Architecture architecture;
  std::vector<std::string> class_names;
  xgrad::nn::Sequential model;  ///< in evaluation mode
};

/// DataError for a file that is damaged, or has no such parts.
TrainedNetwork load_network(const std::filesystem::path& file, xgrad::LoadOptions options);

}  // namespace train
