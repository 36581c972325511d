#include <xgrad/autograd/attributes.h>
#include <xgrad/autograd/indexing.h>
#include <xgrad/autograd/table.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/reduce.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace xgrad {
namespace {

// For each element of the index, the position in x that it names.
std::vector<std::size_t> positions(std::string_view operation, const Shape& x, std::ptrdiff_t axis,
                                   const IndexTensor& index) {
  const std::size_t d = checked_axis(operation, axis, x);
  const Shape shape(index.shape().begin(), index.shape().end());
  bool fits = shape.size() == x.size();
  for (std::size_t i = 0; fits && i < x.size(); ++i) fits = i == d || shape[i] <= x[i];
  if (!fits) throw ShapeError(message("[", operation, "] index ", shape, " does not fit ", x, " along axis ", axis));
  Strides strides = dense_strides(x);
  const std::size_t step = std::exchange(strides[d], 0);
  std::vector<std::size_t> result = strided_offsets(shape, strides);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t chosen = index.data()[i];
    if (chosen < 0 || chosen >= static_cast<std::int64_t>(x[d]))
      throw ValueError(message("[", operation, "] position ", chosen, " is outside axis ", axis, " of ", x));
    result[i] += static_cast<std::size_t>(chosen) * step;
  }
  return result;
}

// ValueError unless every index is that of a row.
std::vector<std::size_t> checked_rows(std::string_view operation, const IndexTensor& index, std::size_t count) {
  std::vector<std::size_t> rows;
  rows.reserve(index.size());
  for (const std::int64_t row : index) {
    if (row < 0 || row >= static_cast<std::int64_t>(count))
      throw ValueError(message("[", operation, "] row ", row, " is not one of ", count));
    rows.push_back(static_cast<std::size_t>(row));
  }
  return rows;
}

// The places of the index, those that name the same row one after the other, in order: a counting sort, unless there
// are far more rows than places.
std::vector<std::size_t> by_row(const std::vector<std::size_t>& rows, std::size_t count) {
  std::vector<std::size_t> order(rows.size());
  if (count > 16 * rows.size()) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return rows[a] < rows[b]; });
    return order;
  }
  std::vector<std::size_t> next(count + 1, 0);
  for (const std::size_t row : rows) ++next[row + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  for (std::size_t place = 0; place < rows.size(); ++place) order[next[rows[place]]++] = place;
  return order;
}

// For each row that the index names, add(row, sum), with the sum of the values at its places, `width` of them each. It
// is taken in double: a running sum in float of a row that is read a million times would be wrong in its second digit.
template <class Add>
void for_each_row_sum(const std::vector<std::size_t>& rows, std::size_t count, const Scalar* values, std::size_t width,
                      Add add) {
  const std::vector<std::size_t> order = by_row(rows, count);
  std::vector<double> sum(width);
  for (auto place = order.begin(); place != order.end();) {
    const std::size_t row = rows[*place];
    std::fill(sum.begin(), sum.end(), 0.0);
    for (; place != order.end() && rows[*place] == row; ++place)
      for (std::size_t i = 0; i < width; ++i) sum[i] += static_cast<double>(values[*place * width + i]);
    add(row, sum);
  }
}

void add_in_double(Scalar& to, double sum) { to = static_cast<Scalar>(static_cast<double>(to) + sum); }

void add_to_rows(RowGradient& to, const std::vector<std::size_t>& rows, std::size_t count, const Tensor& values) {
  const std::size_t width = values.size() / std::max<std::size_t>(rows.size(), 1);
  for_each_row_sum(rows, count, values.data(), width, [&to, width](std::size_t row, const auto& sum) {
    std::vector<Scalar>& total = to[row];
    total.resize(width);
    for (std::size_t i = 0; i < width; ++i) add_in_double(total[i], sum[i]);
  });
}

}  // namespace

