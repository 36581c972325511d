// What rules that see a parameter as a matrix share: its first axis is the rows, all others together are the columns.
// All of it works in threads, and gives the same bits for any number of them.
#pragma once

#include <xgrad/core/gemm.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/norms.h>

namespace xgrad::optim {

/// (rows, columns): the gradient after `maximize` and coupled weight decay. theta stays as it is.
Tensor gradient_matrix(const Elements& elements);
/// A copy of a slot's state; of one per element, (rows, columns).
Tensor state_matrix(const Elements& elements, std::size_t slot);
/// The reverse.
void keep(const Elements& elements, std::size_t slot, const Tensor& matrix);
/// The slot's state becomes kept * state + added * x.
void blend(const Elements& elements, std::size_t slot, double kept, double added, const Tensor& x);
/// theta becomes shrink * theta - rate * step, where shrink is decoupled weight decay: once in each update.
void descend(const Elements& elements, const Tensor& step, double rate);

/// op(a) op(b): see gemm().
Tensor product(const Tensor& a, const Tensor& b, GemmOptions options = {});

}  // namespace xgrad::optim
