// Operators on shapes and positions, and products of matrices.
#include <xgrad/autograd/ops.h>
#include <xgrad/core/broadcast.h>

#include <algorithm>
#include <numeric>

#include "onnx.h"

namespace xgrad::onnx {

Tensor tensor(const nlohmann::json& json) {
  const auto shape = json.at("shape").get<std::vector<std::size_t>>();
  Tensor result = Tensor::from_shape(Shape(shape.begin(), shape.end()));
  std::size_t i = 0;
  for (const auto& value : json.at("data"))  // JSON has no NaN and no infinity: they are texts
    result.data()[i++] = static_cast<Scalar>(value.is_string() ? std::stod(value.get<std::string>()) : double(value));
  return result;
}

Integers Node::integers(std::size_t input) const {
  if (!has(input)) return {};
  const Tensor& value = inputs[input].value();
  return Integers(value.begin(), value.end());
}

Integers axes_from(std::size_t first, const Shape& shape) {
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
  std::copy(x.value().begin(), x.value().end(), result.begin());
  return result;
}

namespace {

IndexTensor from_the_begin(IndexTensor positions, std::size_t size) {
  for (std::int64_t& position : positions)
    if (position < 0) position += static_cast<std::int64_t>(size);
  return positions;
}

IndexTensor row_of(const Integers& positions) {
  IndexTensor result = IndexTensor::from_shape({positions.size()});
  std::copy(positions.begin(), positions.end(), result.begin());
  return result;
}

Shape shape_of(const Integers& sizes) { return Shape(sizes.begin(), sizes.end()); }

// The axis in front, take_rows, and the axes of the positions back to where the axis was.
std::pair<Integers, Integers> around_rows(std::size_t axis, std::size_t rank, std::size_t added) {
  Integers front{static_cast<std::ptrdiff_t>(axis)}, back;
  for (std::size_t d = 0; d < rank; ++d)
    if (d != axis) front.push_back(static_cast<std::ptrdiff_t>(d));
  for (std::size_t d = 0; d < axis; ++d) back.push_back(static_cast<std::ptrdiff_t>(added + d));
  for (std::size_t d = 0; d < added; ++d) back.push_back(static_cast<std::ptrdiff_t>(d));
  for (std::size_t d = axis; d + 1 < rank; ++d) back.push_back(static_cast<std::ptrdiff_t>(added + d));
  return {front, back};
}

}  // namespace

Variable take(const Variable& x, std::ptrdiff_t axis, IndexTensor positions) {
  const std::size_t d = checked_axis("Gather", axis, x.shape());
  const auto [front, back] = around_rows(d, x.shape().size(), positions.dimension());
  return transpose(take_rows(transpose(x, front), from_the_begin(std::move(positions), x.shape()[d])), back);
}

namespace {

Variable reshaped(const Node& n) {
  Integers sizes = n.integers(1);
  const Shape& from = n[0].shape();
  for (std::size_t d = 0; d < sizes.size(); ++d)
    if (sizes[d] == 0 && n.attribute("allowzero", 0) == 0) sizes[d] = static_cast<std::ptrdiff_t>(from[d]);
  const auto open = std::find(sizes.begin(), sizes.end(), -1);
  if (open != sizes.end()) {
    *open = 1;
    *open = static_cast<std::ptrdiff_t>(n[0].size() / element_count(shape_of(sizes)));
  }
  return reshape(n[0], shape_of(sizes));
}

Variable flatten(const Node& n) {
  const std::ptrdiff_t axis = n.attribute("axis", 1);
  const Shape& shape = n[0].shape();
  const std::size_t d = static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::ptrdiff_t>(shape.size()) : axis);
  const std::size_t rows = element_count(Shape(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(d)));
  return reshape(n[0], {rows, n[0].size() / rows});
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
    const std::size_t count = n.attributes.at("num_outputs");
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

Variable sliced(const Node& n) {
  const Integers starts = n.integers(1), ends = n.integers(2), axes = n.integers(3), steps = n.integers(4);
  Variable y = n[0];
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::ptrdiff_t axis = axes.empty() ? static_cast<std::ptrdiff_t>(i) : axes[i];
    const std::ptrdiff_t step = steps.empty() ? 1 : steps[i];
    const auto size = static_cast<std::ptrdiff_t>(y.shape()[checked_axis("Slice", axis, y.shape())]);
    const std::ptrdiff_t low = step > 0 ? 0 : -1;
    const auto limited = [&](std::ptrdiff_t v) { return std::clamp(v < 0 ? v + size : v, low, size + low); };
    const std::ptrdiff_t begin = limited(starts[i]), end = limited(ends[i]);
    Integers positions;
    for (std::ptrdiff_t at = begin; step > 0 ? at < end : at > end; at += step) positions.push_back(at);
    y = step == 1 ? slice(y, axis, static_cast<std::size_t>(begin), static_cast<std::size_t>(std::max(begin, end)))
                  : take(y, axis, row_of(positions));
  }
  return y;
}

Variable tile(const Node& n) {
  const Integers repeats = n.integers(1);
  Variable y = n[0];
  for (std::size_t d = 0; d < repeats.size(); ++d) {
    const auto size = static_cast<std::ptrdiff_t>(y.shape()[d]);
    Integers positions(static_cast<std::size_t>(size * repeats[d]));
    for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = static_cast<std::ptrdiff_t>(i) % size;
    y = take(y, static_cast<std::ptrdiff_t>(d), row_of(positions));
  }
  return y;
}

Variable triangle(const Node& n) {
  const std::ptrdiff_t k = n.has(1) ? n.integer(1) : 0;
  const bool upper = n.attribute("upper", 1) != 0;
  const Shape& shape = n[0].shape();
  const std::size_t rows = shape[shape.size() - 2], columns = shape.back();
  Tensor kept = Tensor::from_shape({rows, columns});
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) {
      const std::ptrdiff_t above = static_cast<std::ptrdiff_t>(j) - static_cast<std::ptrdiff_t>(i) - k;
      kept(i, j) = upper ? above >= 0 : above <= 0;
    }
  return where(Variable(kept), n[0], constant(0));
}

