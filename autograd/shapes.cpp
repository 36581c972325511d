#include <xgrad/autograd/arithmetic.h>
#include <xgrad/autograd/attributes.h>
#include <xgrad/autograd/reductions.h>
#include <xgrad/autograd/shapes.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>

#include <algorithm>
#include <array>

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

Variable reshape(const Variable& x, std::initializer_list<ReshapeSize> sizes) {
  Shape shape;
  std::size_t inferred = sizes.size();
  for (const ReshapeSize size : sizes) {
    const bool infer = size.negative && size.value == static_cast<std::size_t>(-1);
    if (size.negative && (!infer || inferred < sizes.size()))
      throw ShapeError(message("[reshape] expected sizes of 0 or more and at most one -1, got ",
                               infer ? "another -1" : std::to_string(static_cast<std::ptrdiff_t>(size.value))));
    if (infer) inferred = shape.size();
    shape.push_back(infer ? 1 : size.value);
  }
  const std::size_t known = element_count(shape, "reshape");
  if (inferred < sizes.size()) {
    if (known == 0 || x.size() % known != 0)
      throw ShapeError(message("[reshape] ", x.shape(), " has ", x.size(), " elements, which ", known,
                               " of the other sizes do not divide"));
    shape[inferred] = x.size() / known;
  }
  return reshape(x, shape);
}

Variable transpose(const Variable& x, const std::vector<std::ptrdiff_t>& axes) {
  const std::size_t rank = x.shape().size();
  std::vector<std::ptrdiff_t> order = axes;
  if (order.empty())
    for (std::size_t d = rank; d-- > 0;) order.push_back(static_cast<std::ptrdiff_t>(d));
  if (order.size() != rank)
    throw ShapeError(message("[transpose] expected ", rank, " axes for the shape ", x.shape(), ", got ", order.size()));
  const Strides dense = dense_strides(x.shape());
  Shape shape(rank), from(rank);
  Strides strides(rank);
  std::vector<std::ptrdiff_t> inverse(rank, -1);
  for (std::size_t d = 0; d < rank; ++d) {
    from[d] = checked_axis("transpose", order[d], x.shape());
    if (inverse[from[d]] != -1)
      throw ShapeError(message("[transpose] axis ", order[d], " is named twice for the shape ", x.shape()));
    inverse[from[d]] = static_cast<std::ptrdiff_t>(d);
    shape[d] = x.shape()[from[d]], strides[d] = dense[from[d]];
  }
  return record(
      "transpose", gather_strided(x.value(), 0, shape, strides), {x},
      [inverse](const Variable&, const Variable& g) { return std::vector{transpose(g, inverse)}; },
      attributes("perm", from));
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
  return record(
      "slice", gather_strided(x.value(), begin * strides[d], shape, strides), {x},
      [axis, begin](const Variable& y, const Variable& g) {
        return std::vector{unslice(g, y.input(0).shape(), axis, begin)};
      },
      attributes("axes", d, "starts", begin, "ends", end));
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
  const auto backward = [axis, begin, d](const Variable& y, const Variable& g) {
    return std::vector{slice(g, axis, begin, begin + y.input(0).shape()[d])};
  };
  return record("unslice", std::move(value), {x}, backward,
                attributes("axes", d, "pads", std::array{begin, shape[d] - begin - expected[d]}));
}

