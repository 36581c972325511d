// What the types that are made from the text files hold.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include "../document.h"

namespace lab::words {

/// A number, or words, that a passage shows at a name. It has no default, so that none can be forgotten.
struct Shown {
  Shown(double number) : text(number_text(number)) {}
  Shown(std::integral auto count) : text(std::to_string(count)) {}
  Shown(std::string words) : text(std::move(words)) {}
  Shown(const char* words) : text(words) {}
  std::string text;
};

}  // namespace lab::words