// Where a position behind an edge reads from: the pixel there, its mirror image, or the other side.
std::ptrdiff_t source(const std::string& mode, std::ptrdiff_t at, std::ptrdiff_t size) {
  if (mode == "edge") return std::clamp<std::ptrdiff_t>(at, 0, size - 1);
  if (mode == "wrap") return (at % size + size) % size;
  const std::ptrdiff_t period = std::max<std::ptrdiff_t>(2 * (size - 1), 1), phase = (at % period + period) % period;
  return std::min(phase, period - phase);
}

Variable pad(const Node& n) {
  const std::string mode = n.attribute<std::string>("mode", "constant");
  const Integers pads = n.integers(1), axes = n.has(3) ? n.integers(3) : axes_from(0, n[0].shape());
  Variable y = n[0], inside(ones(n[0].shape()));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::ptrdiff_t before = pads[i], after = pads[i + axes.size()];
    Shape shape = y.shape();
    std::size_t& size = shape[checked_axis("Pad", axes[i], shape)];
    Integers positions;
    for (std::ptrdiff_t at = -before; at < static_cast<std::ptrdiff_t>(size) + after; ++at)
      positions.push_back(source(mode, at, static_cast<std::ptrdiff_t>(size)));
    size = positions.size();
    const auto begin = static_cast<std::size_t>(before);
    y = mode == "constant" ? unslice(y, shape, axes[i], begin) : take(y, axes[i], row_of(positions));
    if (mode == "constant") inside = unslice(inside, shape, axes[i], begin);
  }
  return mode == "constant" && n.has(2) ? where(inside, y, n[2]) : y;
}

Variable depth_to_space(const Node& n) {
  const std::size_t s = n.attributes.at("blocksize");
  const Shape& x = n[0].shape();  // (batch, channels, height, width)
  const std::size_t channels = x[1] / (s * s);
  const Shape result = {x[0], channels, x[2] * s, x[3] * s};
  if (n.attribute<std::string>("mode", "DCR") == "DCR")
    return reshape(transpose(reshape(n[0], {x[0], s, s, channels, x[2], x[3]}), {0, 3, 4, 1, 5, 2}), result);
  return reshape(transpose(reshape(n[0], {x[0], channels, s, s, x[2], x[3]}), {0, 1, 4, 2, 5, 3}), result);
}

Variable space_to_depth(const Node& n) {
  const std::size_t s = n.attributes.at("blocksize");
  const Shape& x = n[0].shape();
  const Variable blocks = reshape(n[0], {x[0], x[1], x[2] / s, s, x[3] / s, s});
  return reshape(transpose(blocks, {0, 3, 5, 1, 2, 4}), {x[0], x[1] * s * s, x[2] / s, x[3] / s});
}

IndexTensor positions_along(const Node& n, std::ptrdiff_t axis) {
  return from_the_begin(index(n[1]), n[0].shape()[checked_axis("Gather", axis, n[0].shape())]);
}

Variable gather_elements(const Node& n) {
  const std::ptrdiff_t axis = n.attribute("axis", 0);
  return gather(n[0], axis, positions_along(n, axis));
}

