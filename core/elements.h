// The types of elements that files of several formats share, and what they are as numbers of ours.
#pragma once

#include <xgrad/core/errors.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>

namespace xgrad::elements {

static_assert(std::endian::native == std::endian::little, "elements in files have their lowest byte first");

/// A floating-point number in 16 bits: the sign, the biased exponent, and the highest bits of the fraction.
template <int fraction_bits>
struct ShortFloat {
  std::uint16_t bits;

  static constexpr int one = 1 << fraction_bits, bias = (1 << (14 - fraction_bits)) - 1;  // `one` is 1 in last places
  static constexpr int infinity = (2 * bias + 1) * one;

  /// Exact: float has more of both bits.
  float number() const {
    const int magnitude = bits & 0x7fff, exponent = std::max(magnitude / one, 1), fraction = magnitude % one;
    const int places = magnitude < one ? fraction : one + fraction;  // without the leading 1 below 2^(1 - bias)
    float number = std::ldexp(static_cast<float>(places), exponent - bias - fraction_bits);
    if (magnitude >= infinity) number = fraction == 0 ? std::numeric_limits<float>::infinity() : NAN;
    return bits >> 15 ? -number : number;
  }

  /// Rounded to nearest, ties to even; nothing for a finite number that would become infinite.
  static std::optional<ShortFloat> nearest(Scalar number) {
    int magnitude = std::isnan(number) ? infinity + one / 2 : infinity;
    if (std::isfinite(number)) {
      const int exponent = std::max(number == 0 ? 1 : std::ilogb(number) + bias, 1);
      const Scalar places = std::ldexp(std::abs(number), fraction_bits + bias - exponent);
      magnitude = (exponent - 1) * one + static_cast<int>(std::nearbyint(places));  // a carry goes to the exponent
      if (magnitude >= infinity) return std::nullopt;
    }
    return ShortFloat{static_cast<std::uint16_t>(magnitude | (std::signbit(number) ? 0x8000 : 0))};
  }
};
using Half = ShortFloat<10>;       // IEEE 754's binary16
using BrainFloat = ShortFloat<7>;  // bfloat16
struct SignedByte {
  std::uint8_t bits;
};
struct Truth {
  std::uint8_t bits;
};

template <class T>
T number_of(T element) {
  return element;
}
template <int fraction_bits>
float number_of(ShortFloat<fraction_bits> element) {
  return element.number();
}
inline int number_of(SignedByte byte) { return byte.bits < 128 ? byte.bits : byte.bits - 256; }
inline int number_of(Truth truth) { return truth.bits; }

/// f(number) for each of the elements in some bytes.
template <class Element, class F>
void for_each_number(const void* bytes, std::size_t count, const F& f) {
  Element element;
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(&element, static_cast<const char*>(bytes) + i * sizeof element, sizeof element);
    f(number_of(element));
  }
}

/// The number as a Scalar. Calls fail(why), which throws, for a whole number that Scalar does not hold exactly, and for
/// a finite one beyond its range.
template <class T, class Fail>
Scalar scalar_of(T number, const Fail& fail) {
  bool keeps_its_meaning = true;
  if constexpr (std::is_floating_point_v<T>) {
    keeps_its_meaning = !std::isfinite(number) || std::isfinite(static_cast<Scalar>(number));
  } else {
    const auto bits = static_cast<std::uint64_t>(number), magnitude = number < 0 ? 0 - bits : bits;
    keeps_its_meaning =
        magnitude == 0 || magnitude >> std::countr_zero(magnitude) >> std::numeric_limits<Scalar>::digits == 0;
  }
  if (!keeps_its_meaning)
    fail(message(number, " is no number that ", sizeof(Scalar) == sizeof(float) ? "float" : "double", " holds"));
  return static_cast<Scalar>(number);
}

}  // namespace xgrad::elements
