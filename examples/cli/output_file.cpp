#include "output_file.h"

#include <unistd.h>
#include <xgrad/core/file.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "text.h"

namespace cli {

using xgrad::message;
namespace fs = std::filesystem;

OutputFile::OutputFile(std::string_view option, fs::path path, Kind kind) : path_(std::move(path)) {
  const auto refuse = [&](const std::string& reason) {
    throw UsageError(message(option, ": cannot write ", xgrad::printable(path_.string()), ": ", reason));
  };
  std::error_code error;
  const fs::path target = is_device() ? path_ : fs::weakly_canonical(fs::absolute(path_), error);
  if (error) refuse(error.message());
  if (!path_.has_filename() || fs::is_directory(target, error)) refuse("it is a folder");
  if (!is_device() && !fs::is_directory(target.parent_path(), error))
    refuse("there is no folder " + xgrad::printable(target.parent_path().string()));
  if (fs::exists(target, error) && access(target.c_str(), W_OK) != 0) refuse(std::strerror(errno));
  if (is_device() && kind == regular) refuse("it is not a regular file");
  if (is_device()) return;
  try {
    const xgrad::ReplacementFile trial(path_);
  } catch (const xgrad::DataError& failure) {
    throw UsageError(message(option, ": ", failure.what()));
  }
}

void OutputFile::write(std::string_view content) const {
  if (!is_device()) {
    xgrad::ReplacementFile file(path_);
    file.write(content);
    return file.commit();
  }
  errno = 0;
  std::ofstream file(path_, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file)
    throw std::runtime_error(message("cannot write ", xgrad::printable(path_.string()), ": ", std::strerror(errno)));
}

// A terminal, a pipe, /dev/null: not to be replaced by a file.
bool OutputFile::is_device() const {
  std::error_code ignored;
  return fs::is_other(path_, ignored);
}

}  // namespace cli
