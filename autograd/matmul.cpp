#include <xgrad/autograd/attributes.h>
#include <xgrad/autograd/matmul.h>
#include <xgrad/autograd/reductions.h>
#include <xgrad/autograd/shapes.h>
#include <xgrad/core/errors.h>

#include <algorithm>

namespace xgrad {
namespace {

// x (batch, in), weight (out, in), bias (out,) or none.
Variable linear_rows(const Variable& x, const Variable& weight, const Variable& bias) {
  const std::size_t rows = x.shape()[0], out = weight.shape()[0];
  Tensor value = uninitialized({rows, out}, "linear");
  if (bias)
    for (std::size_t i = 0; i < rows; ++i) std::copy_n(bias.value().data(), out, value.data() + i * out);
  gemm(x.value(), weight.value(), value, {.transpose_b = true, .accumulate = static_cast<bool>(bias)});
  return record("linear", std::move(value), {x, weight, bias}, [](const Variable& y, const Variable& g) {
    const Variable &input = y.input(0), &w = y.input(1);
    return std::vector{input.requires_grad() ? matmul(g, w) : Variable(),
                       w.requires_grad() ? matmul(g, input, {.transpose_a = true}) : Variable(),
                       y.input(2).requires_grad() ? sum(g, 0) : Variable()};
  });
}

}  // namespace

Variable matmul(const Variable& a, const Variable& b, MatmulOptions options) {
  const GemmOptions flags{.transpose_a = options.transpose_a, .transpose_b = options.transpose_b};
  Tensor value = uninitialized(gemm_shape("matmul", a.shape(), b.shape(), flags), "matmul");
  gemm(a.value(), b.value(), value, flags);
  const auto backward = [options](const Variable& y, const Variable& g) {
    const Variable &left = y.input(0), &right = y.input(1);
    const auto [ta, tb] = options;
    std::vector<Variable> gradients(2);  // of C = A B: dA = dC B^T and dB = A^T dC, transposed where A and B are
    if (left.requires_grad()) gradients[0] = ta ? matmul(right, g, {tb, true}) : matmul(g, right, {false, !tb});
    if (right.requires_grad()) gradients[1] = tb ? matmul(g, left, {true, ta}) : matmul(left, g, {!ta, false});
    return gradients;
  };
  return record("matmul", std::move(value), {a, b}, backward,
                attributes("transA", options.transpose_a, "transB", options.transpose_b));
}

Variable linear(const Variable& x, const Variable& weight, const Variable& bias) {
  const Shape &in = x.shape(), &w = weight.shape();
  if (w.size() != 2) throw ShapeError(message("[linear] expected a weight (out, in), got ", w));
  if (in.empty() || in.back() != w[1])
    throw ShapeError(message("[linear] input ", in, " does not match weight ", w, ": expected ", w[1], " features"));
  if (bias && (bias.shape().size() != 1 || bias.shape()[0] != w[0]))
    throw ShapeError(
        message("[linear] bias ", bias.shape(), " does not match weight ", w, ": expected ", w[0], " elements"));
  if (in.size() == 2) return linear_rows(x, weight, bias);
  Shape out = in;
  out.back() = w[0];
  return reshape(linear_rows(reshape(x, {element_count(in) / std::max<std::size_t>(w[1], 1), w[1]}), weight, bias),
                 out);
}

}  // namespace xgrad
