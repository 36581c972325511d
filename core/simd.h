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
inline Batch sign(Batch x) { return static_cast<Batch>((x > 0) - (x < 0)); }
using std::abs, std::exp, std::expm1, std::log, std::log1p, std::sqrt, std::sin, std::cos, std::tanh, std::erf;
using std::max, std::min;
#endif

/// f(batch) for each batch of elements, the last one padded.
template <class F>
Tensor map_batches(const Tensor& x, F f) {
  Tensor out = Tensor::from_shape(x.shape());
  const std::size_t left = x.size() % batch_size, whole = x.size() - left;
  for (std::size_t i = 0; i < whole; i += batch_size) store(f(load(x.data() + i)), out.data() + i);
  if (left > 0) {
    Scalar last[batch_size] = {};
    std::copy_n(x.data() + whole, left, last);
    store(f(load(last)), last);
    std::copy_n(last, left, out.data() + whole);
  }
  return out;
}

}  // namespace xgrad
