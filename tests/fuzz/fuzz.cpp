#include "fuzz.h"

#include <cxxabi.h>
#include <unistd.h>
#include <xgrad/core/parallel.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>

namespace fuzz {
namespace {

// Not through `stderr`, which a fuzzer may have sent elsewhere to be rid of what the library prints.
[[noreturn]] void fail(const std::string& why) {
  dprintf(STDERR_FILENO, "\nFAILED: %s\n", why.c_str());
  std::abort();
}

[[noreturn]] void fail_by_exception() {
  int status = 0;
  const std::type_info* type = abi::__cxa_current_exception_type();
  const char* name = type ? abi::__cxa_demangle(type->name(), nullptr, nullptr, &status) : nullptr;
  const std::string what = std::string("an exception that is not documented here: ") + (name ? name : "unknown");
  try {
    if (std::current_exception()) std::rethrow_exception(std::current_exception());
  } catch (const std::exception& error) {
    fail(what + ": " + error.what());
  } catch (...) {
  }
  fail(what);
}

struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "xgrad-fuzz-XXXXXX").string();
    if (!mkdtemp(name.data())) fail("no temporary folder can be made");
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double specials[] = {0,
                               1,
                               2,
                               3,
                               5,
                               7,
                               100,
                               0.5,
                               -0.0,
                               -1,
                               1e-300,
                               -1e-30,
                               1e9,
                               1e18,
                               0x1p31,
                               0x1p32,
                               0x1p53,
                               0x1p53 - 1,
                               0x1p63,
                               0x1p64,
                               1e30,
                               1e300,
                               -1e300,
                               infinity,
                               -infinity,
                               std::numeric_limits<double>::quiet_NaN(),
                               std::numeric_limits<double>::denorm_min()};

}  // namespace

void expect(bool good, std::string_view what) {
  if (!good) fail("expected " + std::string(what));
}

void check_text(std::string_view text) {
  expect(!text.empty(), "an error that says something");
  constexpr std::size_t longest = 3000;  // two names of 200 characters, shapes and what else there is
  while (!text.empty()) {                // a line of what does not fit after the other
    const std::string line(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    expect(line.size() <= longest, "an error whose lines are not too long");
    expect(xgrad::printable(line, line.npos) == line, "an error without control characters, in UTF-8");
  }
}

std::uint8_t Input::byte() {
  if (left_.empty()) return 0;
  const std::uint8_t first = left_.front();
  left_ = left_.subspan(1);
  return first;
}

std::size_t Input::below(std::size_t bound) {
  const std::size_t low = byte(), value = low | std::size_t{byte()} << 8;
  return bound == 0 ? 0 : value % bound;
}

double Input::number() {
  const std::size_t kind = byte();
  if (kind < std::size(specials)) return specials[kind];
  double value = 0;
  std::uint8_t raw[sizeof value];
  for (std::uint8_t& one : raw) one = byte();
  std::memcpy(&value, raw, sizeof value);
  return value;
}

std::string Input::text() {
  const std::size_t low = byte(), length = std::min(low | std::size_t{byte()} << 8, left_.size());
  std::string result(as_text(left_.first(length)));
  left_ = left_.subspan(length);
  return result;
}

std::string Input::rest() { return std::string(as_text(std::exchange(left_, {}))); }

std::string byte(std::size_t value) { return std::string(1, static_cast<char>(value)); }
std::string index(std::size_t value) { return byte(value & 255) + byte(value >> 8); }
std::string text(std::string_view value) { return index(value.size()) + std::string(value); }
std::size_t special_numbers() { return std::size(specials); }

std::filesystem::path path_of(const std::string& name) {
  static const Folder folder;
  return folder.path / name;
}

std::filesystem::path write(const std::string& name, std::string_view content) {
  const std::filesystem::path path = path_of(name);
  std::ofstream file(path, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  expect(file.good(), "room for a temporary file");
  return path;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool same(const xgrad::StateDict& a, const xgrad::StateDict& b) {
  const auto sorted = [](auto entries) {
    std::sort(entries.begin(), entries.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
    return entries;
  };
  const auto equal = [&](const auto& x, const auto& y, const auto& equal_values) {
    const auto first = sorted(x), second = sorted(y);
    return std::equal(first.begin(), first.end(), second.begin(), second.end(),
                      [&](const auto& one, const auto& other) {
                        return one.first == other.first && equal_values(one.second, other.second);
                      });
  };
  return equal(a.tensors, b.tensors,
               [](const xgrad::Tensor& x, const xgrad::Tensor& y) {
                 return x.shape() == y.shape() &&
                        (x.size() == 0 || std::memcmp(x.data(), y.data(), x.size() * sizeof(xgrad::Scalar)) == 0);
               }) &&
         equal(a.scalars, b.scalars,
               [](double x, double y) { return std::isnan(x) ? std::isnan(y) : std::memcmp(&x, &y, sizeof x) == 0; }) &&
         equal(a.texts, b.texts, std::equal_to<>());
}

}  // namespace fuzz

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  std::set_terminate(fuzz::fail_by_exception);
  xgrad::set_num_threads(1);  // starting threads would take most of the time
  if (*argc != 3 || std::strcmp((*argv)[1], "--seeds") != 0) return 0;
  const std::filesystem::path folder = (*argv)[2];
  std::filesystem::create_directories(folder);
  const std::vector<std::string> all = fuzz::seeds();
  for (std::size_t i = 0; i < all.size(); ++i) std::ofstream(folder / std::to_string(i), std::ios::binary) << all[i];
  std::exit(0);
}

// noexcept: std::terminate() comes where an exception is thrown, and the report shows that place.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) noexcept {
  fuzz::run({data, size});
  return 0;
}
