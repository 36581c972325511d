#include <xgrad/core/errors.h>
#include <xgrad/datasets/standardizer.h>

#include <algorithm>
#include <cmath>

namespace xgrad::datasets {

Standardizer::Standardizer(const Tensor& training) {
  if (training.dimension() != 2)
    throw ShapeError(message("[Standardizer] expected (rows, columns), got ", training.shape()));
  const std::size_t rows = training.shape()[0], columns = training.shape()[1];
  if (rows == 0) throw ValueError("[Standardizer] expected one row or more, got none");
  mean_ = Tensor::from_shape({columns}), deviation_ = Tensor::from_shape({columns});
  for (std::size_t column = 0; column < columns; ++column) {
    double count = 0, sum = 0, squares = 0, least = 0, most = 0;
    const auto for_each_value = [&](auto f) {
      for (std::size_t row = 0; row < rows; ++row)
        if (const auto value = static_cast<double>(training(row, column)); !std::isnan(value)) f(value);
    };
    for_each_value([&](double value) {
      least = count == 0 ? value : std::min(least, value), most = count == 0 ? value : std::max(most, value);
      ++count, sum += value;
    });
    if (count == 0 || !std::isfinite(sum))
      throw ValueError(message("[Standardizer] column ", column, ": expected finite values, got ",
                               count == 0 ? "none" : "an infinite one"));
    const double mean = least == most ? least : sum / count;  // without what rounding would make of equal values
    for_each_value([&](double value) { squares += (value - mean) * (value - mean); });
    mean_(column) = static_cast<Scalar>(mean);
    deviation_(column) = static_cast<Scalar>(std::sqrt(squares / count));
  }
}

template <class F>
Tensor Standardizer::map(const Tensor& x, F f) const {
  const std::size_t columns = mean_.size();
  if (x.dimension() != 2 || x.shape()[1] != columns)
    throw ShapeError(message("[Standardizer] expected (rows, ", columns, "), got ", x.shape()));
  Tensor result = x;
  for (std::size_t i = 0; i < x.size(); ++i)
    result.data()[i] = f(x.data()[i], mean_(i % columns), deviation_(i % columns));
  return result;
}

Tensor Standardizer::operator()(const Tensor& x) const {
  return map(x, [](Scalar value, Scalar mean, Scalar deviation) {
    return std::isnan(value) || deviation == 0 ? Scalar(0) : (value - mean) / deviation;
  });
}

Tensor Standardizer::restored(const Tensor& x) const {
  return map(x, [](Scalar value, Scalar mean, Scalar deviation) { return value * deviation + mean; });
}

}  // namespace xgrad::datasets
