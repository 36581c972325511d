// What bad input raises. Every message names the operation (or the file), what was expected and what came.
#pragma once

#include <xgrad/core/tensor.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace xgrad {

/// Shapes that do not fit together.
struct ShapeError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};
/// An option or an argument outside its range.
struct ValueError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};
/// A gradient that the recorded graph cannot give.
struct GraphError : std::logic_error {
  using std::logic_error::logic_error;
};
/// A file or a saved state that is not what it should be.
struct DataError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace detail {
inline std::string text(std::string_view part) { return std::string(part); }
inline std::string text(const Shape& part) { return to_string(part); }
std::string text(double part);  // shortest form: 0.001, 1e-08, nan
template <class Integer>
requires std::is_integral_v<Integer> std::string text(Integer part) { return std::to_string(part); }
}  // namespace detail

/// The bytes of the character that a text begins with, or 0 where that is not UTF-8 (RFC 3629).
std::size_t character_bytes(std::string_view text);

/// Text from outside (a file, a path, a command line), fit to be shown: in place of control characters, U+0080 to
/// U+009F among them, and of bytes that are not UTF-8, it has \x1b and the like, so that no escape sequence reaches a
/// terminal. Where it would be longer than `longest` characters, its middle is left out.
std::string printable(std::string_view outside, std::size_t longest = 200);

/// Joins text, shapes and numbers into one message.
template <class... Parts>
std::string message(const Parts&... parts) {
  std::string joined;
  ((joined += detail::text(parts)), ...);
  return joined;
}

}  // namespace xgrad
