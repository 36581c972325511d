// Operators on shapes and positions, and products of matrices.
#include <xgrad/autograd/ops.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/onnx/operators.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace xgrad::onnx {

namespace {

// Beyond this many, positions mean "to the end".
constexpr double farthest = 0x1p62;

std::int64_t whole(Scalar number) {
  const auto value = static_cast<double>(number);
  if (!(value == std::trunc(value))) throw ValueError(message("expected a whole number, got ", value));
  return static_cast<std::int64_t>(std::clamp(value, -farthest, farthest));
}

}  // namespace

const Variable& Node::operator[](std::size_t input) const {
  if (!has(input)) throw ValueError(message("expected an input ", input, ", got ", inputs.size(), " inputs"));
  return inputs[input];
}

Integers Node::integers(std::size_t input) const {
  Integers result;
  if (has(input))
    for (const Scalar number : inputs[input].value()) result.push_back(whole(number));
  return result;
}

Integers Node::integers(std::size_t input, std::size_t count) const {
  const Integers result = integers(input);
  if (result.size() != count)
    throw ValueError(message("expected ", count, " whole numbers as input ", input, ", got ", result.size()));
  return result;
}

Integers axes_from(std::size_t first, const Shape& shape) {
  if (first > shape.size()) throw ShapeError(message("expected ", first, " dimensions or more, got ", shape));
  Integers axes(shape.size() - first);
  std::iota(axes.begin(), axes.end(), static_cast<std::ptrdiff_t>(first));
  return axes;
}

Variable per_channel(const Variable& v, const Variable& x) {
  Shape shape(x.shape().size() - 1, 1);
  shape[0] = v.size();
  return reshape(v, shape);
}

Variable swap_axes(const Variable& x, std::ptrdiff_t a, std::ptrdiff_t b) {
  Integers order = axes_from(0, x.shape());
  std::swap(order[checked_axis("swap_axes", a, x.shape())], order[checked_axis("swap_axes", b, x.shape())]);
  return transpose(x, order);
}

IndexTensor index(const Variable& x) {
  IndexTensor result = IndexTensor::from_shape({x.shape().begin(), x.shape().end()});
  std::transform(x.value().begin(), x.value().end(), result.begin(), whole);
  return result;
}

Shape shape_of(const Integers& sizes) {
  if (std::any_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size < 0; }))
    throw ValueError("expected a shape, got a negative size");
  return Shape(sizes.begin(), sizes.end());
}

namespace {

Variable reshaped(const Node& n) {
  Integers sizes = n.integers(1);
  const Shape& from = n[0].shape();
  for (std::size_t d = 0; d < sizes.size(); ++d)
    if (sizes[d] == 0 && d < from.size() && n.attribute("allowzero", 0) == 0)
      sizes[d] = static_cast<std::ptrdiff_t>(from[d]);
  const auto open = std::find(sizes.begin(), sizes.end(), -1);
  if (open != sizes.end()) {
    *open = 1;
    const std::size_t known = element_count(shape_of(sizes));
    *open = static_cast<std::ptrdiff_t>(known == 0 ? 0 : n[0].size() / known);
  }
  return reshape(n[0], shape_of(sizes));
}

Variable flatten(const Node& n) {
  const std::ptrdiff_t axis = n.attribute("axis", 1);
  const Shape& shape = n[0].shape();
  const std::size_t d = static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::ptrdiff_t>(shape.size()) : axis);
  if (d > shape.size()) throw ShapeError(message("axis ", axis, " is not one of ", shape));
  const std::size_t rows = element_count(Shape(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(d)));
  return reshape(n[0], {rows, element_count(Shape(shape.begin() + static_cast<std::ptrdiff_t>(d), shape.end()))});
}

Variable squeeze(const Node& n) {
  const Shape& shape = n[0].shape();
  const std::vector<bool> named = Axes(n.integers(1)).mask("Squeeze", shape);
  Shape left;
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (!named[d] || shape[d] != 1) left.push_back(shape[d]);
  return reshape(n[0], left);
}

