// What the fuzzers share. A fuzzer is a program of its own: libFuzzer calls run() with bytes of its making, over and
// over, and goes on from those that reach new code. It ends at the first input that fails, and keeps that in a file.
#pragma once

#include <xgrad/core/file.h>
#include <xgrad/core/state_dict.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

using Bytes = std::span<const std::uint8_t>;

// Each fuzzer defines these two.

/// One try. An exception that leaves it is a failure.
void run(Bytes bytes);
/// What to begin with, made by the library itself: `program --seeds FOLDER` writes them there.
std::vector<std::string> seeds();

/// For what is read from a file.
inline const xgrad::LoadOptions little_memory = {.memory_limit = 64 << 20};

/// A failure, unless it is true.
void expect(bool good, std::string_view what);

/// Checks an error's text: what came from a file must not be able to fill or to steer a terminal.
void check_text(std::string_view text);

/// True where the action comes to its end, and false where it throws one of these errors. Any other goes through.
template <class Error, class... Others, class Action>
bool succeeds(const Action& action) {
  try {
    if constexpr (sizeof...(Others) > 0) return succeeds<Others...>(action);
    action();
    return true;
  } catch (const Error& error) {
    check_text(error.what());
    return false;
  }
}

/// Takes bytes apart, from the first on. Where nothing is left, zeros come: every input means something.
class Input {
 public:
  explicit Input(Bytes bytes) : left_(bytes) {}

  bool empty() const { return left_.empty(); }
  std::uint8_t byte();
  /// From 0 to bound - 1; 0 where there is none. Two bytes.
  std::size_t below(std::size_t bound);
  /// Any double at all, but often one that is special. A byte, or nine.
  double number();
  /// Two bytes with the length, and as many of it as there are.
  std::string text();
  std::string rest();

 private:
  Bytes left_;
};

// The same the other way round, for seeds.

std::string byte(std::size_t value);
std::string index(std::size_t value);
std::string text(std::string_view value);
/// How many special numbers there are. byte(i) is the i-th of them.
std::size_t special_numbers();

/// A path in a folder of this process, which is removed at its end.
std::filesystem::path path_of(const std::string& name);
std::filesystem::path write(const std::string& name, std::string_view content);
std::string read(const std::filesystem::path& path);

inline std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// True where both hold the same bits under the same names, in whatever order. One NaN is as good as another.
bool same(const xgrad::StateDict& a, const xgrad::StateDict& b);

/// Changes a state as the input says: entries are left out, repeated, renamed or added, numbers, texts and elements
/// replaced, and tensors reshaped.
void mutate(xgrad::StateDict& state, Input& input);
/// The bytes of one change of each kind for each entry, as mutate() reads them.
std::vector<std::string> mutations(const xgrad::StateDict& state);

}  // namespace fuzz
