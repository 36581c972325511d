// Files: one that is read, and one that is there whole or not at all.
#pragma once

#include <xgrad/core/errors.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace xgrad {

struct LoadOptions {
  /// Bytes that what is read from one file may take in memory: a file may claim, or unpack to, any size. A quarter of
  /// the machine's memory where nothing else is asked for.
  std::uintmax_t memory_limit = quarter_of_memory();

  static std::uintmax_t quarter_of_memory();
};

namespace detail {
/// The number of an open file, closed at the end.
struct Descriptor {
  int value = -1;

  explicit Descriptor(int opened = -1) : value(opened) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};
}  // namespace detail

/// A regular file, read from its begin on. Errors are DataErrors that name the operation and the file.
class InputFile {
 public:
  /// DataError where there is no such file, it is a folder or a device, empty, or may not be read.
  InputFile(std::string operation, const std::filesystem::path& path, LoadOptions options = {});

  /// Of the file that was opened: another one may have taken its place since.
  std::uintmax_t size() const { return size_; }
  /// Fills `to`, and returns how many bytes there were: fewer than asked for only at the end.
  std::size_t read(void* to, std::size_t bytes);
  /// All of it, before anything else was read. Memory for it is claimed.
  std::string read_all();
  /// To be called before memory for what was read is taken: DataError where it goes beyond the limit of the options.
  void claim(std::uintmax_t bytes);

  template <class... Parts>
  [[noreturn]] void fail(const Parts&... what) const {
    throw DataError(message("[", operation_, "] ", path_, ": ", what...));
  }

 private:
  std::string operation_, path_;  // as it is shown
  LoadOptions options_;
  std::uintmax_t size_ = 0, claimed_ = 0;
  detail::Descriptor descriptor_;
};

/// Takes the place of a file, or is a new one, at commit() and in one step: killed at any moment, or on a full disk,
/// what was there before stays whole. Without a commit() nothing changes. Of several writers at once each replaces the
/// whole file, and the last one's stays.
///
/// What is written goes to a new file of a random name first, NAME.RANDOM.unfinished in the same folder, so that nobody
/// else can have made it. What killed processes left behind of that name is removed by the next who writes to the same
/// path: nobody holds its lock (flock). A file that is replaced keeps its permissions if it is our own. Where PATH is a
/// symbolic link, the file that it leads to is replaced; other names (hard links) of the old file keep the old one.
class ReplacementFile {
 public:
  /// DataError, with the system's reason, where a file cannot be made, or PATH is no regular file; of this and of the
  /// members below.
  explicit ReplacementFile(const std::filesystem::path& path);
  ~ReplacementFile();
  ReplacementFile(const ReplacementFile&) = delete;
  ReplacementFile& operator=(const ReplacementFile&) = delete;

  void write(std::string_view bytes);
  /// Once, at the end. When it returns, the new file survives a loss of power.
  void commit();

 private:
  void remove_leftovers() const;
  bool create(unsigned permissions);
  void check(bool done) const;

  std::filesystem::path path_, target_, unfinished_;  // as given, what links lead to, and that for now
  detail::Descriptor descriptor_;
};

/// Keeps other programs from a file for as long as it lives: a lock (flock) on NAME.lock beside it, which is removed at
/// the end. It is for programs that take one too, such as two trainings on one checkpoint; the system lets go of it if
/// a process is killed.
class FileLock {
 public:
  /// Waits while another one holds it, after a call of `at_wait`. DataError where it is still held after that time, or
  /// NAME.lock cannot be opened, is not a regular file or not our own.
  explicit FileLock(const std::filesystem::path& path, std::chrono::milliseconds longest_wait = {},
                    const std::function<void()>& at_wait = {});
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  bool try_lock();
  [[noreturn]] void fail(std::string_view reason) const;

  std::filesystem::path lock_;
  detail::Descriptor descriptor_;
};

}  // namespace xgrad
