#include "document.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace lab {
namespace {

std::string printed(const char* format, int digits, double number) {
  std::array<char, 64> buffer;
  std::snprintf(buffer.data(), buffer.size(), format, digits, number);
  return buffer.data();
}

// Without zeros after the point that say nothing.
std::string trimmed(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string raised(int power) {
  constexpr const char* digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text;
  for (const char c : std::to_string(power)) text += c == '-' ? "⁻" : digits[c - '0'];
  return text;
}

}  // namespace

std::string number_text(double number, int digits) {
  if (std::isnan(number)) return "-";
  if (std::isinf(number)) return number > 0 ? "∞" : "-∞";
  const double size = std::abs(rounded(number, digits));
  if (number == 0 || (size >= 1e-4 && size < 1e6)) {
    const int whole = number == 0 ? 1 : static_cast<int>(std::floor(std::log10(size))) + 1;
    return trimmed(printed("%.*f", std::max(0, digits - whole), number));
  }
  const std::string text = printed("%.*e", digits - 1, number);
  const std::size_t end = text.find('e');
  const std::string factor = trimmed(text.substr(0, end));
  const std::string power = "10" + raised(std::stoi(text.substr(end + 1)));
  return factor == "1" ? power : factor == "-1" ? "-" + power : factor + " × " + power;
}

double rounded(double number, int digits) {
  return std::isfinite(number) ? std::strtod(printed("%.*e", digits - 1, number).c_str(), nullptr) : number;
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
  if (!(*least == *most)) cell.text += " (" + number_text(*least, digits) + " to " + number_text(*most, digits) + ")";
  cell.numbers = {middle, *least, *most};
  return cell;
}

}  // namespace lab
