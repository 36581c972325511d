// A file read from its begin to its end, unpacked on the way where it is gzip.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>

namespace xgrad::datasets {

class ByteSource {
 public:
  /// DataError for what is missing, not a regular file, unreadable or empty.
  explicit ByteSource(const std::filesystem::path& file);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Fills `to` with the next bytes and returns how many there were: fewer than asked for only at the end. DataError
  /// where the file cannot be read; for gzip (RFC 1952) also where the stream is damaged or cut off, or something
  /// follows it.
  std::size_t read(std::span<std::uint8_t> to);

  /// Of the file itself.
  std::uintmax_t file_size() const { return file_size_; }
  /// Throws a DataError that names the file.
  [[noreturn]] void fail(const std::string& what) const;

 private:
  std::size_t read_file(std::span<std::uint8_t> to);
  std::size_t inflate(std::span<std::uint8_t> to);
  void expect_end();

  struct Gzip;
  std::filesystem::path path_;
  std::ifstream file_;
  std::uintmax_t file_size_ = 0;
  std::unique_ptr<Gzip> gzip_;  // null for a plain file
};

}  // namespace xgrad::datasets
