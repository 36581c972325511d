// The processor's registers, for .cpp files and optimizers' rules: arithmetic and functions on a register of numbers.
//
// xtensor can do this behind its expressions, but it then computes the first elements one by one, up to an aligned
// address: the bits of a result depend on where malloc put it. Here an element's result depends on nothing but its
// value.
#pragma once

#include <xgrad/core/tensor.h>

#include <algorithm>
#include <cmath>

#ifdef XGRAD_HAS_XSIMD
#include <xsimd/xsimd.hpp>
#endif

namespace xgrad {

#ifdef XGRAD_HAS_XSIMD
/// As many numbers as one register holds.
using Register = xsimd::batch<Scalar>;
constexpr std::size_t register_size = Register::size;
inline Register load(const Scalar* from) { return Register::load_unaligned(from); }
inline void store(Register x, Scalar* to) { x.store_unaligned(to); }
#else
using Register = Scalar;
constexpr std::size_t register_size = 1;
inline Register load(const Scalar* from) { return *from; }
inline void store(Register x, Scalar* to) { *to = x; }
inline Register select(bool condition, Register a, Register b) { return condition ? a : b; }
inline Register fma(Register a, Register b, Register c) {
#ifdef FP_FAST_FMAF
  return std::fma(a, b, c);  // a compiler may fuse a * b + c in one kernel and not in the next
#else
  return a * b + c;
#endif
}
inline Register sign(Register x) { return static_cast<Register>((x > 0) - (x < 0)); }
using std::abs, std::exp, std::expm1, std::log, std::log1p, std::sqrt, std::sin, std::cos, std::tanh, std::erf;
using std::isnan;
#endif

/// A NaN on either side comes through, and of two equal numbers b. They stand before those of the register library,
/// which drop a NaN on one side, on another one from version to version. Outside this namespace write xgrad::max.
inline Register max(Register a, Register b) { return select(a > b || isnan(a), a, b); }
inline Register min(Register a, Register b) { return select(a < b || isnan(a), a, b); }

/// The sum of a register's numbers, halves of it first: xsimd has had several names and orders for it.
inline Scalar sum_lanes(Register x) {
  Scalar part[register_size];
  store(x, part);
  for (std::size_t half = register_size / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) part[i] += part[i + half];
  return part[0];
}

/// The first `count` numbers of a register, at most register_size, the others 0; nothing beyond them is read or
/// written.
inline Register load_some(const Scalar* from, std::size_t count) {
  if (count == register_size) return load(from);
  Scalar part[register_size] = {};
  std::copy_n(from, count, part);
  return load(part);
}
inline void store_some(Register x, Scalar* to, std::size_t count) {
  if (count == register_size) return store(x, to);
  Scalar part[register_size];
  store(x, part);
  std::copy_n(part, count, to);
}

/// f(register) for each register of elements, the last one padded.
template <class F>
Tensor map_registers(const Tensor& x, F f) {
  Tensor out = Tensor::from_shape(x.shape());
  const std::size_t left = x.size() % register_size, whole = x.size() - left;
  for (std::size_t i = 0; i < whole; i += register_size) store(f(load(x.data() + i)), out.data() + i);
  if (left > 0) store_some(f(load_some(x.data() + whole, left)), out.data() + whole, left);
  return out;
}

/// As required_configuration: a program that was compiled for a processor with other registers does not link.
template <class T>
struct BuiltFor {
  static const char registers;
};
template <>
const char BuiltFor<Register>::registers;
[[gnu::used]] static const char* const required_registers = &BuiltFor<Register>::registers;

}  // namespace xgrad
