#include <xgrad/autograd/reductions.h>
#include <xgrad/autograd/shapes.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>

#include <algorithm>

namespace xgrad {

Variable reshape(const Variable& x, const Shape& shape) {
  if (element_count(shape, "reshape") != x.size())
    throw ShapeError(
        message("[reshape] ", x.shape(), " has ", x.size(), " elements, ", shape, " has ", element_count(shape)));
  Tensor value = x.value();
  value.reshape(shape);
  return record("reshape", std::move(value), {x},
                [](const Variable& y, const Variable& g) { return std::vector{reshape(g, y.input(0).shape())}; });
}

Variable transpose(const Variable& x, const std::vector<std::ptrdiff_t>& axes) {
  const std::size_t rank = x.shape().size();
  std::vector<std::ptrdiff_t> order = axes;
  if (order.empty())
    for (std::size_t d = rank; d-- > 0;) order.push_back(static_cast<std::ptrdiff_t>(d));
  if (order.size() != rank)
    throw ShapeError(message("[transpose] expected ", rank, " axes for the shape ", x.shape(), ", got ", order.size()));
  const Strides dense = dense_strides(x.shape());
  Shape shape(rank);
  Strides strides(rank);
  std::vector<std::ptrdiff_t> inverse(rank, -1);
  for (std::size_t d = 0; d < rank; ++d) {
    const std::size_t from = checked_axis("transpose", order[d], x.shape());
    if (inverse[from] != -1)
      throw ShapeError(message("[transpose] axis ", order[d], " is named twice for the shape ", x.shape()));
    inverse[from] = static_cast<std::ptrdiff_t>(d);
    shape[d] = x.shape()[from], strides[d] = dense[from];
  }
  return record("transpose", gather_strided(x.value(), 0, shape, strides), {x},
                [inverse](const Variable&, const Variable& g) { return std::vector{transpose(g, inverse)}; });
}

Variable broadcast_to(const Variable& x, const Shape& shape) {
  return record("broadcast_to", broadcast_to(x.value(), shape), {x},
                [](const Variable& y, const Variable& g) { return std::vector{sum_to(g, y.input(0).shape())}; });
}

Variable slice(const Variable& x, std::ptrdiff_t axis, std::size_t begin, std::size_t end) {
  const std::size_t d = checked_axis("slice", axis, x.shape());
  if (begin > end || end > x.shape()[d])
    throw ShapeError(
        message("[slice] [", begin, ", ", end, ") is not a range of axis ", axis, " of the shape ", x.shape()));
  Shape shape = x.shape();
  shape[d] = end - begin;
  const Strides strides = dense_strides(x.shape());
  // The stride of a dimension of size 1 is 0, and so may be its only begin.
  return record("slice", gather_strided(x.value(), begin * strides[d], shape, strides), {x},
                [axis, begin](const Variable& y, const Variable& g) {
                  return std::vector{unslice(g, y.input(0).shape(), axis, begin)};
                });
}

Variable unslice(const Variable& x, const Shape& shape, std::ptrdiff_t axis, std::size_t begin) {
  const std::size_t d = checked_axis("unslice", axis, shape);
  Shape expected = shape;
  if (x.shape().size() == shape.size()) expected[d] = x.shape()[d];
  if (x.shape() != expected || begin > shape[d] || expected[d] > shape[d] - begin)
    throw ShapeError(message("[unslice] ", x.shape(), " does not fit into ", shape, " at ", begin, " of axis ", axis));
  Tensor value = zeros(shape, "unslice");
  const Strides strides = dense_strides(shape);
  scatter_strided(x.value(), value, begin * strides[d], strides);
  return record("unslice", std::move(value), {x}, [axis, begin, d](const Variable& y, const Variable& g) {
    return std::vector{slice(g, axis, begin, begin + y.input(0).shape()[d])};
  });
}

namespace {

// Parts [first, last) of x, of which part i begins at begins[i] - begins[first] along the axis. Halves of halves: each
// gradient of a part is then added to zeros of its half's size, and not, for all parts, to zeros of the whole.
void cut(const Variable& x, std::ptrdiff_t axis, const std::vector<std::size_t>& begins, std::size_t first,
         std::size_t last, std::vector<Variable>& parts) {
  if (last - first == 1) {
    parts.push_back(x);
    return;
  }
  const std::size_t middle = first + (last - first) / 2, at = begins[middle] - begins[first];
  cut(slice(x, axis, 0, at), axis, begins, first, middle, parts);
  cut(slice(x, axis, at, begins[last] - begins[first]), axis, begins, middle, last, parts);
}

}  // namespace

std::vector<Variable> split(const Variable& x, const std::vector<std::size_t>& sizes, std::ptrdiff_t axis) {
  const std::size_t d = checked_axis("split", axis, x.shape());
  std::vector<std::size_t> begins = {0};
  for (const std::size_t size : sizes) {
    if (size > x.shape()[d] - begins.back()) break;
    begins.push_back(begins.back() + size);
  }
  if (begins.size() != sizes.size() + 1 || begins.back() != x.shape()[d])
    throw ShapeError(
        message("[split] the ", sizes.size(), " sizes do not add up to axis ", axis, " of the shape ", x.shape()));
  std::vector<Variable> parts;
  if (!sizes.empty()) cut(x, axis, begins, 0, sizes.size(), parts);
  return parts;
}

std::vector<Variable> unbind(const Variable& x, std::ptrdiff_t axis) {
  const std::size_t d = checked_axis("unbind", axis, x.shape());
  Shape shape = x.shape();
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(d));
  std::vector<Variable> parts = split(x, std::vector<std::size_t>(x.shape()[d], 1), axis);
  for (Variable& part : parts) part = reshape(part, shape);
  return parts;
}

