// Arrays in IDX files, the format in which MNIST was published: LeCun, Cortes & Burges, "The MNIST database".
#pragma once

#include <xgrad/core/file.h>
#include <xgrad/core/tensor.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace xgrad::datasets {

/// The third byte of the file.
enum class IdxType : std::uint8_t { uint8 = 0x8, int8 = 0x9, int16 = 0xB, int32 = 0xC, float32 = 0xD, float64 = 0xE };

std::string_view to_string(IdxType type);

template <class T>
struct IdxTypeOf;
// clang-format off
template <> struct IdxTypeOf<std::uint8_t> : std::integral_constant<IdxType, IdxType::uint8> {};
template <> struct IdxTypeOf<std::int8_t> : std::integral_constant<IdxType, IdxType::int8> {};
template <> struct IdxTypeOf<std::int16_t> : std::integral_constant<IdxType, IdxType::int16> {};
template <> struct IdxTypeOf<std::int32_t> : std::integral_constant<IdxType, IdxType::int32> {};
template <> struct IdxTypeOf<float> : std::integral_constant<IdxType, IdxType::float32> {};
template <> struct IdxTypeOf<double> : std::integral_constant<IdxType, IdxType::float64> {};
// clang-format on

struct IdxArray {
  IdxType type;
  Shape shape;                      // of rank 0 to 255
  std::vector<std::uint8_t> bytes;  // of the elements, row-major, in the byte order of this machine

  /// The elements as std::uint8_t, std::int8_t, std::int16_t, std::int32_t, float or double. ValueError unless `type`
  /// is that one.
  template <class T>
  std::span<const T> as() const {
    expect_type(IdxTypeOf<T>::value);
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

 private:
  void expect_type(IdxType asked) const;
};

/// Reads a file, plain or gzip of one or several members (its first two bytes tell, not its name). DataError, with the
/// file, the offset, what was expected and what came, for anything but one whole array: a wrong header, sizes that
/// overflow or take more memory than the options allow, a payload too short or too long, a damaged gzip stream. A
/// header's claim is not believed: memory is taken as data arrive.
IdxArray read_idx(const std::filesystem::path& file, LoadOptions options = {});

}  // namespace xgrad::datasets
