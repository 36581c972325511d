// Pictures as files, and inside a page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cli {

/// The content of a PNG file. `pixels` are (height, width), from 0 for black to 255 for white.
std::string png(std::span<const std::uint8_t> pixels, std::size_t width);

/// RFC 4648, section 4.
std::string base64(std::string_view bytes);

}  // namespace cli
