// What both sides of the safetensors format know.
#pragma once

#include <xgrad/core/elements.h>
#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace xgrad::safetensors {

inline constexpr const char *metadata_key = "__metadata__", *format_key = "xgrad:format", *checksum_key = "xgrad:crc32";
inline constexpr std::string_view own_keys = "xgrad:", scalar_keys = "scalar:", format = "1";
inline constexpr std::uint64_t longest_header = 100'000'000;
inline constexpr std::size_t elements_at_once = 1 << 15;  // of those that are converted

inline unsigned long add_to(unsigned long checksum, std::string_view bytes) {
  if (bytes.empty()) return checksum;  // zlib would begin anew at a null pointer
  return crc32_z(checksum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

// Where the header has its checksum, which is of the elements and of all else in the header. Within a text in JSON this
// cannot come: quotation marks have a backslash there.
inline std::string member(std::string_view checksum) { return message("\"", checksum_key, "\":\"", checksum, "\","); }

}  // namespace xgrad::safetensors
