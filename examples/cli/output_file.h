// A file that is there whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace cli {

class OutputFile {
 public:
  enum Kind { any, regular };

  /// UsageError, naming the option, where the path cannot be written: found out now, not after the work. Nothing that
  /// exists changes. A `regular` file is no terminal, pipe or device, which an output of `any` kind may be.
  OutputFile(std::string_view option, std::filesystem::path path, Kind kind = any);

  /// Replaces an old file at once, so that it stays whole until the new one is: xgrad::ReplacementFile. A terminal or a
  /// pipe is written to as it is. std::runtime_error where that fails, and then nothing is left behind.
  void write(std::string_view content) const;

  const std::filesystem::path& path() const { return path_; }

 private:
  bool is_device() const;

  std::filesystem::path path_;
};

}  // namespace cli
