// Numbers and words, read from the command line and written for people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// A command line that cannot be followed. The message is one line.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The parts between commas: none of them for "", and two empty ones for ",".
std::vector<std::string> split(std::string_view text);

// The whole text as a number. UsageError that names the option for anything else, and for what is out of range.

double parse_number(std::string_view option, std::string_view text);  // finite
std::uint64_t parse_count(std::string_view option, std::string_view text, std::uint64_t low, std::uint64_t high);

/// The candidate that was probably meant, or "" where none comes near: the least Levenshtein distance (1 at most to
/// what begins like it), and of equals the longest, since letters get lost more often than added.
std::string nearest(std::string_view typed, std::span<const std::string> candidates);
std::size_t edit_distance(std::string_view a, std::string_view b);
/// "; did you mean adamax?", or "".
std::string did_you_mean(std::string_view typed, std::span<const std::string> candidates);

std::string shortest(double value);               // 0.001, 1e-05
std::string fixed(double value, int decimals);    // 97.50
std::string loss_text(double value);              // 0.0412, 1.2e+30
std::string grouped(std::uint64_t value);         // 101,770
std::string bytes(std::size_t value);             // 795 KiB
std::string percent(double share, int decimals);  // 97.50 %
std::string clock_time(double seconds);           // 0:07, 1:02:03

/// As it must be written in XML and HTML, between tags or quotes.
std::string escaped(std::string_view text);

/// The text with its lines broken between words, so that none is wider, except for a word that is.
std::string wrapped(std::string text, std::size_t width);

/// The text with spaces before or after it, to a width.
std::string pad_left(std::string text, std::size_t width);
std::string pad_right(std::string text, std::size_t width);

}  // namespace cli
