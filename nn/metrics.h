// How good predictions are. A prediction is the class with the highest score, the first of equals.
#pragma once

#include <xgrad/autograd/variable.h>

namespace xgrad::nn {

// All but the last take scores (N, C), logits or probabilities alike, and targets (N,). A row with a NaN predicts
// nothing. ShapeError where counts differ; ValueError for a target outside [0, C) and for N = 0.

/// The share of right predictions, in [0, 1].
double accuracy(const Variable& scores, const IndexTensor& targets);

/// The share of samples whose target is among the k classes with the highest scores, the first of equals. ValueError
/// unless k is from 1 to C.
double top_k_accuracy(const Variable& scores, const IndexTensor& targets, std::size_t k);

/// (C, C): how many samples of the class of the row were predicted as the class of the column.
IndexTensor confusion_matrix(const Variable& scores, const IndexTensor& targets);

/// How good predictions of one class are. A share of nothing is 0.
struct ClassMetrics {
  double precision;      ///< of the samples predicted as the class, the share that are of it
  double recall;         ///< of the samples of the class, the share predicted as it
  double f1;             ///< their harmonic mean
  std::int64_t support;  ///< samples of the class
};
/// For each class of a confusion_matrix(), which may be a sum of those of batches. ShapeError unless it is (C, C).
std::vector<ClassMetrics> class_metrics(const IndexTensor& confusions);
/// The mean of f1 over the classes.
double macro_f1(const IndexTensor& confusions);

/// The area under the curve of true against false positives (ROC) for scores (N,) of the class 1 and targets (N,) of 0
/// and 1: the probability that a sample of class 1 has a higher score than one of class 0, where an equal one counts
/// half (Hanley & McNeil 1982). ShapeError where counts differ; ValueError for other targets, a NaN, and where one of
/// the classes is missing.
double roc_auc(const Variable& scores, const IndexTensor& targets);

}  // namespace xgrad::nn
