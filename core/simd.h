// The processor's registers, for .cpp files and optimizers' rules: arithmetic and functions on a batch of numbers.
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
using Batch = xsimd::batch<Scalar>;
constexpr std::size_t batch_size = Batch::size;
inline Batch load(const Scalar* from) { return Batch::load_unaligned(from); }
inline void store(Batch batch, Scalar* to) { batch.store_unaligned(to); }
#else
using Batch = Scalar;
constexpr std::size_t batch_size = 1;
inline Batch load(const Scalar* from) { return *from; }
inline void store(Batch batch, Scalar* to) { *to = batch; }
inline Batch select(bool condition, Batch a, Batch b) { return condition ? a : b; }
inline Batch fma(Batch a, Batch b, Batch c) { return a * b + c; }
inline Scalar hadd(Batch x) { return x; }
inline Batch sign(Batch x) { return static_cast<Batch>((x > 0) - (x < 0)); }
using std::abs, std::exp, std::expm1, std::log, std::log1p, std::sqrt, std::sin, std::cos, std::tanh, std::erf;
using std::isnan;
// As the registers do: a NaN in b comes through, where std::max(a, b) would return a.
inline Batch max(Batch a, Batch b) { return a > b ? a : b; }
inline Batch min(Batch a, Batch b) { return a < b ? a : b; }
#endif

/// The first `count` numbers of a batch, at most batch_size, the others 0; nothing beyond them is read or written.
inline Batch load_some(const Scalar* from, std::size_t count) {
  if (count == batch_size) return load(from);
  Scalar part[batch_size] = {};
  std::copy_n(from, count, part);
  return load(part);
}
inline void store_some(Batch batch, Scalar* to, std::size_t count) {
  if (count == batch_size) return store(batch, to);
  Scalar part[batch_size];
  store(batch, part);
  std::copy_n(part, count, to);
}

/// f(batch) for each batch of elements, the last one padded.
template <class F>
Tensor map_batches(const Tensor& x, F f) {
  Tensor out = Tensor::from_shape(x.shape());
  const std::size_t left = x.size() % batch_size, whole = x.size() - left;
  for (std::size_t i = 0; i < whole; i += batch_size) store(f(load(x.data() + i)), out.data() + i);
  if (left > 0) store_some(f(load_some(x.data() + whole, left)), out.data() + whole, left);
  return out;
}

}  // namespace xgrad
