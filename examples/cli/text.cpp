#include "text.h"

#include <xgrad/core/errors.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <utility>

namespace cli {
namespace {

using xgrad::message, xgrad::printable;

// "1e-3x" was probably meant to be its longest readable beginning.
[[noreturn]] void refuse(std::string_view option, std::string_view text, std::string_view kind, const char* readable) {
  const std::string_view prefix(text.data(), static_cast<std::size_t>(readable - text.data()));
  throw UsageError(message(option, ": '", printable(text), "' is not ", kind,
                           prefix.empty() ? "" : message("; did you mean ", printable(prefix), "?")));
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

}  // namespace

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  for (std::size_t comma; (comma = text.find(',')) != std::string_view::npos; text.remove_prefix(comma + 1))
    parts.emplace_back(text.substr(0, comma));
  parts.emplace_back(text);
  return parts;
}

double parse_number(std::string_view option, std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range || (error == std::errc() && !std::isfinite(value)))
    throw UsageError(message(option, ": expected a finite number, got '", printable(text), "'"));
  if (end != text.data() + text.size()) refuse(option, text, "a number", end);
  if (text.empty()) refuse(option, text, "a number", text.data());
  return value;
}

std::uint64_t parse_count(std::string_view option, std::string_view text, std::uint64_t low, std::uint64_t high) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || end != digits.data() + digits.size())
    refuse(option, text, "a whole number", end == digits.data() ? text.data() : end);
  if (error == std::errc::result_out_of_range || digits.size() < text.size() || value < low || value > high)
    throw UsageError(message(option, ": expected a number from ", low, " to ", high, ", got ", printable(text)));
  return value;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);  // distances from the beginning of a so far to each beginning of b
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j)
      diagonal = std::exchange(row[j + 1], std::min({row[j] + 1, row[j + 1] + 1, diagonal + (a[i] != b[j])}));
  }
  return row.back();
}

std::string nearest(std::string_view typed, std::span<const std::string> candidates) {
  const std::string word = lower(typed);
  std::size_t least = (word.size() + 2) / 3;
  std::string best;
  for (const std::string& candidate : candidates) {
    const bool begun = word.size() > 2 && candidate.starts_with(word);
    std::size_t distance = edit_distance(word, candidate);
    if (begun) distance = std::min<std::size_t>(distance, 1);
    if (distance > least || (distance == least && candidate.size() <= best.size())) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view typed, std::span<const std::string> candidates) {
  const std::string best = nearest(typed, candidates);
  return best.empty() ? "" : message("; did you mean ", best, "?");
}

std::string shortest(double value) {
  std::array<char, 32> buffer;
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr};
}

std::string fixed(double value, int decimals) {
  std::array<char, 400> buffer;  // the longest double takes 310
  std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  return buffer.data();
}

std::string loss_text(double value) {
  std::array<char, 32> buffer;
  std::snprintf(buffer.data(), buffer.size(), std::abs(value) < 1000 ? "%.4f" : "%.1e", value);
  return buffer.data();
}

std::string grouped(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

std::string bytes(std::size_t value) {
  constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB"};
  double scaled = static_cast<double>(value);
  std::size_t unit = 0;
  for (; scaled >= 1024 && unit + 1 < units.size(); ++unit) scaled /= 1024;
  return message(fixed(scaled, unit > 0 && scaled < 100 ? 1 : 0), " ", units[unit]);
}

std::string percent(double share, int decimals) { return fixed(100 * share, decimals) + " %"; }

std::string clock_time(double seconds) {
  const auto whole = static_cast<unsigned long long>(std::lround(std::clamp(seconds, 0.0, 1e9)));
  std::array<char, 32> buffer;
  if (whole < 3600)
    std::snprintf(buffer.data(), buffer.size(), "%llu:%02llu", whole / 60, whole % 60);
  else
    std::snprintf(buffer.data(), buffer.size(), "%llu:%02llu:%02llu", whole / 3600, whole / 60 % 60, whole % 60);
  return buffer.data();
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : xgrad::printable(text, text.npos))
    result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : std::string(1, c);
  return result;
}

std::string wrapped(std::string text, std::size_t width) {
  for (std::size_t begin = 0; text.size() - begin > width;) {
    std::size_t end = text.rfind(' ', begin + width);
    if (end == text.npos || end < begin) end = text.find(' ', begin);
    if (end == text.npos) break;
    text[end] = '\n';
    begin = end + 1;
  }
  return text;
}

std::string pad_left(std::string text, std::size_t width) {
  return text.size() >= width ? text : std::string(width - text.size(), ' ') + text;
}

std::string pad_right(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

}  // namespace cli
