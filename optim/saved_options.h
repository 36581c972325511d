// What a saved state says of options: rates come back, and whatever else differs is refused.
#pragma once

#include <xgrad/core/state_dict.h>

#include <string_view>
#include <utility>
#include <vector>

namespace xgrad::optim {

/// Options by name: true is 1, and an enumerator its number.
using OptionValues = std::vector<std::pair<std::string_view, double>>;

/// As "options.0.lr" and so on, for each group.
void save_options(StateDict& dict, const std::vector<OptionValues>& groups);
/// The groups' rates; none where the state has no options. Other options that differ are misfits.
std::vector<double> read_options(StateReader& reader, const std::vector<OptionValues>& groups);

}  // namespace xgrad::optim
