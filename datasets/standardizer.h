// Inputs on one scale.
#pragma once

#include <xgrad/core/tensor.h>

namespace xgrad::datasets {

/// Each column of (rows, columns) less its mean, divided by its standard deviation (with n in the denominator). Both
/// come from the training part alone, so that nothing of the test part reaches the model. NaN, which stands for a
/// missing value, is left out of both, and becomes 0, the mean.
class Standardizer {
 public:
  /// ShapeError unless it is (rows, columns); ValueError for no rows, an infinite value, and a column without any
  /// value. A column whose values are all equal becomes 0.
  explicit Standardizer(const Tensor& training);

  /// Of (rows, columns): ShapeError for another number of columns.
  Tensor operator()(const Tensor& x) const;
  /// The inverse of operator(), but for what was missing.
  Tensor restored(const Tensor& x) const;

  const Tensor& mean() const { return mean_; }            ///< (columns,)
  const Tensor& deviation() const { return deviation_; }  ///< (columns,)

 private:
  template <class F>
  Tensor map(const Tensor& x, F f) const;

  Tensor mean_, deviation_;
};

}  // namespace xgrad::datasets
