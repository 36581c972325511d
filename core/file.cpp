#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xgrad/core/file.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

namespace xgrad {

namespace fs = std::filesystem;
using detail::Descriptor;

namespace {

std::string reason(int error) { return std::generic_category().message(error); }

// Tried again where a signal came in between.
template <class Call>
auto repeated(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

bool lock_now(int descriptor) {
  return repeated([&] { return flock(descriptor, LOCK_EX | LOCK_NB); }) == 0;
}

// Whether the open file still has that name.
bool has_name(int descriptor, const fs::path& name) {
  struct stat ours {
  }, there{};
  return fstat(descriptor, &ours) == 0 && lstat(name.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
         ours.st_ino == there.st_ino;
}

fs::path beside(const fs::path& path, const std::string& ending) {
  return path.parent_path() / (path.filename().string() + ending);
}

constexpr std::string_view ending = ".unfinished";
constexpr std::size_t random_bytes = 6;

}  // namespace

std::uintmax_t LoadOptions::quarter_of_memory() {
  return static_cast<std::uintmax_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uintmax_t>(sysconf(_SC_PAGESIZE)) / 4;
}

Descriptor::~Descriptor() {
  if (value >= 0) close(value);
}

InputFile::InputFile(std::string operation, const fs::path& path, LoadOptions options)
    : operation_(std::move(operation)), path_(printable(path.string())), options_(options) {
  // A pipe would be waited for.
  descriptor_.value = repeated([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); });
  struct stat facts {};
  if (descriptor_.value < 0) {
    if (errno == ENOENT) fail("no such file");
    if (errno == ENXIO) fail("expected a regular file");
    fail("cannot be opened: ", reason(errno));
  }
  if (fstat(descriptor_.value, &facts) != 0) fail("its size cannot be read: ", reason(errno));
  if (S_ISDIR(facts.st_mode)) fail("expected a file, got a folder");
  if (!S_ISREG(facts.st_mode)) fail("expected a regular file");
  size_ = static_cast<std::uintmax_t>(facts.st_size);
  if (size_ == 0) fail("the file is empty");
}

std::size_t InputFile::read(void* to, std::size_t bytes) {
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t more = repeated([&] { return ::read(descriptor_.value, static_cast<char*>(to) + got, bytes - got); });
    if (more < 0) fail("reading failed: ", reason(errno));
    if (more == 0) break;
    got += static_cast<std::size_t>(more);
  }
  return got;
}

std::string InputFile::read_all() {
  claim(size_);
  std::string all(static_cast<std::size_t>(size_), '\0');
  all.resize(read(all.data(), all.size()));
  return all;
}

void InputFile::claim(std::uintmax_t bytes) {
  if (bytes > options_.memory_limit - claimed_)
    fail("its content takes ", bytes, " bytes of memory", claimed_ > 0 ? message(" beside ", claimed_) : "",
         ", more than the limit of ", options_.memory_limit, " (LoadOptions::memory_limit)");
  claimed_ += bytes;
}

ReplacementFile::ReplacementFile(const fs::path& path) : path_(path) {
  std::error_code error;
  target_ = fs::weakly_canonical(fs::absolute(path, error), error);
  // A link to what is not there yet counts as not there itself.
  constexpr int most_links = 40;
  for (int links = 0; !error && fs::is_symlink(target_, error); ++links) {
    if (links == most_links) error = std::make_error_code(std::errc::too_many_symbolic_link_levels);
    if (!error) target_ = fs::weakly_canonical(target_.parent_path() / fs::read_symlink(target_, error), error);
  }
  if (error == std::errc::no_such_file_or_directory) error.clear();
  errno = error.value();
  check(!error);
  struct stat old {};
  const bool exists = stat(target_.c_str(), &old) == 0;
  errno = S_ISDIR(old.st_mode) ? EISDIR : EINVAL;
  check(!exists || S_ISREG(old.st_mode));
  remove_leftovers();
  const bool our_own = exists && old.st_uid == geteuid();
  while (!create(our_own ? old.st_mode & 0777 : 0666)) {
  }
  if (our_own && fchmod(descriptor_.value, old.st_mode & 0777) != 0) {
    const int why = errno;
    unlink(unfinished_.c_str());
    errno = why;
    check(false);
  }
}

// False where the name is taken, or another writer took the new file for a leftover before it was locked.
bool ReplacementFile::create(unsigned permissions) {
  std::array<unsigned char, random_bytes> random;
  check(getentropy(random.data(), random.size()) == 0);
  std::string name = ".";
  for (const unsigned char byte : random) name += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
  unfinished_ = beside(target_, name.append(ending));  // from here on nothing needs memory: the file would stay
  Descriptor file(
      repeated([&] { return open(unfinished_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions); }));
  if (file.value < 0 && errno == EEXIST) return false;
  check(file.value >= 0);
  if (!lock_now(file.value)) {
    const int why = errno;
    unlink(unfinished_.c_str());
    errno = why;
    check(why == EWOULDBLOCK);
    return false;
  }
  if (!has_name(file.value, unfinished_)) return false;
  std::swap(file.value, descriptor_.value);
  return true;
}

void ReplacementFile::remove_leftovers() const {
  const std::string begin = target_.filename().string() + ".";
  // Not std::filesystem's iterator: where memory ends, libstdc++'s ends the program.
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(target_.parent_path().c_str()), closedir);
  if (!folder) return;  // a folder may be written to and not be read
  while (const dirent* const entry = readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name.size() != begin.size() + 2 * random_bytes + ending.size() || !name.starts_with(begin) ||
        !name.ends_with(ending))
      continue;
    const fs::path path = target_.parent_path() / name;
    const Descriptor left(open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat facts {};
    if (left.value >= 0 && fstat(left.value, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_uid == geteuid() &&
        lock_now(left.value) && has_name(left.value, path))
      unlink(path.c_str());
  }
}

ReplacementFile::~ReplacementFile() {
  if (descriptor_.value >= 0) unlink(unfinished_.c_str());
}

void ReplacementFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = repeated([&] { return ::write(descriptor_.value, bytes.data(), bytes.size()); });
    check(written >= 0);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void ReplacementFile::commit() {
  check(fsync(descriptor_.value) == 0);
  check(std::rename(unfinished_.c_str(), target_.c_str()) == 0);
  const Descriptor locked(std::exchange(descriptor_.value, -1));
  const Descriptor folder(open(target_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some folders may be written and not read, and some file systems cannot flush one.
  check(folder.value < 0 || fsync(folder.value) == 0 || errno == EINVAL);
}

void ReplacementFile::check(bool done) const {
  if (!done) throw DataError(message("cannot write ", printable(path_.string()), ": ", reason(errno)));
}

FileLock::FileLock(const fs::path& path, std::chrono::milliseconds longest_wait, const std::function<void()>& at_wait) {
  std::error_code error;
  lock_ = beside(fs::weakly_canonical(fs::absolute(path, error), error), ".lock");
  if (try_lock()) return;
  if (at_wait && longest_wait.count() > 0) at_wait();
  constexpr std::chrono::milliseconds pause(50);
  for (const auto end = std::chrono::steady_clock::now() + longest_wait; std::chrono::steady_clock::now() < end;) {
    std::this_thread::sleep_for(pause);
    if (try_lock()) return;
  }
  fail("another program holds this lock, and so the file beside it");
}

// False where another one holds it. Nothing is written to what may be another name of another file.
bool FileLock::try_lock() {
  for (;;) {
    Descriptor file(
        repeated([&] { return open(lock_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600); }));
    struct stat facts {};
    if (file.value < 0 || fstat(file.value, &facts) != 0) fail(reason(errno));
    if (!S_ISREG(facts.st_mode)) fail("it is not a regular file");
    if (facts.st_uid != geteuid()) fail("it belongs to another user");
    if (!lock_now(file.value)) {
      if (errno != EWOULDBLOCK) fail(reason(errno));
      return false;
    }
    if (!has_name(file.value, lock_)) continue;  // its last holder has removed it
    std::swap(file.value, descriptor_.value);
    return true;
  }
}

FileLock::~FileLock() { unlink(lock_.c_str()); }

void FileLock::fail(std::string_view reason) const {
  throw DataError(message("cannot lock ", printable(lock_.string()), ": ", reason));
}

}  // namespace xgrad
