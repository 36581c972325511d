// Activation functions, element by element. NaN travels through each of them.
#pragma once

#include <xgrad/autograd/variable.h>

namespace xgrad {

Variable tanh(const Variable& x);
Variable sigmoid(const Variable& x);  ///< 1 / (1 + exp(-x))
Variable relu(const Variable& x);     ///< max(x, 0); the gradient at 0 is 0
Variable leaky_relu(const Variable& x, double negative_slope = 0.01);
/// x above 0, alpha (exp(x) - 1) below: Clevert et al. 2016.
Variable elu(const Variable& x, double alpha = 1);
/// elu with the scale and alpha that keep mean 0 and variance 1: Klambauer et al. 2017.
Variable selu(const Variable& x);

enum class Gelu { exact, tanh };
/// x Phi(x), Phi the normal distribution function, or its approximation by tanh: Hendrycks & Gimpel 2016.
Variable gelu(const Variable& x, Gelu form = Gelu::exact);
Variable silu(const Variable& x);      ///< x sigmoid(x)
Variable mish(const Variable& x);      ///< x tanh(softplus(x)): Misra 2019
Variable softplus(const Variable& x);  ///< log(1 + exp(x))
/// x limited to [low, high]; the gradient passes strictly between. ValueError unless low < high.
Variable hardtanh(const Variable& x, double low = -1, double high = 1);

Variable relu6(const Variable& x);        ///< hardtanh between 0 and 6: Krizhevsky 2010
Variable hardswish(const Variable& x);    ///< x relu6(x + 3) / 6: Howard et al. 2019
Variable log_sigmoid(const Variable& x);  ///< log(sigmoid(x)), without overflow
/// x above 0, alpha (exp(x / alpha) - 1) below, with a continuous derivative: Barron 2017. ValueError unless
/// alpha > 0.
Variable celu(const Variable& x, double alpha = 1);
/// x above 0, slope x below, with slopes that are learned: He et al. 2015. ShapeError unless the slope
/// broadcasts to x.
Variable prelu(const Variable& x, const Variable& slope);
/// a sigmoid(b) for the halves a and b of an axis: Dauphin et al. 2017. ShapeError where its size is odd.
Variable glu(const Variable& x, std::ptrdiff_t axis = -1);

/// exp(x) / sum(exp(x)) along one axis. ShapeError for an axis out of range.
Variable softmax(const Variable& x, std::ptrdiff_t axis = -1);
Variable log_softmax(const Variable& x, std::ptrdiff_t axis = -1);

}  // namespace xgrad
