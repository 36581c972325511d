// Which hidden unit of one network is which of another.
#pragma once

#include "vectors.h"

namespace lab {

/// The assignment with the largest sum: row i gets column result[i], each column once. `gain` is square. Kuhn 1955, by
/// shortest augmenting paths.
std::vector<std::size_t> assignment(const std::vector<Vector>& gain);

/// A network inputs-width-outputs with one hidden layer, as flatten() gives it, with its hidden units in another order:
/// such that the sum of the inner products of their weights with those of `like` is largest (Ainsworth et al. 2023,
/// section 3.2). It computes the same function.
Vector matched(const Vector& network, const Vector& like, std::size_t inputs, std::size_t width);

}  // namespace lab