namespace {

// `count` positions of dimension d, from `begin` on, `step` apart.
struct Steps {
  std::size_t d;
  std::ptrdiff_t begin, step;
  std::size_t count;
};

// apply(position in the whole, position in the part, elements) for each run of elements that lie side by side.
template <class Apply>
void for_each_run(const Shape& whole, const Steps& steps, Apply apply) {
  const auto axis = whole.begin() + static_cast<std::ptrdiff_t>(steps.d);
  const std::size_t outer = element_count(Shape(whole.begin(), axis)),
                    inner = element_count(Shape(axis + 1, whole.end()));
  for (std::size_t o = 0; o < outer; ++o)
    for (std::size_t i = 0; i < steps.count; ++i) {
      const std::ptrdiff_t position = steps.begin + static_cast<std::ptrdiff_t>(i) * steps.step;
      apply((o * *axis + static_cast<std::size_t>(position)) * inner, (o * steps.count + i) * inner, inner);
    }
}

// Those positions of x; and the transpose of that, into zeros of the shape `whole`. Each differentiates to the other.
Variable put_steps(const Variable& x, const Shape& whole, const Steps& steps);

Variable take_steps(const Variable& x, const Steps& steps) {
  Shape shape = x.shape();
  shape[steps.d] = steps.count;
  Tensor value = Tensor::from_shape(shape);
  for_each_run(x.shape(), steps, [&](std::size_t whole, std::size_t part, std::size_t size) {
    std::copy_n(x.value().data() + whole, size, value.data() + part);
  });
  const auto backward = [steps](const Variable& y, const Variable& g) {
    return std::vector{put_steps(g, y.input(0).shape(), steps)};
  };
  const std::ptrdiff_t end =
      steps.begin + static_cast<std::ptrdiff_t>(steps.count - 1) * steps.step + (steps.step > 0 ? 1 : -1);
  return record("slice", std::move(value), {x}, backward,
                attributes("axes", steps.d, "starts", steps.begin, "ends", end, "steps", steps.step));
}

Variable put_steps(const Variable& x, const Shape& whole_shape, const Steps& steps) {
  Tensor value = zeros(whole_shape);
  for_each_run(whole_shape, steps, [&](std::size_t whole, std::size_t part, std::size_t size) {
    std::copy_n(x.value().data() + part, size, value.data() + whole);
  });
  return record("unslice", std::move(value), {x},
                [steps](const Variable&, const Variable& g) { return std::vector{take_steps(g, steps)}; });
}

Variable triangle(std::string_view operation, const Variable& x, std::ptrdiff_t diagonal, bool below) {
  const Shape& shape = x.shape();
  if (shape.size() < 2) throw ShapeError(message("[", operation, "] expected two dimensions or more, got ", shape));
  const std::size_t rows = shape[shape.size() - 2], columns = shape.back();
  Tensor inside = Tensor::from_shape({rows, columns});
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) {
      const std::ptrdiff_t k = static_cast<std::ptrdiff_t>(j) - static_cast<std::ptrdiff_t>(i);
      inside(i, j) = Scalar(below ? k <= diagonal : k >= diagonal);
    }
  return where(Variable(std::move(inside)), x, Variable(zeros({})));
}

}  // namespace

Variable slice(const Variable& x, std::ptrdiff_t axis, Range range) {
  const std::size_t d = checked_axis("slice", axis, x.shape());
  const auto size = static_cast<std::ptrdiff_t>(x.shape()[d]), step = range.step;
  if (step == 0) throw ValueError("[slice] expected a step other than 0");
  // Positions between which the walk stays: it begins at `low` or above and ends before `high`, or the other way round.
  const std::ptrdiff_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
  const auto position = [&](std::optional<std::ptrdiff_t> asked, std::ptrdiff_t otherwise) {
    return asked ? std::clamp(*asked < 0 ? *asked + size : *asked, low, high) : otherwise;
  };
  const std::ptrdiff_t begin = position(range.begin, step > 0 ? low : high),
                       end = position(range.end, step > 0 ? high : low);
  const std::ptrdiff_t distance = step > 0 ? end - begin : begin - end;
  // Written so that no step overflows, the most negative number among them.
  const std::size_t length = step > 0 ? static_cast<std::size_t>(step) : -static_cast<std::size_t>(step);
  const std::size_t count = distance <= 0 ? 0 : (static_cast<std::size_t>(distance) - 1) / length + 1;
  if (step == 1 || count == 0)
    return slice(x, axis, count == 0 ? 0 : static_cast<std::size_t>(begin),
                 count == 0 ? 0 : static_cast<std::size_t>(end));
  return take_steps(x, {d, begin, step, count});
}

Variable Variable::operator[](std::ptrdiff_t index) const {
  const Shape& whole = shape();
  if (whole.empty()) throw ShapeError("[slice] expected one dimension or more, got ()");
  const auto size = static_cast<std::ptrdiff_t>(whole[0]);
  if (index < -size || index >= size)
    throw ValueError(message("[slice] expected an index from ", -size, " to below ", size, ", got ", index));
  const auto at = static_cast<std::size_t>(index < 0 ? index + size : index);
  return reshape(slice(*this, 0, at, at + 1), Shape(whole.begin() + 1, whole.end()));
}

Variable tril(const Variable& x, std::ptrdiff_t diagonal) { return triangle("tril", x, diagonal, true); }
Variable triu(const Variable& x, std::ptrdiff_t diagonal) { return triangle("triu", x, diagonal, false); }

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
  const auto backward = [axis, d](const Variable& y, const Variable& g) {
    std::vector<Variable> gradients;
    std::size_t from = 0;
    for (const Variable& input : y.inputs()) {
      const std::size_t size = input.shape()[d];
      gradients.push_back(input.requires_grad() ? slice(g, axis, from, from + size) : Variable());
      from += size;
    }
    return gradients;
  };
  return record("concatenate", std::move(value), inputs, backward, attributes("axis", d));
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
