// Reddi's counterexample: how much of the past a rule has to remember.
#pragma once

#include <limits>
#include <optional>

#include "racers.h"

namespace lab::race_parts {

constexpr double reddi_beta2 = 0.1, reddi_rate = 0.1;

/// Why a rule ends where it does in the race with reddi_beta2; empty for most.
std::string reddi_remark(std::string_view id);

/// Where x ends with each rule and memory, for C = 3.
HeatMap reddi_memory(std::size_t budget);

/// Adam's mean x for each memory and each C.
struct Breaking {
  std::vector<double> beta2;
  std::vector<std::size_t> c;
  std::vector<std::vector<double>> mean;  ///< mean[beta2][c]
  /// The smallest C that was tried and drives it to the wrong side.
  std::optional<std::size_t> smallest(std::size_t beta2_index) const;
};
Breaking break_adam(std::vector<double> beta2, std::vector<std::size_t> c, std::size_t budget);

/// A map of that, and what it says.
std::vector<Block> reddi_breaking(const Context& context);

}  // namespace lab::race_parts
