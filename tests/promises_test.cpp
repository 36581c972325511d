// PROMISES.md names tests: each of them must be there, under that name.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What stands between two marks, and takes it and all before it away; "" where there is none.
std::string take(std::string_view& text, std::string_view open, std::string_view close) {
  const std::size_t begin = text.find(open);
  if (begin == text.npos) return {};
  const std::size_t end = text.find(close, begin + open.size());
  if (end == text.npos) return {};
  const std::string between(text.substr(begin + open.size(), end - begin - open.size()));
  text.remove_prefix(end + close.size());
  return between;
}

}  // namespace

TEST_CASE("every test that PROMISES.md names is there") {
  std::ifstream page("PROMISES.md");
  REQUIRE(page.is_open());
  int tests = 0;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| ") || line.starts_with("| Promise |")) continue;
    CAPTURE(line);
    const std::size_t cell = line.find(" | ");
    REQUIRE(cell != line.npos);
    std::string_view shown = std::string_view(line).substr(cell + 3);
    CHECK_MESSAGE(shown.starts_with("`tests/"), "no test is named");
    while (shown.find('`') != shown.npos) {
      const std::string file = take(shown, "`", "`"), text = content(file);
      CHECK_MESSAGE(!text.empty(), file, " is not there, or empty");
      std::string_view names = shown.substr(0, shown.find('`'));
      while (names.find('"') != names.npos) {
        const std::string name = take(names, "\"", "\"");
        CHECK_MESSAGE(text.find('"' + name + '"') != text.npos, file, " has no \"", name, "\"");
        ++tests;
      }
    }
  }
  CHECK(tests > 50);
}
