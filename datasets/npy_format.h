// What .npy files and the members of .npz archives have in common.
#pragma once

#include <xgrad/datasets/npy.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace xgrad::datasets::npy {

/// Where the bytes of one array come from: a file, or a member of one.
struct Source {
  InputFile& file;
  std::string name;                                                  // NpyArray::source
  std::string member;                                                // "", or what errors say behind the file
  std::function<std::size_t(void* to, std::size_t bytes)> get = {};  // fewer than asked for only at the end

  template <class... Parts>
  [[noreturn]] void fail(const Parts&... what) const {
    file.fail(member, what...);
  }
};

/// All of the source must be one array.
NpyArray read_array(const Source& source);

/// What comes before the elements, such as those of type "<f4".
std::string header_of(const Shape& shape, std::string_view type);
inline constexpr std::string_view scalar_type = sizeof(Scalar) == sizeof(float) ? "<f4" : "<f8";

template <class A>
std::string_view bytes_of(const A& array) {
  return {reinterpret_cast<const char*>(array.data()), array.size() * sizeof(*array.data())};
}

}  // namespace xgrad::datasets::npy
