// What training makes small. Names, defaults and values are PyTorch's; losses are added up in double.
#pragma once

#include <xgrad/autograd/variable.h>

namespace xgrad::nn {

/// The mean over all elements (over the samples, for class targets), the sum, or a loss each.
enum class Reduction { mean, sum, none };

struct CrossEntropyOptions {
  double label_smoothing = 0;  ///< in [0, 1]: this share of each target is spread evenly over all classes
  Reduction reduction = Reduction::mean;
};

/// -log softmax(logits)[target] for logits (N, C) and targets (N,), as one fused operation. With label smoothing s
/// (Szegedy et al. 2016) the target distribution is (1 - s) onehot + s / C.
/// ShapeError where counts differ; ValueError for a target outside [0, C), smoothing outside [0, 1] and N = 0.
Variable cross_entropy(const Variable& logits, const IndexTensor& targets, CrossEntropyOptions options = {});

/// -x[target] for log probabilities x (N, C), such as log_softmax's. Errors are cross_entropy's.
Variable nll_loss(const Variable& log_probabilities, const IndexTensor& targets, Reduction reduction = Reduction::mean);

// Losses on d = x - target. ShapeError unless the shapes are equal: nothing broadcasts. ValueError for no elements.

Variable mse_loss(const Variable& x, const Variable& target, Reduction reduction = Reduction::mean);  ///< d^2
Variable l1_loss(const Variable& x, const Variable& target, Reduction reduction = Reduction::mean);   ///< |d|

struct HuberLossOptions {
  double delta = 1;
  Reduction reduction = Reduction::mean;
};
/// d^2 / 2 where |d| <= delta, delta (|d| - delta / 2) beyond: Huber 1964. ValueError unless delta is above 0 and
/// finite.
Variable huber_loss(const Variable& x, const Variable& target, HuberLossOptions options = {});

struct SmoothL1LossOptions {
  double beta = 1;
  Reduction reduction = Reduction::mean;
};
/// huber_loss with delta = beta, divided by beta: a slope of 1 beyond (Girshick 2015). For beta = 0 it is l1_loss.
/// ValueError unless beta is at least 0 and finite.
Variable smooth_l1_loss(const Variable& x, const Variable& target, SmoothL1LossOptions options = {});

/// -t log sigmoid(x) - (1 - t) log(1 - sigmoid(x)) for logits x and targets t in [0, 1], without overflow.
Variable binary_cross_entropy_with_logits(const Variable& x, const Variable& target,
                                          Reduction reduction = Reduction::mean);

}  // namespace xgrad::nn
