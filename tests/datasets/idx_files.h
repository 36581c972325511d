// Files in the IDX format, good and bad, for the tests of whatever reads them.
#pragma once

#include <error.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

namespace idx_files {

using Bytes = std::vector<std::uint8_t>;

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline Bytes from_text(const std::string& text) { return Bytes(text.begin(), text.end()); }

/// 00 00 type rank, and each size as four bytes, the highest first.
inline Bytes header(std::uint8_t type, const std::vector<std::uint32_t>& shape) {
  Bytes bytes = {0, 0, type, static_cast<std::uint8_t>(shape.size())};
  for (std::uint32_t size : shape)
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(size >> shift));
  return bytes;
}

inline Bytes images(std::uint32_t count, std::uint32_t height = 28, std::uint32_t width = 28) {
  Bytes bytes = header(0x08, {count, height, width});
  for (std::uint32_t i = 0; i < count * height * width; ++i) bytes.push_back(static_cast<std::uint8_t>(i * 7));
  return bytes;
}

inline Bytes labels(const Bytes& values) { return header(0x08, {static_cast<std::uint32_t>(values.size())}) + values; }

/// One gzip member.
inline Bytes gzip(Bytes bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes packed(deflateBound(&stream, static_cast<uLong>(bytes.size())) + 32);
  stream.next_in = bytes.data();
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline Bytes without_last(Bytes bytes, std::size_t count) {
  bytes.resize(bytes.size() - count);
  return bytes;
}

inline Bytes with_flipped(Bytes bytes, std::size_t from_the_end) {
  bytes[bytes.size() - from_the_end] ^= 0xff;
  return bytes;
}

/// A folder of this test case, removed with what is in it.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "xgrad-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, const Bytes& bytes) const {
    std::ofstream(path_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// A file that must be refused, and what the error says besides the operation and the file.
struct Damaged {
  const char* name;
  Bytes content;
  std::vector<std::string> words;
};

/// DataError from `read` for each of them.
inline void check_refused(const std::vector<Damaged>& files, const std::string& operation, const std::string& file_name,
                          const std::function<void(const std::filesystem::path&)>& read) {
  for (const Damaged& damaged : files) {
    const Folder folder;
    CAPTURE(damaged.name);
    const std::filesystem::path file = folder.write(file_name, damaged.content);
    check_error<xgrad::DataError>([&] { read(file); }, {operation, file.string()});
    for (const std::string& word : damaged.words) check_error<xgrad::DataError>([&] { read(file); }, {word});
  }
}

}  // namespace idx_files
