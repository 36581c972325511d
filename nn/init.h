// Initial weights, drawn from default_generator() and written in place:
//
//   nn::init::kaiming_normal(layer.weight, {.fan = nn::init::Fan::out});
//
// The weights of most are (out, in, kernel…). fan_in is the product of all dimensions but the first, fan_out that of
// all but the second. ShapeError for fewer than two dimensions, ValueError for a gain that is not finite.
#pragma once

#include <xgrad/autograd/variable.h>

namespace xgrad::nn::init {

/// All elements of any shape.
void constant(const Variable& weight, double value);

struct TruncatedNormalOptions {
  double mean = 0, deviation = 1;
  double low = -2, high = 2;  ///< bounds of the values; PyTorch's, which do not follow mean and deviation
};
/// A normal distribution without what lies outside [low, high]; of any shape. ValueError unless the deviation is above
/// 0 and finite, low < high, and both within 8 deviations of the mean.
void truncated_normal(const Variable& weight, TruncatedNormalOptions options = {});

enum class Nonlinearity { linear, sigmoid, tanh, relu, leaky_relu, selu };

/// The factor by which weights grow to make up for what a nonlinearity takes from the variance. The values are
/// PyTorch's: 1, 1, 5/3, sqrt(2), sqrt(2 / (1 + slope^2)), 3/4.
double calculate_gain(Nonlinearity nonlinearity, double negative_slope = 0.01);

/// Glorot & Bengio 2010: variance gain^2 2 / (fan_in + fan_out).
void xavier_uniform(Variable& weight, double gain = 1);
void xavier_normal(Variable& weight, double gain = 1);

enum class Fan { in, out };

struct KaimingOptions {
  Fan fan = Fan::in;  ///< `in` keeps the variance of the forward pass, `out` that of the backward pass
  double gain = calculate_gain(Nonlinearity::relu);
};

/// He et al. 2015: variance gain^2 / fan.
void kaiming_uniform(Variable& weight, KaimingOptions options = {});
void kaiming_normal(Variable& weight, KaimingOptions options = {});

/// Saxe et al. 2014: gain times a random matrix, seen as (out, in * kernel…), whose rows are orthonormal, or whose
/// columns are, where they are fewer.
void orthogonal(Variable& weight, double gain = 1);

}  // namespace xgrad::nn::init
