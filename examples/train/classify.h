// What a trained network makes of pictures.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "network_file.h"

namespace train {

struct Guess {
  std::string name;    ///< of the class
  double probability;  ///< in [0, 1]
};

/// The likeliest classes of a picture, at most four, the likeliest first. It gets the channels and the size that the
/// network was trained with. DataError for what is no picture.
std::vector<Guess> classify(TrainedNetwork& network, const std::filesystem::path& picture, xgrad::LoadOptions options);

struct Classified {
  std::filesystem::path file;
  std::vector<Guess> guesses;
};

/// A line for each picture: its class, the probability, and the next classes.
std::string classified_table(const std::vector<Classified>& pictures);
/// [{"file": …, "class": …, "probability": …, "next": [{"class": …, "probability": …}, …]}, …]
std::string classified_json(const std::vector<Classified>& pictures);

}  // namespace train
