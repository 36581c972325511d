// Norms over many elements, which clipping, rules and explain() take.
#pragma once

#include <xgrad/core/tensor.h>

#include <span>

namespace xgrad::optim {

/// Added up in double, in threads, to the same bits for any number of them. NaN where one is in it.
double sum_of_squares(std::span<const Scalar> x);

}  // namespace xgrad::optim
