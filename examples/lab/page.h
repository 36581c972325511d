// The sections as an HTML page of one file, which draws its figures itself.
#pragma once

#include <string>
#include <vector>

#include "document.h"

namespace lab {

struct Title {
  std::string heading, introduction;
  std::string numbers;  ///< the folder of the CSV files, relative to the page
};

/// The page has no links but to itself and its numbers, and needs no network. What was measured as time stands in
/// elements with the attribute data-measured, and nowhere else.
std::string page(const Title& title, const std::vector<Section>& sections);

}  // namespace lab
