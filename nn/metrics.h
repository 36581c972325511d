// How good predictions are. A prediction is the class with the highest score, the first of equals.
#pragma once

#include <xgrad/autograd/variable.h>

namespace xgrad::nn {

// Both take scores (N, C), logits or probabilities alike, and targets (N,). A row with a NaN predicts nothing.
// ShapeError where counts differ; ValueError for a target outside [0, C) and for N = 0.

/// The share of right predictions, in [0, 1].
double accuracy(const Variable& scores, const IndexTensor& targets);

/// (C, C): how many samples of the class of the row were predicted as the class of the column.
IndexTensor confusion_matrix(const Variable& scores, const IndexTensor& targets);

}  // namespace xgrad::nn
