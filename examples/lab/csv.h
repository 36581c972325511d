// The numbers of a page as files of comma-separated values, RFC 4180.
#pragma once

#include <vector>

#include "document.h"

namespace lab {

/// One for each table and figure, named "section-name.csv", in the page's order. std::logic_error for a name that comes
/// twice.
std::vector<Csv> csv_files(const std::vector<Section>& sections);

/// "section-name.csv"
std::string csv_name(const Section& section, const std::string& name);

/// A line of a file: text is quoted where it must be, numbers have nine digits, as many as a float needs.
std::string csv_line(const std::vector<std::string>& cells);
std::string csv_number(double number);

}  // namespace lab
