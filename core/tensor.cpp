#include <xgrad/core/errors.h>
#include <xgrad/core/tensor.h>

#include <algorithm>
#include <cstdint>
#include <numeric>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace xgrad {

#ifdef __GLIBC__
// Every training step takes and frees the same large tensors. Left alone, malloc gives them back to the system each
// time, and the page faults take a tenth of an epoch of LeNet.
[[maybe_unused]] static const bool keeps_memory =
    mallopt(M_MMAP_THRESHOLD, 32 << 20) + mallopt(M_TRIM_THRESHOLD, 256 << 20) == 2;
#endif

std::string to_string(const Shape& shape) {
  constexpr std::size_t most = 32;  // a file may claim any number of dimensions
  std::string text = "(";
  for (std::size_t i = 0; i < std::min(shape.size(), most); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  if (shape.size() > most) text += ", …";
  return text + (shape.size() == 1 ? ",)" : ")");
}

std::size_t element_count(const Shape& shape, std::string_view operation) {
  if (std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end()) return 0;
  std::size_t count = 1;
  bool overflows = false;
  for (const std::size_t size : shape) overflows = __builtin_mul_overflow(count, size, &count) || overflows;
  if (overflows || count > PTRDIFF_MAX / sizeof(Scalar))
    throw ShapeError(message("[", operation, "] the shape ", shape, " has more elements than memory can hold"));
  return count;
}

Tensor uninitialized(const Shape& shape, std::string_view operation) {
  element_count(shape, operation);
  return Tensor::from_shape(shape);
}

Tensor full(const Shape& shape, Scalar value, std::string_view operation) {
  Tensor result = uninitialized(shape, operation);
  std::fill_n(result.data(), result.size(), value);
  return result;
}

bool all_finite(const Tensor& tensor) {
  // x - x is 0 for a finite x and NaN otherwise, and a sum keeps a NaN: a loop that compilers turn into SIMD code
  // only over independent partial sums.
  constexpr std::size_t lanes = 16;
  Scalar partial[lanes] = {};
  const Scalar* x = tensor.data();
  const std::size_t size = tensor.size(), whole = size - size % lanes;
  for (std::size_t i = 0; i < whole; i += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane) partial[lane] += x[i + lane] - x[i + lane];
  for (std::size_t i = whole; i < size; ++i) partial[0] += x[i] - x[i];
  return std::accumulate(partial, partial + lanes, Scalar(0)) == 0;
}

}  // namespace xgrad
