// Files: one that is read, and one that is there whole or not at all.
#pragma once

#include <xgrad/core/errors.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace xgrad {

/// A regular file, read from its begin on. Errors are DataErrors that name the operation and the file.
class InputFile {
 public:
  /// DataError where there is no such file, it is a folder or a device, empty, or may not be read.
  InputFile(std::string operation, std::filesystem::path path);

  std::uintmax_t size() const { return size_; }
  /// Fills `to`, and returns how many bytes there were: fewer than asked for only at the end.
  std::size_t read(void* to, std::size_t bytes);
  void seek(std::uintmax_t offset);

  template <class... Parts>
  [[noreturn]] void fail(const Parts&... what) const {
    throw DataError(message("[", operation_, "] ", path_.string(), ": ", what...));
  }

 private:
  std::string operation_;
  std::filesystem::path path_;
  std::ifstream file_;
  std::uintmax_t size_ = 0;
};

/// Takes the place of a file, or is a new one, at commit() and in one step: killed at any moment, or on a full disk,
/// what was there before stays whole. Without a commit() nothing changes.
///
/// What is written goes to PATH.unfinished first. One that a killed process left behind is used again by the next who
/// writes to the same path, so there is never more than one; that it is locked (flock) keeps live writers apart, which
/// take turns. Where PATH is a symbolic link, the file that it leads to is replaced.
class ReplacementFile {
 public:
  /// DataError, with the system's reason, where a file cannot be made; of this and of the members below.
  explicit ReplacementFile(const std::filesystem::path& path);
  ~ReplacementFile();
  ReplacementFile(const ReplacementFile&) = delete;
  ReplacementFile& operator=(const ReplacementFile&) = delete;

  void write(std::string_view bytes);
  /// Once, at the end. When it returns, the new file survives a loss of power.
  void commit();

 private:
  struct Descriptor {
    int value = -1;
    ~Descriptor();
  };
  bool open();
  void check(bool done) const;

  std::filesystem::path path_, target_, unfinished_;  // as given, what links lead to, and that for now
  Descriptor descriptor_;
};

}  // namespace xgrad
