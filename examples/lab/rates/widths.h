// What the widths of usable ranges say.
#pragma once

#include <string>
#include <vector>

#include "../sweep.h"

namespace lab::rates {

/// Those whose widths (one for each seed) nothing sets apart from the largest, or least, median: itself first. If there
/// is no other, it is the widest, or narrowest, with every seed.
std::vector<std::size_t> widest(const std::vector<std::vector<double>>& widths);
std::vector<std::size_t> narrowest(const std::vector<std::vector<double>>& widths);

/// "0.61 to 1300" of losses; what is far above that of a guess is not told apart.
std::string span(const std::vector<double>& losses);

}  // namespace lab::rates