Variable unsqueeze(const Node& n) {
  const Integers axes = n.integers(1);
  Shape shape(n[0].shape().size() + axes.size(), 1);
  const std::vector<bool> added = Axes(axes).mask("Unsqueeze", shape);
  std::size_t from = 0;
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (!added[d]) shape[d] = n[0].shape()[from++];
  return reshape(n[0], shape);
}

Variable expand(const Node& n) {
  return broadcast_to(n[0], broadcast_shapes("Expand", n[0].shape(), shape_of(n.integers(1))));
}

Outputs split(const Node& n) {
  const std::ptrdiff_t axis = n.attribute("axis", 0);
  const std::size_t size = n[0].shape()[checked_axis("Split", axis, n[0].shape())];
  Integers sizes = n.integers(1);
  if (sizes.empty()) {  // equal parts; what is left for the last one may be less
    const std::size_t count = n.attribute("num_outputs", n.outputs);
    if (count != n.outputs || count == 0) throw ValueError(message("expected ", n.outputs, " parts, got ", count));
    sizes.assign(count, static_cast<std::ptrdiff_t>((size + count - 1) / count));
  }
  std::vector<Variable> parts;
  std::size_t begin = 0;
  for (const std::ptrdiff_t part : sizes) {
    const std::size_t end = std::min(begin + static_cast<std::size_t>(part), size);
    parts.push_back(slice(n[0], axis, begin, end));
    begin = end;
  }
  return parts;
}

Variable triangle(const Node& n) {
  const std::ptrdiff_t k = n.has(1) ? n.integer(1) : 0;
  return n.attribute("upper", 1) != 0 ? triu(n[0], k) : tril(n[0], k);
}

std::size_t block_size(const Node& n) {
  const auto size = n.attribute<std::int64_t>("blocksize");
  if (size < 1 || size > 1 << 15 || n[0].shape().size() != 4)
    throw ShapeError(message("expected images (batch, channels, height, width) and blocks, got ", n[0].shape(),
                             " and blocks of ", size));
  return static_cast<std::size_t>(size);
}

Variable depth_to_space(const Node& n) {
  const std::size_t s = block_size(n);
  const Shape& x = n[0].shape();  // (batch, channels, height, width)
  const std::size_t channels = x[1] / (s * s);
  const Shape result = {x[0], channels, x[2] * s, x[3] * s};
  if (n.attribute<std::string>("mode", "DCR") == "DCR")
    return reshape(transpose(reshape(n[0], {x[0], s, s, channels, x[2], x[3]}), {0, 3, 4, 1, 5, 2}), result);
  return reshape(transpose(reshape(n[0], {x[0], channels, s, s, x[2], x[3]}), {0, 1, 4, 2, 5, 3}), result);
}

Variable space_to_depth(const Node& n) {
  const std::size_t s = block_size(n);
  const Shape& x = n[0].shape();
  const Variable blocks = reshape(n[0], {x[0], x[1], x[2] / s, s, x[3] / s, s});
  return reshape(transpose(blocks, {0, 3, 5, 1, 2, 4}), {x[0], x[1] * s * s, x[2] / s, x[3] / s});
}

// A vector is a row on the left and a column on the right.
Variable matrix_product(const Node& n) {
  const bool row = n[0].shape().size() == 1, column = n[1].shape().size() == 1;
  const Variable a = row ? reshape(n[0], {1, n[0].size()}) : n[0];
  const Variable y = matmul(a, column ? reshape(n[1], {n[1].size(), 1}) : n[1]);
  Shape shape = y.shape();
  if (column) shape.pop_back();
  if (row) shape.erase(shape.end() - (column ? 1 : 2));
  return row || column ? reshape(y, shape) : y;
}

