#include <xgrad/core/parallel.h>
#include <xgrad/optim/adafactor.h>
#include <xgrad/optim/matrices.h>
#include <xgrad/optim/ranges.h>

#include <vector>

namespace xgrad::optim {
namespace {

constexpr std::size_t least_per_thread = std::size_t{1} << 15;

// f(begin, end) for ranges of `count` lines, of `size` elements each, in threads.
template <class F>
void for_lines(std::size_t count, std::size_t size, F f) {
  parallel_for(count, least_per_thread / size + 1, f);
}

// The mean of each row's and each column's squares.
std::vector<double> row_squares(const Tensor& g) {
  const std::size_t columns = g.shape()[1];
  std::vector<double> result(g.shape()[0]);
  for_lines(result.size(), columns, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      result[i] = sum_of_squares({g.data() + i * columns, columns}) / static_cast<double>(columns);
  });
  return result;
}
std::vector<double> column_squares(const Tensor& g) {
  const std::size_t rows = g.shape()[0], columns = g.shape()[1];
  std::vector<double> result(columns);
  for_lines(columns, rows, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = begin; j < end; ++j)
        result[j] += double(g.data()[i * columns + j]) * double(g.data()[i * columns + j]);
    for (std::size_t j = begin; j < end; ++j) result[j] /= static_cast<double>(rows);
  });
  return result;
}

// Brings a moment forward, and gives what a gradient is multiplied by on account of it. The roots of rows and columns
// are taken one by one: their product would be 0 in float where both have never had a gradient.
std::vector<Scalar> inverse_roots(Scalar* moment, const std::vector<double>& squares, double kept, double eps,
                                  bool relative_to_mean) {
  double mean = 0;
  for (std::size_t i = 0; i < squares.size(); ++i) {
    moment[i] = Scalar(kept * double(moment[i]) + (1 - kept) * (squares[i] + eps));
    mean += double(moment[i]) / static_cast<double>(squares.size());
  }
  std::vector<Scalar> result;
  result.reserve(squares.size());
  for (std::size_t i = 0; i < squares.size(); ++i)
    result.push_back(Scalar(std::sqrt((relative_to_mean ? mean : 1) / double(moment[i]))));
  return result;
}

double root_mean_square(const Scalar* x, std::size_t size) {
  return std::sqrt(sum_of_squares({x, size}) / static_cast<double>(size));
}

}  // namespace

void AdafactorRule::check() const {
  check_positive(name(), "decay_rate", options.decay_rate);
  check_positive(name(), "clip", options.clip);
  check_positive(name(), "eps1", options.eps1);
  check_positive(name(), "eps2", options.eps2);
  check_below_one(name(), "beta1", options.beta1);
}

Slots AdafactorRule::slots() const {
  return {Slot("row_mean_sq", per_row), Slot("column_mean_sq", per_column), options.beta1 > 0 ? "exp_avg" : ""};
}

void AdafactorRule::update(const Elements& elements) const {
  const bool factored = elements.shape->size() > 1;
  const std::size_t columns = elements.width;
  const double kept = 1 - std::pow(elements.t, -options.decay_rate);
  Tensor u = gradient_matrix(elements);
  const std::vector<Scalar> rows = inverse_roots(elements.state[0], row_squares(u), kept, options.eps1, factored);
  std::vector<Scalar> across = {1};
  if (factored) across = inverse_roots(elements.state[1], column_squares(u), kept, options.eps1, false);
  for_lines(rows.size(), columns, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      for (std::size_t j = 0; j < columns; ++j) {  // one after the other: their product may be infinite
        Scalar& element = u.data()[i * columns + j];
        element = element * rows[i] * across[j];
      }
  });

  double clipped = 1 / std::max(1.0, root_mean_square(u.data(), u.size()) / options.clip);
  if (options.beta1 > 0) {
    blend(elements, 2, options.beta1, (1 - options.beta1) * clipped, u);
    u = state_matrix(elements, 2);
    clipped = 1;
  }
  const double size = double(elements.shrink) * root_mean_square(elements.theta, elements.size);
  const double alpha =
      options.relative ? std::max(options.eps2, size) * std::min(options.lr, 1 / std::sqrt(elements.t)) : options.lr;
  descend(elements, u, alpha * clipped);
}

}  // namespace xgrad::optim
