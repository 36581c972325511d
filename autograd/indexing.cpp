#include <xgrad/autograd/indexing.h>
#include <xgrad/autograd/node.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/reduce.h>

#include <algorithm>
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
void check_rows(std::string_view operation, const IndexTensor& index, std::size_t count) {
  for (const std::int64_t row : index)
    if (row < 0 || row >= static_cast<std::int64_t>(count))
      throw ValueError(message("[", operation, "] row ", row, " is not one of ", count));
}

}  // namespace

Variable gather(const Variable& x, std::ptrdiff_t axis, const IndexTensor& index) {
  const std::vector<std::size_t> from = positions("gather", x.shape(), axis, index);
  Tensor value = Tensor::from_shape(Shape(index.shape().begin(), index.shape().end()));
  for (std::size_t i = 0; i < from.size(); ++i) value.data()[i] = x.value().data()[from[i]];
  return record("gather", std::move(value), {x}, [axis, index](const Variable& y, const Variable& g) {
    return std::vector{scatter_add(Variable(zeros(y.input(0).shape())), axis, index, g)};
  });
}

Variable scatter_add(const Variable& x, std::ptrdiff_t axis, const IndexTensor& index, const Variable& values) {
  const std::vector<std::size_t> to = positions("scatter_add", x.shape(), axis, index);
  const Shape expected(index.shape().begin(), index.shape().end());
  if (values.shape() != expected)
    throw ShapeError(message("[scatter_add] values ", values.shape(), " do not match index ", expected));
  Tensor value = x.value();
  for (std::size_t i = 0; i < to.size(); ++i) value.data()[to[i]] += values.value().data()[i];
  return record("scatter_add", std::move(value), {x, values}, [axis, index](const Variable& y, const Variable& g) {
    return std::vector{g, y.input(1).requires_grad() ? gather(g, axis, index) : Variable()};
  });
}

Variable take_rows(const Variable& x, const IndexTensor& index, TakeRowsOptions options) {
  if (x.shape().empty()) throw ShapeError("[take_rows] expected (rows, …), got ()");
  check_rows("take_rows", index, x.shape()[0]);
  Shape shape(index.shape().begin(), index.shape().end());
  shape.insert(shape.end(), x.shape().begin() + 1, x.shape().end());
  Tensor value = Tensor::from_shape(shape);
  const std::size_t width = value.size() / std::max<std::size_t>(index.size(), 1);
  Scalar* to = value.data();
  const Scalar* from = x.value_at_rows(index).data();
  for (const std::int64_t row : index) to = std::copy_n(from + static_cast<std::size_t>(row) * width, width, to);
  const auto shared = std::make_shared<const IndexTensor>(index);
  const Variable result = record("take_rows", std::move(value), {x}, [shared](const Variable& y, const Variable& g) {
    return std::vector{add_rows(g, *shared, y.input(0).shape()[0])};
  });
  if (options.sparse_grad) result.node()->rows_read = shared;
  return result;
}

Variable add_rows(const Variable& rows, const IndexTensor& index, std::size_t count) {
  const Shape expected(index.shape().begin(), index.shape().end());
  if (rows.shape().size() < expected.size() || !std::equal(expected.begin(), expected.end(), rows.shape().begin()))
    throw ShapeError(message("[add_rows] rows ", rows.shape(), " do not match index ", expected));
  check_rows("add_rows", index, count);
  Shape shape = {count};
  shape.insert(shape.end(), rows.shape().begin() + index.dimension(), rows.shape().end());
  Tensor value = zeros(shape);
  const std::size_t width = rows.size() / std::max<std::size_t>(index.size(), 1);
  const Scalar* from = rows.value().data();
  for (const std::int64_t row : index)
    for (std::size_t i = 0; i < width; ++i) value.data()[static_cast<std::size_t>(row) * width + i] += *from++;
  return record("add_rows", std::move(value), {rows},
                [index](const Variable&, const Variable& g) { return std::vector{take_rows(g, index)}; });
}

void Node::add_rows_to_grad(const IndexTensor& index, const Tensor& rows) {
  if (!row_grad) row_grad = std::make_unique<RowGradient>();
  row_grad_copied = false;
  const Scalar* from = rows.data();
  for (const std::int64_t row : index) {
    std::vector<Scalar>& sum = (*row_grad)[static_cast<std::size_t>(row)];
    sum.resize(rows.size() / index.size());
    for (Scalar& element : sum) element += *from++;
  }
}

bool Node::row_grad_fits() const {
  const std::size_t count = value.dimension() == 0 ? 0 : value.shape()[0];
  return std::all_of(row_grad->begin(), row_grad->end(),
                     [&](const auto& row) { return row.first < count && row.second.size() * count == value.size(); });
}

Tensor& Node::dense_grad(bool look) {
  if (!row_grad) return *grad;
  if (!row_grad_fits() || (grad && grad->shape() != value.shape()))
    throw ShapeError(message("[grad] expected rows of a gradient of ", value.shape(), ", got those of another shape"));
  if (grad) {
    for (const auto& [row, sum] : *row_grad)
      for (std::size_t i = 0; i < sum.size(); ++i) grad->data()[row * sum.size() + i] += sum[i];
  } else {
    if (!row_grad_copy || row_grad_copy->shape() != value.shape())
      row_grad_copy = std::make_unique<Tensor>(zeros(value.shape())), row_grad_copied = false;
    if (!std::exchange(row_grad_copied, true))
      for (const auto& [row, sum] : *row_grad)
        std::copy(sum.begin(), sum.end(), row_grad_copy->data() + row * sum.size());
    if (look) return *row_grad_copy;
    grad = std::move(row_grad_copy);
  }
  row_grad.reset();
  return *grad;
}

}  // namespace xgrad
