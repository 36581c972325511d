// Products of matrices.
#pragma once

#include <xgrad/core/tensor.h>

#include <string_view>

namespace xgrad {

struct GemmOptions {
  bool transpose_a = false;
  bool transpose_b = false;
  bool accumulate = false;  ///< add to c instead of overwriting it
};

/// The shape of op(a) op(b): (…, m, k) times (…, k, n) is (…, m, n), where leading (batch) dimensions broadcast.
/// ShapeError, in the name of `operation`, where they do not fit.
Shape gemm_shape(std::string_view operation, const Shape& a, const Shape& b, GemmOptions options = {});

/// c = op(a) op(b), or c += op(a) op(b); op transposes the last two dimensions where asked. c must have gemm_shape and
/// must not share memory with a or b. The result is the same bits for any number of threads.
void gemm(const Tensor& a, const Tensor& b, Tensor& c, GemmOptions options = {});

/// The instructions and the tile with which products are computed, such as "avx512bw, 8 x 48".
std::string gemm_backend();

}  // namespace xgrad
