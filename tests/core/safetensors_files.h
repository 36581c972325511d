// Files in the safetensors format, byte by byte.
#pragma once

#include <datasets/idx_files.h>

#include <cstring>
#include <string>
#include <vector>

namespace safetensors_files {

using namespace idx_files;

template <class T>
Bytes raw(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

inline Bytes length(std::uint64_t value) { return raw<std::uint64_t>({value}); }
inline Bytes with_header(const std::string& header, const Bytes& elements = {}) {
  return length(header.size()) + from_text(header) + elements;
}

inline Bytes read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace safetensors_files
