// A plane with all that was run on it, and how it is handed to the page's script.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "racers.h"

namespace lab::race_parts {

constexpr std::size_t grid = 72;
/// That readers can give to all; the best rate of each comes after them.
inline const std::vector<double> rates = {1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1, 3, 10};

/// A plane, and what every racer did on it: runs[start][racer][rate], the run at its best rate as the last.
struct Race {
  std::string id, label, formula, why, x_label = "x", y_label = "y";
  double left, right, bottom, top;
  std::vector<double> surface;
  std::vector<std::size_t> frames;
  std::vector<Position> starts, minima;
  std::vector<double> best_rates = {};    ///< of each racer
  std::vector<std::string> remarks = {};  ///< to each racer, or none at all
  std::vector<std::vector<std::vector<Trajectory>>> runs = {};

  double rate(std::size_t racer, std::size_t index) const {
    return index < rates.size() ? rates[index] : best_rates[racer];
  }
};

Race race_on(const Function& function, const std::vector<Tuned>& tuned, std::size_t budget);
/// The plane is x and time: its surface is that of the mean loss. L-BFGS, which needs a loss without noise, is not in
/// it.
Race reddi_race(std::size_t budget);

nlohmann::ordered_json json(const Race& race);
std::vector<Csv> files(const std::vector<Race>& races);

}  // namespace lab::race_parts
