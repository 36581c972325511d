// Products of matrices.
#pragma once

#include <xgrad/autograd/variable.h>
#include <xgrad/core/gemm.h>

namespace xgrad {

struct MatmulOptions {
  bool transpose_a = false;  ///< read a as if its last two dimensions were swapped
  bool transpose_b = false;
};

/// (…, m, k) times (…, k, n) is (…, m, n); leading (batch) dimensions broadcast. ShapeError where shapes do not fit.
Variable matmul(const Variable& a, const Variable& b, MatmulOptions options = {});

/// x W^T + b for x (…, in), weight (out, in) and bias (out,), or an empty bias for none: the result is (…, out).
/// ShapeError where shapes do not fit.
Variable linear(const Variable& x, const Variable& weight, const Variable& bias = {});

}  // namespace xgrad
