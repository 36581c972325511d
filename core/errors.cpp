#include <xgrad/core/errors.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace xgrad {
namespace detail {

std::string text(double part) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.8g",
                part != part ? std::abs(part) : part);  // NaN has a sign, and means nothing
  return buffer;
}

}  // namespace detail

std::size_t character_bytes(std::string_view text) {
  const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0U; };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return text.empty() ? 0 : 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  std::uint32_t character = first & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    character = character << 6 | (byte(i) & 0x3f);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xd800 && character < 0xe000;
  return first >= 0xc2 && character >= least[size] && character <= 0x10ffff && !surrogate ? size : 0;
}

namespace {

// The same, and 0 for what controls a terminal.
std::size_t shown(std::string_view text) {
  const std::size_t size = character_bytes(text);
  const auto byte = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const bool controls = (size == 1 && (byte(0) < 0x20 || byte(0) == 0x7f)) ||
                        (size == 2 && byte(0) == 0xc2 && byte(1) < 0xa0);  // U+0080 to U+009F
  return controls ? 0 : size;
}

}  // namespace

std::string printable(std::string_view outside, std::size_t longest) {
  constexpr std::size_t most_bytes = 4;  // of a character
  if (longest < outside.size() / (2 * most_bytes)) {
    const std::size_t enough = most_bytes * longest + most_bytes;
    if (2 * enough < outside.size())
      return printable(std::string(outside.substr(0, enough)) += outside.substr(outside.size() - enough), longest);
  }
  struct Piece {
    std::string text;  // of one character, or what stands for a byte
    std::size_t width;
  };
  std::vector<Piece> pieces;
  std::size_t all = 0;
  for (std::size_t size; !outside.empty(); outside.remove_prefix(std::max<std::size_t>(1, size))) {
    size = shown(outside);
    const auto byte = static_cast<std::uint8_t>(outside[0]);
    pieces.push_back(size > 0 ? Piece{std::string(outside.substr(0, size)), 1}
                              : Piece{{'\\', 'x', "0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]}, 4});
    all += pieces.back().width;
  }
  // As many from both ends as there is room for, beside the sign for what is left out.
  std::size_t begin = 0, end = all > longest ? pieces.size() : 0;
  std::size_t room = longest - std::min<std::size_t>(longest, 1);
  for (const std::size_t half = room / 2; begin < end && room - half >= pieces[begin].width; ++begin)
    room -= pieces[begin].width;
  for (; end > begin && room >= pieces[end - 1].width; --end) room -= pieces[end - 1].width;
  std::string text;
  for (std::size_t i = 0; i < begin; ++i) text += pieces[i].text;
  if (all > longest) text += "…";
  for (std::size_t i = end; i < pieces.size(); ++i) text += pieces[i].text;
  return text;
}

}  // namespace xgrad
