#include <xgrad/core/parallel.h>
#include <xgrad/optim/matrices.h>

namespace xgrad::optim {
namespace {

Tensor uninitialized_matrix(const Elements& elements) {
  return uninitialized({elements.size / elements.width, elements.width});
}

}  // namespace

Tensor gradient_matrix(const Elements& elements) {
  Tensor result = uninitialized_matrix(elements);
  Scalar* to = result.data();
  for_elements(elements.size, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) to[i] = elements.gradient_at(i);
  });
  return result;
}

Tensor state_matrix(const Elements& elements, std::size_t slot) {
  const ShapeOf shape = elements.shape_of[slot];
  Tensor result = shape == per_element ? uninitialized_matrix(elements) : uninitialized(shape(*elements.shape));
  const Scalar* from = elements.state[slot];
  for_elements(result.size(),
               [&](std::size_t begin, std::size_t end) { std::copy(from + begin, from + end, result.data() + begin); });
  return result;
}

void keep(const Elements& elements, std::size_t slot, const Tensor& matrix) {
  Scalar* to = elements.state[slot];
  for_elements(matrix.size(), [&](std::size_t begin, std::size_t end) {
    std::copy(matrix.data() + begin, matrix.data() + end, to + begin);
  });
}

void blend(const Elements& elements, std::size_t slot, double kept, double added, const Tensor& x) {
  Scalar* to = elements.state[slot];
  const Scalar* from = x.data();
  for_elements(x.size(), [=, a = Scalar(kept), b = Scalar(added)](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) to[i] = a * to[i] + b * from[i];
  });
}

void descend(const Elements& elements, const Tensor& step, double rate) {
  Scalar* theta = elements.theta;
  const Scalar* from = step.data();
  const Scalar shrink = elements.shrink;
  for_elements(elements.size, [=, r = Scalar(rate)](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) theta[i] = shrink * theta[i] - r * from[i];
  });
}

Tensor product(const Tensor& a, const Tensor& b, GemmOptions options) {
  Tensor result = uninitialized(gemm_shape("product", a.shape(), b.shape(), options));
  gemm(a, b, result, options);
  return result;
}

}  // namespace xgrad::optim
