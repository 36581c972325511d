// Files that are there whole or not at all: killed while saving, full disks, two writers.
#include <datasets/idx_files.h>
#include <error.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xgrad/core/file.h>
#include <xgrad/core/random.h>

#include <algorithm>
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
  std::filesystem::create_symlink("there/none", folder.path() / "to_nothing");
  replace(folder.path() / "to_nothing", "made");
  CHECK(std::filesystem::is_symlink(folder.path() / "to_nothing"));
  CHECK(content(folder.path() / "there" / "none") == "made");
  std::filesystem::create_symlink("itself", folder.path() / "itself");
  check_error<DataError>([&] { replace(folder.path() / "itself", "x"); }, {"Too many levels of symbolic links"});
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
  constexpr std::uint64_t shortest = 5000;  // microseconds
  std::uint64_t window = shortest;          // within which a child is killed: longer where the machine is slow
  for (int kill_number = 0; kill_number < 200; ++kill_number) {
    const pid_t child = in_child([&] {
      for (int next = version + 1;; ++next) save_version(path, next);
    });
    std::this_thread::sleep_for(std::chrono::microseconds(generator.below(window)));
    kill(child, SIGKILL);
    REQUIRE(WIFSIGNALED(status_of(child)));
    const int found = version_of(path);
    REQUIRE(found >= version);
    const std::size_t files = files_in(folder.path());
    window = found == version && files == 1 ? 2 * window : std::max(shortest, window / 2);
    version = found;
    REQUIRE(files <= 2);
    left_behind += files == 2;
  }
  CHECK(left_behind > 0);  // or no child was killed while it wrote
  CHECK(version > 1);
  save_version(path, version + 1);
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("52: of two writers at once each replaces the whole file") {
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

TEST_CASE("a writer leaves the unfinished file of one that lives, and removes that of one that was killed") {
  const Folder folder;
  const auto path = folder.path() / "file";
  const pid_t child = in_child([&] {
    ReplacementFile file(path);
    file.write("half");
    raise(SIGKILL);
  });
  CHECK(WIFSIGNALED(status_of(child)));
  CHECK(files_in(folder.path()) == 1);
  ReplacementFile alive(path);
  CHECK(files_in(folder.path()) == 1);
  replace(path, "new");
  CHECK(files_in(folder.path()) == 2);
  alive.write("newest");
  alive.commit();
  CHECK(content(path) == "newest");
}

TEST_CASE("permissions of the old file stay; a new file's are what umask leaves") {
  const Folder folder;
  const auto path = folder.path() / "file";
  const mode_t mask = umask(0027);
  replace(path, "old");
  const auto permissions = [&] { return static_cast<unsigned>(std::filesystem::status(path).permissions()); };
  CHECK(permissions() == 0640);
  for (const unsigned each : {0600U, 0400U, 0666U}) {
    std::filesystem::permissions(path, std::filesystem::perms(each));
    replace(path, "new");
    CHECK(permissions() == each);
  }
  umask(mask);
}

TEST_CASE("what strangers put beside a file, where everybody may write, is neither used nor waited for") {
  const Folder folder;
  const auto path = folder.path() / "file";
  const auto beside = folder.path() / "file.unfinished", leftover = folder.path() / "file.0123456789ab.unfinished";
  for (const auto& each : {beside, leftover}) REQUIRE(mkfifo(each.c_str(), 0666) == 0);
  replace(folder.path() / "mine", "precious");
  std::filesystem::create_hard_link(folder.path() / "mine", folder.path() / "file.0123456789abc.unfinished");
  replace(path, "new");
  CHECK(content(path) == "new");
  CHECK(content(folder.path() / "mine") == "precious");
  CHECK(files_in(folder.path()) == 5);
}

TEST_CASE("a lock keeps others out until its holder ends, by its own will or not") {
  const Folder folder;
  const auto path = folder.path() / "file";
  int waits = 0;
  const auto take = [&](int milliseconds) {
    const FileLock lock(path, std::chrono::milliseconds(milliseconds), [&] { ++waits; });
  };
  {
    const FileLock lock(path);
    check_error<DataError>([&] { take(0); },
                           {"cannot lock " + path.string() + ".lock: another program holds this lock"});
    CHECK(waits == 0);
    check_error<DataError>([&] { take(60); }, {"another program"});
    CHECK(waits == 1);
  }
  CHECK(files_in(folder.path()) == 0);
  const auto held = folder.path() / "held";  // the lock's own file is there a moment before it is locked
  const pid_t child = in_child([&] {
    const FileLock lock(path);
    replace(held, "");
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    raise(SIGKILL);
  });
  while (!std::filesystem::exists(held)) std::this_thread::yield();
  CHECK_NOTHROW(take(60000));
  CHECK(WIFSIGNALED(status_of(child)));
  std::filesystem::remove(held);
  CHECK(files_in(folder.path()) == 0);
  REQUIRE(mkfifo((path.string() + ".lock").c_str(), 0666) == 0);
  check_error<DataError>([&] { take(0); }, {"file.lock: it is not a regular file"});
  std::filesystem::remove(path.string() + ".lock");
  std::filesystem::create_symlink("elsewhere", path.string() + ".lock");
  check_error<DataError>([&] { take(0); }, {"file.lock: "});
}

TEST_CASE("a reader has the file that it opened, whatever takes its place") {
  const Folder folder;
  const auto path = folder.path() / "file";
  replace(path, "old");
  InputFile file("read", path);
  replace(path, "newer");
  std::array<char, 10> bytes{};
  CHECK(file.size() == 3);
  CHECK(file.read(bytes.data(), bytes.size()) == 3);
  CHECK(std::string(bytes.data()) == "old");
  std::filesystem::remove(path);
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);  // without a writer: whoever opens it waits
  check_error<DataError>([&] { InputFile("read", path); }, {"[read] " + path.string() + ": expected a regular file"});
}

TEST_CASE("text from outside is shown without what a terminal would obey, and not at any length") {
  const std::pair<std::string, std::string> cases[] = {
      {"plain ünï 漢 🎉 \"\\", "plain ünï 漢 🎉 \"\\"},
      {"a\nb\tc", "a\\x0ab\\x09c"},
      {"\x1b[2J\x7f", "\\x1b[2J\\x7f"},
      {"\xc2\x9b"
       "31m",
       "\\xc2\\x9b31m"},  // U+009B is an escape sequence's beginning, too
      {"\xc2\xa0", "\xc2\xa0"},
      {"\xff\xc3", "\\xff\\xc3"},
      {"\xc0\xaf", "\\xc0\\xaf"},                    // longer than need be
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // half of a pair
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // beyond U+10FFFF
      {std::string("\0", 1), "\\x00"},
      {std::string(200, 'x'), std::string(200, 'x')},
      {std::string(150, 'a') + std::string(150, 'b'), std::string(100, 'a') + "…" + std::string(99, 'b')}};
  for (const auto& [text, shown] : cases) CHECK(printable(text) == shown);
  std::string many("begin");
  many.resize(100'000'000, '\x1b');
  many += "end";
  const std::string of_many = printable(many);
  CHECK(of_many.size() <= 202);
  CHECK(of_many.starts_with("begin\\x1b"));
  CHECK(of_many.ends_with("\\x1bend"));
}
