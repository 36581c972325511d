#include "output_file.h"

#include <unistd.h>
#include <xgrad/core/errors.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include "text.h"

namespace train {

using xgrad::message;
namespace fs = std::filesystem;

OutputFile::OutputFile(std::string_view option, fs::path path) : path_(std::move(path)) {
  const auto refuse = [&](const std::string& reason) {
    throw UsageError(message(option, ": cannot write ", path_.string(), ": ", reason));
  };
  std::error_code error;
  target_ = is_device() ? path_ : fs::weakly_canonical(fs::absolute(path_), error);
  if (error) refuse(error.message());
  if (!path_.has_filename() || fs::is_directory(target_, error)) refuse("it is a folder");
  if (!is_device() && !fs::is_directory(target_.parent_path(), error))
    refuse("there is no folder " + target_.parent_path().string());
  if (fs::exists(target_, error) && access(target_.c_str(), W_OK) != 0) refuse(std::strerror(errno));
  if (is_device()) return;
  errno = 0;
  if (!std::ofstream(temporary())) refuse(std::strerror(errno));
  fs::remove(temporary(), error);
}

void OutputFile::write(std::string_view content) const {
  const fs::path to = is_device() ? target_ : temporary();
  errno = 0;
  std::ofstream file(to, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  bool done = static_cast<bool>(file);
  if (done && !is_device()) done = std::rename(to.c_str(), target_.c_str()) == 0;
  if (done) return;
  const std::string reason = std::strerror(errno);
  std::error_code ignored;
  if (!is_device()) fs::remove(to, ignored);
  throw std::runtime_error(message("cannot write ", path_.string(), ": ", reason));
}

// A terminal, a pipe, /dev/null: not to be replaced by a file.
bool OutputFile::is_device() const {
  std::error_code ignored;
  return fs::is_other(path_, ignored);
}

fs::path OutputFile::temporary() const { return message(target_.string(), ".", getpid(), ".part"); }

}  // namespace train
