// Mean 0 and variance 1: what batch, layer and group normalization are made of.
#pragma once

#include <xgrad/autograd/variable.h>

#include <cstddef>

namespace xgrad {

/// An array read as (outer, count, inner): the elements with one index in the middle are a group.
struct GroupView {
  std::size_t outer, count, inner;
};

/// Of each group. The variance is sum((x - mean)^2) / n.
struct GroupMoments {
  std::vector<double> mean, variance;
};

/// (x - mean) / sqrt(variance + eps) * weight + bias, each element with the numbers of its group. weight and bias are
/// (count,), or empty for 1 and 0. The moments, taken in double and in two passes, go to `moments` unless that is null.
/// ShapeError where shapes do not fit. Fast where inner is 16 or more.
Variable normalize(const Variable& x, GroupView view, double eps, const Variable& weight = {},
                   const Variable& bias = {}, GroupMoments* moments = nullptr);

/// The same with statistics from elsewhere, such as running ones: for x (batch, channels, …), and mean, variance, and
/// weight and bias where there are any, of (channels,). ShapeError where shapes do not fit.
Variable batch_norm(const Variable& x, const Variable& mean, const Variable& variance, double eps,
                    const Variable& weight = {}, const Variable& bias = {});

}  // namespace xgrad