Variable gemm(const Node& n) {
  const MatmulOptions options = {.transpose_a = n.attribute("transA", 0) != 0,
                                 .transpose_b = n.attribute("transB", 0) != 0};
  const double alpha = n.attribute("alpha", 1.0), beta = n.attribute("beta", 1.0);
  if (n[0].shape().size() != 2 || n[1].shape().size() != 2)
    throw ShapeError(message("expected two matrices, got ", n[0].shape(), " and ", n[1].shape()));
  if (n.has(2) && alpha == 1 && beta == 1 && !options.transpose_a && options.transpose_b &&
      n[2].shape() == Shape{n[1].shape()[0]})
    return linear(n[0], n[1], n[2]);
  const Variable product = matmul(n[0], n[1], options), y = alpha == 1 ? product : alpha * product;
  return !n.has(2) ? y : y + (beta == 1 ? n[2] : beta * n[2]);
}

// A tensor, or a number or several.
Variable constant_of(const Node& n) {
  if (n.attributes.contains("value")) return Variable(n.attribute<Tensor>("value"));
  if (n.attributes.contains("value_float")) return constant(n.attribute<double>("value_float"));
  if (n.attributes.contains("value_int")) return constant(n.attribute<double>("value_int"));
  std::vector<double> numbers;
  if (n.attributes.contains("value_ints")) {
    const auto integers = n.attribute<Integers>("value_ints");
    numbers.assign(integers.begin(), integers.end());
  } else {
    numbers = n.attribute<std::vector<double>>("value_floats");
  }
  Tensor value = Tensor::from_shape({numbers.size()});
  std::transform(numbers.begin(), numbers.end(), value.begin(), [](double v) { return static_cast<Scalar>(v); });
  return Variable(std::move(value));
}

Variable constant_of_shape(const Node& n) {
  const Tensor value = n.attribute("value", zeros({1}));
  if (value.size() != 1) throw ValueError(message("expected one value, got ", value.size()));
  return broadcast_to(constant(static_cast<double>(value.data()[0])), shape_of(n.integers(0)));
}

// The sizes [start, end) of a shape.
Variable shape_operator(const Node& n) {
  const Shape& shape = n[0].shape();
  const auto rank = static_cast<std::int64_t>(shape.size());
  const auto limited = [&](std::int64_t v) { return std::clamp<std::int64_t>(v < 0 ? v + rank : v, 0, rank); };
  const std::int64_t begin = limited(n.attribute("start", std::int64_t{0})), end = limited(n.attribute("end", rank));
  Tensor sizes = Tensor::from_shape({static_cast<std::size_t>(std::max<std::int64_t>(end - begin, 0))});
  for (std::size_t d = 0; d < sizes.size(); ++d)
    sizes.data()[d] = static_cast<Scalar>(shape[static_cast<std::size_t>(begin) + d]);
  return Variable(std::move(sizes));
}

// All numbers are Scalars here. To be made whole they lose what is behind the point, and to be made true or false all
// that is not 0 is 1.
Variable cast(const Node& n) {
  enum { float32 = 1, boolean = 9, float16 = 10, float64 = 11, bfloat16 = 16 };
  const auto type = n.attribute<std::int64_t>("to");
  if (type == float16 || type == bfloat16) throw ValueError("expected numbers of 32 or 64 bits, got 16");
  if (type == float32 || type == float64) return n[0];
  const Tensor value = map_elements(
      n[0].value(), [&](Scalar v) { return type == boolean ? static_cast<Scalar>(v != 0) : std::trunc(v); });
  return value == n[0].value() ? n[0] : Variable(value);
}

}  // namespace

Operators shape_operators() {
  return {
      {"Constant", constant_of},
      {"ConstantOfShape", constant_of_shape},
      {"Shape", shape_operator},
      {"Cast", cast},
      {"Reshape", reshaped},
      {"Flatten", flatten},
      {"Squeeze", squeeze},
      {"Unsqueeze", unsqueeze},
      {"Expand", expand},
      {"Transpose", [](const Node& n) { return transpose(n[0], n.attribute("perm", Integers())); }},
      {"Concat", [](const Node& n) { return concatenate(n.inputs, n.attribute<std::ptrdiff_t>("axis")); }},
      {"Split", split},
      {"Trilu", triangle},
      {"DepthToSpace", depth_to_space},
      {"SpaceToDepth", space_to_depth},
      {"MatMul", matrix_product},
      {"Gemm", gemm},
  };
}

}  // namespace xgrad::onnx
