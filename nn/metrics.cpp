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

}  // namespace xgrad::nn
