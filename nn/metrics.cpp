#include <xgrad/core/errors.h>
#include <xgrad/nn/metrics.h>
#include <xgrad/nn/targets.h>

#include <algorithm>
#include <cmath>

namespace xgrad::nn {
namespace {

// Calls f(target, prediction) for each row without NaN.
template <class F>
void for_each_prediction(const Variable& scores, const IndexTensor& targets, F f) {
  const std::size_t classes = scores.shape()[1];
  const Scalar* row = scores.value().data();
  for (std::size_t i = 0; i < targets.size(); ++i, row += classes) {
    if (std::any_of(row, row + classes, [](Scalar score) { return std::isnan(score); })) continue;
    f(static_cast<std::size_t>(targets.data()[i]),
      static_cast<std::size_t>(std::max_element(row, row + classes) - row));
  }
}

}  // namespace

double accuracy(const Variable& scores, const IndexTensor& targets) {
  detail::check_targets("accuracy", scores.shape(), targets);
  std::size_t right = 0;
  for_each_prediction(scores, targets,
                      [&](std::size_t target, std::size_t prediction) { right += target == prediction; });
  return static_cast<double>(right) / static_cast<double>(targets.size());
}

IndexTensor confusion_matrix(const Variable& scores, const IndexTensor& targets) {
  detail::check_targets("confusion_matrix", scores.shape(), targets);
  const std::size_t classes = scores.shape()[1];
  IndexTensor counts = IndexTensor::from_shape({classes, classes});
  counts.fill(0);
  for_each_prediction(scores, targets,
                      [&](std::size_t target, std::size_t prediction) { ++counts(target, prediction); });
  return counts;
}

double top_k_accuracy(const Variable& scores, const IndexTensor& targets, std::size_t k) {
  detail::check_targets("top_k_accuracy", scores.shape(), targets);
  const std::size_t classes = scores.shape()[1];
  if (k < 1 || k > classes) throw ValueError(message("[top_k_accuracy] expected k from 1 to ", classes, ", got ", k));
  std::size_t right = 0;
  const Scalar* row = scores.value().data();
  for (std::size_t i = 0; i < targets.size(); ++i, row += classes) {
    const auto target = static_cast<std::size_t>(targets.data()[i]);
    if (std::any_of(row, row + classes, [](Scalar score) { return std::isnan(score); })) continue;
    std::size_t before = 0;
    for (std::size_t j = 0; j < classes; ++j) before += row[j] > row[target] || (row[j] == row[target] && j < target);
    right += before < k;
  }
  return static_cast<double>(right) / static_cast<double>(targets.size());
}

std::vector<ClassMetrics> class_metrics(const IndexTensor& confusions) {
  const Shape shape(confusions.shape().begin(), confusions.shape().end());
  if (shape.size() != 2 || shape[0] != shape[1])
    throw ShapeError(message("[class_metrics] expected a confusion matrix (classes, classes), got ", shape));
  const auto share = [](double part, double whole) { return whole > 0 ? part / whole : 0; };
  std::vector<ClassMetrics> all;
  for (std::size_t c = 0; c < shape[0]; ++c) {
    std::int64_t of_class = 0, predicted = 0;
    for (std::size_t j = 0; j < shape[0]; ++j) of_class += confusions(c, j), predicted += confusions(j, c);
    const auto right = static_cast<double>(confusions(c, c));
    all.push_back({.precision = share(right, static_cast<double>(predicted)),
                   .recall = share(right, static_cast<double>(of_class)),
                   .f1 = share(2 * right, static_cast<double>(predicted + of_class)),
                   .support = of_class});
  }
  return all;
}

double macro_f1(const IndexTensor& confusions) {
  const std::vector<ClassMetrics> all = class_metrics(confusions);
  double sum = 0;
  for (const ClassMetrics& one : all) sum += one.f1;
  return all.empty() ? 0 : sum / static_cast<double>(all.size());
}

double roc_auc(const Variable& scores, const IndexTensor& targets) {
  const Shape& shape = scores.shape();
  if (shape.size() != 1 || targets.shape() != shape)
    throw ShapeError(message("[roc_auc] expected scores (samples,) and a target for each, got ", shape, " and ",
                             Shape(targets.shape().begin(), targets.shape().end())));
  std::vector<std::pair<Scalar, bool>> sorted;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Scalar score = scores.value().data()[i];
    if ((targets(i) != 0 && targets(i) != 1) || std::isnan(score))
      throw ValueError(message("[roc_auc] expected targets 0 and 1 and scores that are numbers, got the target ",
                               targets(i), " and the score ", score, " at position ", i));
    sorted.emplace_back(score, targets(i) == 1);
  }
  std::sort(sorted.begin(), sorted.end());
  double pairs = 0, below = 0, above = 0;  // samples of class 0 so far, of class 1 so far
  for (auto first = sorted.begin(); first != sorted.end();) {
    double zeros_here = 0, ones_here = 0;
    const auto begin = first;
    for (; first != sorted.end() && first->first == begin->first; ++first) ++(first->second ? ones_here : zeros_here);
    pairs += ones_here * (below + zeros_here / 2);
    below += zeros_here, above += ones_here;
  }
  if (below == 0 || above == 0)
    throw ValueError(message("[roc_auc] expected samples of both classes, got ", below, " of 0 and ", above, " of 1"));
  return pairs / (below * above);
}

}  // namespace xgrad::nn
