#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xgrad/core/file.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace xgrad {

namespace fs = std::filesystem;

InputFile::InputFile(std::string operation, fs::path path) : operation_(std::move(operation)), path_(std::move(path)) {
  std::error_code error;
  const fs::file_status status = fs::status(path_, error);
  if (status.type() == fs::file_type::not_found) fail("no such file");
  if (fs::is_directory(status)) fail("expected a file, got a folder");
  if (error || !fs::is_regular_file(status)) fail("expected a regular file", error ? ": " + error.message() : "");
  file_.open(path_, std::ios::binary);
  if (!file_) fail("cannot be opened: ", std::generic_category().message(errno));
  size_ = fs::file_size(path_, error);
  if (error) fail("its size cannot be read: ", error.message());
  if (size_ == 0) fail("the file is empty");
}

std::size_t InputFile::read(void* to, std::size_t bytes) {
  file_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
  if (file_.bad()) fail("reading failed: ", std::generic_category().message(errno));
  return static_cast<std::size_t>(file_.gcount());
}

void InputFile::seek(std::uintmax_t offset) {
  file_.clear();
  file_.seekg(static_cast<std::streamoff>(offset));
}

ReplacementFile::Descriptor::~Descriptor() {
  if (value >= 0) close(value);
}

ReplacementFile::ReplacementFile(const fs::path& path) : path_(path) {
  std::error_code error;
  target_ = fs::weakly_canonical(fs::absolute(path, error), error);
  errno = error.value();
  check(!error);
  const fs::file_status there = fs::status(target_, error);
  errno = fs::is_directory(there) ? EISDIR : EINVAL;
  check(!fs::exists(there) || fs::is_regular_file(there));
  unfinished_ = target_.string() + ".unfinished";
  while (!open()) {
  }
}

// False where the writer before has renamed or removed the file while we waited for its lock: it is not ours then.
bool ReplacementFile::open() {
  Descriptor file{::open(unfinished_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666)};
  check(file.value >= 0);
  int result = 0;
  while ((result = flock(file.value, LOCK_EX)) != 0 && errno == EINTR) {
  }
  check(result == 0);
  struct stat ours {
  }, there{};
  check(fstat(file.value, &ours) == 0);
  if (stat(unfinished_.c_str(), &there) != 0 || ours.st_dev != there.st_dev || ours.st_ino != there.st_ino)
    return false;
  check(ftruncate(file.value, 0) == 0);
  std::swap(file.value, descriptor_.value);
  return true;
}

ReplacementFile::~ReplacementFile() {
  if (descriptor_.value >= 0) unlink(unfinished_.c_str());
}

void ReplacementFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_.value, bytes.data(), bytes.size());
    check(written >= 0 || errno == EINTR);
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void ReplacementFile::commit() {
  check(fsync(descriptor_.value) == 0);
  check(std::rename(unfinished_.c_str(), target_.c_str()) == 0);
  const Descriptor locked{std::exchange(descriptor_.value, -1)};
  const Descriptor folder{::open(target_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  // Some folders may be written and not read, and some file systems cannot flush one.
  check(folder.value < 0 || fsync(folder.value) == 0 || errno == EINVAL);
}

void ReplacementFile::check(bool done) const {
  if (!done) throw DataError(message("cannot write ", path_.string(), ": ", std::generic_category().message(errno)));
}

}  // namespace xgrad
