#include "document.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

namespace lab {

std::string number_text(double number, int digits) {
  if (std::isnan(number)) return "-";
  if (std::isinf(number)) return number > 0 ? "∞" : "-∞";
  std::array<char, 64> buffer;
  const double size = std::abs(number);
  if (number != 0 && (size < 1e-4 || size >= 1e6)) {
    std::snprintf(buffer.data(), buffer.size(), "%.*e", digits - 1, number);
    return buffer.data();
  }
  const int whole = number == 0 ? 1 : static_cast<int>(std::floor(std::log10(size))) + 1;
  std::snprintf(buffer.data(), buffer.size(), "%.*f", std::max(0, digits - whole), number);
  return buffer.data();
}

double median(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  // What is not a number counts as the worst.
  std::sort(values.begin(), values.end(),
            [](double a, double b) { return a < b || (!std::isnan(a) && std::isnan(b)); });
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

const char* word(Verdict verdict) {
  switch (verdict) {
    case Verdict::yes:
      return "yes";
    case Verdict::partly:
      return "partly";
    case Verdict::undecided:
      return "undecided";
    case Verdict::no:
      return "no";
  }
  return "";
}

Cell::Cell(double number, int digits) : text(number_text(number, digits)), numbers({number}) {}

Cell Cell::integer(double number) {
  Cell cell(number);
  if (std::isfinite(number)) {
    std::array<char, 64> buffer;
    std::snprintf(buffer.data(), buffer.size(), "%.0f", number);
    cell.text = buffer.data();
  }
  return cell;
}

Cell Cell::measured(double number, int digits) {
  Cell cell(number, digits);
  cell.is_measured = true;
  return cell;
}

Cell Cell::spread(std::vector<double> values, int digits) {
  const double middle = median(values);
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  Cell cell(middle, digits);
  if (values.empty()) return cell;
  cell.text += " (" + number_text(*least, digits) + " to " + number_text(*most, digits) + ")";
  cell.numbers = {middle, *least, *most};
  return cell;
}

}  // namespace lab