Variable concatenate(const std::vector<Variable>& inputs, std::ptrdiff_t axis) {
  if (inputs.empty()) throw ValueError("[concatenate] expected at least one input");
  Shape shape = inputs[0].shape();
  const std::size_t d = checked_axis("concatenate", axis, shape);
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    Shape expected = inputs[0].shape();
    if (inputs[i].shape().size() == expected.size()) expected[d] = inputs[i].shape()[d];
    if (inputs[i].shape() != expected)
      throw ShapeError(message("[concatenate] input ", i, " ", inputs[i].shape(), " does not match input 0 ",
                               inputs[0].shape(), " outside axis ", axis));
    shape[d] += expected[d];
  }
  Tensor value = uninitialized(shape, "concatenate");
  const Strides strides = dense_strides(shape);
  std::size_t begin = 0;
  for (const Variable& input : inputs) {
    scatter_strided(input.value(), value, begin * strides[d], strides);
    begin += input.shape()[d];
  }
  return record("concatenate", std::move(value), inputs, [axis, d](const Variable& y, const Variable& g) {
    std::vector<Variable> gradients;
    std::size_t from = 0;
    for (const Variable& input : y.inputs()) {
      const std::size_t size = input.shape()[d];
      gradients.push_back(input.requires_grad() ? slice(g, axis, from, from + size) : Variable());
      from += size;
    }
    return gradients;
  });
}

Variable stack(const std::vector<Variable>& inputs, std::ptrdiff_t axis) {
  if (inputs.empty()) throw ValueError("[stack] expected at least one input");
  Shape expanded = inputs[0].shape();
  expanded.push_back(1);
  const std::size_t d = checked_axis("stack", axis, expanded);
  std::rotate(expanded.begin() + static_cast<std::ptrdiff_t>(d), expanded.end() - 1, expanded.end());
  std::vector<Variable> rows;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].shape() != inputs[0].shape())
      throw ShapeError(
          message("[stack] input ", i, " ", inputs[i].shape(), " differs from input 0 ", inputs[0].shape()));
    rows.push_back(reshape(inputs[i], expanded));
  }
  return concatenate(rows, static_cast<std::ptrdiff_t>(d));
}

}  // namespace xgrad