Variable gather(const Variable& x, std::ptrdiff_t axis, const IndexTensor& index) {
  const std::vector<std::size_t> from = positions("gather", x.shape(), axis, index);
  Tensor value = uninitialized(Shape(index.shape().begin(), index.shape().end()), "gather");
  for (std::size_t i = 0; i < from.size(); ++i) value.data()[i] = x.value().data()[from[i]];
  const auto backward = [axis, index](const Variable& y, const Variable& g) {
    return std::vector{scatter_add(Variable(zeros(y.input(0).shape())), axis, index, g)};
  };
  return record("gather", std::move(value), {x}, backward, attributes("axis", axis, "indices", index));
}

Variable scatter_add(const Variable& x, std::ptrdiff_t axis, const IndexTensor& index, const Variable& values) {
  const std::vector<std::size_t> to = positions("scatter_add", x.shape(), axis, index);
  const Shape expected(index.shape().begin(), index.shape().end());
  if (values.shape() != expected)
    throw ShapeError(message("[scatter_add] values ", values.shape(), " do not match index ", expected));
  Tensor value = x.value();
  for_each_row_sum(to, value.size(), values.value().data(), 1,
                   [&](std::size_t position, const auto& sum) { add_in_double(value.data()[position], sum[0]); });
  const auto backward = [axis, index](const Variable& y, const Variable& g) {
    return std::vector{g, y.input(1).requires_grad() ? gather(g, axis, index) : Variable()};
  };
  return record("scatter_add", std::move(value), {x, values}, backward, attributes("axis", axis, "indices", index));
}

Variable take_rows(const Variable& x, const IndexTensor& index, TakeRowsOptions options) {
  if (x.shape().empty()) throw ShapeError("[take_rows] expected (rows, …), got ()");
  const std::vector<std::size_t> rows = checked_rows("take_rows", index, x.shape()[0]);
  Shape shape(index.shape().begin(), index.shape().end());
  shape.insert(shape.end(), x.shape().begin() + 1, x.shape().end());
  Tensor value = uninitialized(shape, "take_rows");
  const std::size_t width = value.size() / std::max<std::size_t>(index.size(), 1);
  Scalar* to = value.data();
  const Scalar* from = TableExtension::value_at_rows(x, index).data();
  for (const std::size_t row : rows) to = std::copy_n(from + row * width, width, to);
  const auto backward = [index, sparse = options.sparse_grad](const Variable& y, const Variable& g) {
    const Variable& table = y.input(0);
    const std::size_t count = table.shape()[0];
    if (!sparse || !is_filling_leaves() || !table.operation().empty())
      return std::vector{add_rows(g, index, count), Variable()};
    add_to_rows(TableExtension::of(table).mutable_rows(), checked_rows("take_rows", index, count), count, g.value());
    return std::vector<Variable>(2);
  };
  return record("take_rows", std::move(value), {x, options.positions ? *options.positions : Variable()}, backward,
                options.positions ? Attributes() : attributes("indices", index));
}

Variable add_rows(const Variable& rows, const IndexTensor& index, std::size_t count) {
  const Shape expected(index.shape().begin(), index.shape().end());
  if (rows.shape().size() < expected.size() || !std::equal(expected.begin(), expected.end(), rows.shape().begin()))
    throw ShapeError(message("[add_rows] rows ", rows.shape(), " do not match index ", expected));
  const std::vector<std::size_t> numbers = checked_rows("add_rows", index, count);
  Shape shape = {count};
  shape.insert(shape.end(), rows.shape().begin() + index.dimension(), rows.shape().end());
  Tensor value = zeros(shape, "add_rows");
  const std::size_t width = rows.size() / std::max<std::size_t>(index.size(), 1);
  for_each_row_sum(numbers, count, rows.value().data(), width, [&](std::size_t row, const auto& sum) {
    std::transform(sum.begin(), sum.end(), value.data() + row * width, [](double x) { return static_cast<Scalar>(x); });
  });
  return record("add_rows", std::move(value), {rows},
                [index](const Variable&, const Variable& g) { return std::vector{take_rows(g, index)}; });
}

}  // namespace xgrad