Variable scatter_elements(const Node& n) {
  const std::ptrdiff_t axis = n.attribute("axis", 0);
  const IndexTensor positions = positions_along(n, axis);
  if (n.attribute<std::string>("reduction", "none") == "add") return scatter_add(n[0], axis, positions, n[2]);
  const Variable nothing(zeros(n[0].shape()));
  const Variable written = scatter_add(nothing, axis, positions, Variable(ones(n[2].shape())));
  return where(written, scatter_add(nothing, axis, positions, n[2]), n[0]);
}

// The named leading axes as one, of which rows are taken.
Variable gather_nd(const Node& n) {
  const Shape &x = n[0].shape(), &at = n[1].shape();
  const std::size_t named = at.back(), count = n[1].size() / named;
  IndexTensor rows = IndexTensor::from_shape({count});
  const IndexTensor positions = index(n[1]);
  for (std::size_t i = 0; i < count; ++i) {
    rows(i) = 0;
    for (std::size_t d = 0; d < named; ++d) {
      const std::int64_t position = positions.data()[i * named + d], size = static_cast<std::int64_t>(x[d]);
      rows(i) = rows(i) * size + (position < 0 ? position + size : position);
    }
  }
  const Shape rest(x.begin() + static_cast<std::ptrdiff_t>(named), x.end());
  Shape flat = {n[0].size() / element_count(rest)}, result(at.begin(), at.end() - 1);
  flat.insert(flat.end(), rest.begin(), rest.end());
  result.insert(result.end(), rest.begin(), rest.end());
  return reshape(take_rows(reshape(n[0], flat), rows), result);
}

// Rows of the identity; a position outside of it reads the row of zeros behind.
Variable one_hot(const Node& n) {
  const auto depth = static_cast<std::size_t>(n.integer(1));
  Tensor identity = zeros({depth + 1, depth});
  for (std::size_t d = 0; d < depth; ++d) identity(d, d) = 1;
  IndexTensor positions = from_the_begin(index(n[0]), depth);
  for (std::int64_t& position : positions)
    if (position < 0 || position > n.integer(1)) position = n.integer(1);
  const Variable hot = take_rows(Variable(identity), positions);
  Integers order = axes_from(0, hot.shape());
  const std::size_t axis = checked_axis("OneHot", n.attribute("axis", -1), hot.shape());
  std::rotate(order.begin() + static_cast<std::ptrdiff_t>(axis), order.end() - 1, order.end());
  const Variable off = slice(n[2], 0, 0, 1), on = slice(n[2], 0, 1, 2);
  return where(transpose(hot, order), on, off);
}

// A vector is a row on the left and a column on the right.
Variable matrix_product(const Node& n) {
  const bool row = n[0].shape().size() == 1, column = n[1].shape().size() == 1;
  const Variable a = row ? reshape(n[0], {1, n[0].size()}) : n[0];
  const Variable y = matmul(a, column ? reshape(n[1], {n[1].size(), 1}) : n[1]);
  Shape shape = y.shape();
  if (column) shape.pop_back();
  if (row) shape.erase(shape.end() - (column ? 1 : 2));
  return reshape(y, shape);
}

Variable gemm(const Node& n) {
  const MatmulOptions options = {.transpose_a = n.attribute("transA", 0) != 0,
                                 .transpose_b = n.attribute("transB", 0) != 0};
  const Variable y = n.attribute("alpha", 1.0) * matmul(n[0], n[1], options);
  return n.has(2) ? y + n.attribute("beta", 1.0) * n[2] : y;
}

}  // namespace

Operators shape_operators() {
  return {
      {"Constant", [](const Node& n) { return Variable(tensor(n.attributes.at("value"))); }},
      {"ConstantOfShape",
       [](const Node& n) { return broadcast_to(constant(n.attribute("value", 0.0)), shape_of(n.integers(0))); }},
      {"Reshape", reshaped},
      {"Flatten", flatten},
      {"Squeeze", squeeze},
      {"Unsqueeze", unsqueeze},
      {"Expand", expand},
      {"Transpose", [](const Node& n) { return transpose(n[0], n.attribute("perm", Integers())); }},
      {"Concat", [](const Node& n) { return concatenate(n.inputs, n.attributes.at("axis")); }},
      {"Split", split},
      {"Slice", sliced},
      {"Tile", tile},
      {"Trilu", triangle},
      {"Pad", pad},
      {"DepthToSpace", depth_to_space},
      {"SpaceToDepth", space_to_depth},
      {"Gather", [](const Node& n) { return take(n[0], n.attribute("axis", 0), index(n[1])); }},
      {"GatherElements", gather_elements},
      {"GatherND", gather_nd},
      {"ScatterElements", scatter_elements},
      {"OneHot", one_hot},
      {"MatMul", matrix_product},
      {"Gemm", gemm},
  };
}

}  // namespace xgrad::onnx
