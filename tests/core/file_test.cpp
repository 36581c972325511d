// Files that are there whole or not at all: killed while saving, full disks, two writers.
#include <datasets/idx_files.h>
#include <error.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xgrad/core/file.h>
#include <xgrad/core/random.h>

#include <csignal>
#include <functional>
#include <thread>

using namespace xgrad;
using idx_files::Folder;

namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void replace(const std::filesystem::path& path, const std::string& text) {
  ReplacementFile file(path);
  file.write(text);
  file.commit();
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

// Version n of a file: its number, some of the letter that belongs to it, and its number again.
constexpr std::size_t version_size = 100000;
void save_version(const std::filesystem::path& path, int version) {
  ReplacementFile file(path);
  file.write(std::to_string(version) + " ");
  file.write(std::string(version_size, static_cast<char>('a' + version % 26)));
  file.write(" " + std::to_string(version));
  file.commit();
}
// -1 for a file that is none of the versions.
int version_of(const std::filesystem::path& path) {
  const std::string text = content(path);
  const int version = std::atoi(text.c_str());
  const std::string number = std::to_string(version);
  const std::string letters(version_size, static_cast<char>('a' + version % 26));
  return text == number + " " + letters + " " + number ? version : -1;
}

pid_t in_child(const std::function<void()>& action) {
  const pid_t child = fork();
  if (child == 0) {
    int status = 1;
    try {
      action();
      status = 0;
    } catch (const std::exception&) {
    }
    _exit(status);
  }
  REQUIRE(child > 0);
  return child;
}

int status_of(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

}  // namespace

TEST_CASE("a file is replaced at commit(), and not before") {
  const Folder folder;
  const auto path = folder.path() / "file";
  replace(path, "old");
  CHECK(content(path) == "old");
  {
    ReplacementFile file(path);
    file.write("new");
    CHECK(content(path) == "old");
  }
  CHECK(content(path) == "old");
  CHECK(files_in(folder.path()) == 1);
  replace(path, "");
  CHECK(content(path).empty());
}

TEST_CASE("a link stays a link") {
  const Folder folder;
  std::filesystem::create_directory(folder.path() / "there");
  replace(folder.path() / "there" / "file", "old");
  std::filesystem::create_symlink("there/file", folder.path() / "link");
  replace(folder.path() / "link", "new");
  CHECK(std::filesystem::is_symlink(folder.path() / "link"));
  CHECK(content(folder.path() / "there" / "file") == "new");
}

TEST_CASE("50: where nothing can be written, the system says why") {
  const Folder folder;
  const std::pair<std::filesystem::path, const char*> cases[] = {{folder.path(), "Is a directory"},
                                                                 {"/dev/null", "Invalid argument"},
                                                                 {folder.path() / "none" / "file", "No such file"},
                                                                 {"/proc/file", "/proc/file: "}};
  for (const auto& [path, reason] : cases)
    check_error<DataError>([&, &where = path] { replace(where, "x"); },
                           {"cannot write " + path.string() + ": ", reason});
  if (geteuid() == 0) return;  // root may write everywhere
  replace(folder.path() / "file", "old");
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0500));
  check_error<DataError>([&] { replace(folder.path() / "file", "new"); }, {"Permission denied"});
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0700));
  CHECK(content(folder.path() / "file") == "old");
}

TEST_CASE("50: on a full disk the old file stays, and nothing is left") {
  const Folder folder;
  const auto path = folder.path() / "file";
  save_version(path, 1);
  const pid_t child = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{version_size / 2, version_size / 2};  // a write is short at first, and then fails
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      save_version(path, 2);
    } catch (const DataError& error) {
      if (std::string(error.what()).ends_with("/file: File too large")) return;
    }
    throw std::runtime_error("not refused");
  });
  CHECK(status_of(child) == 0);
  CHECK(version_of(path) == 1);
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("51: killed at 200 random moments, there is a complete file each time") {
  const Folder folder;
  const auto path = folder.path() / "file";
  int version = 1, left_behind = 0;
  save_version(path, version);
  Generator generator(7);
  for (int kill_number = 0; kill_number < 200; ++kill_number) {
    const pid_t child = in_child([&] {
      for (int next = version + 1;; ++next) save_version(path, next);
    });
    std::this_thread::sleep_for(std::chrono::microseconds(generator.below(5000)));
    kill(child, SIGKILL);
    REQUIRE(WIFSIGNALED(status_of(child)));
    const int found = version_of(path);
    REQUIRE(found >= version);
    version = found;
    const std::size_t files = files_in(folder.path());
    REQUIRE(files <= 2);
    left_behind += files == 2;
  }
  CHECK(left_behind > 0);  // or no child was killed while it wrote
  CHECK(version > 1);
  save_version(path, version + 1);
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("52: two writers at once take turns") {
  const Folder folder;
  const auto path = folder.path() / "file";
  constexpr int saves = 100;
  save_version(path, 0);
  std::vector<pid_t> children;
  for (int first : {1, 1001})
    children.push_back(in_child([&] {
      for (int i = 0; i < saves; ++i) save_version(path, first + i);
    }));
  for (int look = 0; look < 200; ++look) {
    REQUIRE(version_of(path) >= 0);
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  for (const pid_t child : children) CHECK(status_of(child) == 0);
  const int last = version_of(path);
  CHECK((last == saves || last == 1000 + saves));
  CHECK(files_in(folder.path()) == 1);
}
