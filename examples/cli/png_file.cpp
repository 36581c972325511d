#include "png_file.h"

#include <zlib.h>

namespace cli {
namespace {

std::string big_endian(std::size_t number) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(number >> shift);
  return bytes;
}

// W3C, Portable Network Graphics, section 5.3: length, type, data, CRC of type and data.
std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(data.size()) + body + big_endian(crc);
}

}  // namespace

std::string png(std::span<const std::uint8_t> pixels, std::size_t width) {
  std::string lines;
  for (std::size_t begin = 0; begin < pixels.size(); begin += width) {
    lines += '\0';  // the filter of this line: none
    lines.append(pixels.begin() + static_cast<std::ptrdiff_t>(begin),
                 pixels.begin() + static_cast<std::ptrdiff_t>(begin + width));
  }
  uLongf size = compressBound(lines.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(lines.data()), lines.size(),
            Z_BEST_COMPRESSION);
  packed.resize(size);
  const std::string grey_8_bits("\x08\0\0\0\0", 5);
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", big_endian(width) + big_endian(pixels.size() / width) + grey_8_bits) +
         chunk("IDAT", packed) + chunk("IEND", "");
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto at = [bytes](std::size_t i) {
    return i < bytes.size() ? static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i])) : 0;
  };
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    for (const int shift : {18, 12, 6, 0}) text += digits[group >> shift & 63];
  }
  const std::size_t padding = (3 - bytes.size() % 3) % 3;
  return text.replace(text.size() - padding, padding, padding, '=');
}

}  // namespace cli
