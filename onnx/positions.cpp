// Operators that read and write at positions.
#include <xgrad/autograd/ops.h>
#include <xgrad/onnx/operators.h>

#include <algorithm>

namespace xgrad::onnx {
namespace {

constexpr std::int64_t largest = std::int64_t{1} << 24;  // of what multiplies or adds to a size

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
  if (d == 0) return take_rows(x, from_the_begin(std::move(positions), x.shape()[0]));
  const auto [front, back] = around_rows(d, x.shape().size(), positions.dimension());
  return transpose(take_rows(transpose(x, front), from_the_begin(std::move(positions), x.shape()[d])), back);
}

namespace {

Variable sliced(const Node& n) {
  const Integers starts = n.integers(1), ends = n.integers(2, starts.size());
  const Integers axes = n.has(3) ? n.integers(3, starts.size()) : Integers();
  const Integers steps = n.has(4) ? n.integers(4, starts.size()) : Integers();
  if (std::count(steps.begin(), steps.end(), 0) > 0) throw ValueError("expected a step, got 0");
  Variable y = n[0];
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::ptrdiff_t axis = axes.empty() ? static_cast<std::ptrdiff_t>(i) : axes[i];
    y = slice(y, axis, {.begin = starts[i], .end = ends[i], .step = steps.empty() ? 1 : steps[i]});
  }
  return y;
}

Variable tile(const Node& n) {
  const Integers repeats = n.integers(1, n[0].shape().size());
  if (std::any_of(repeats.begin(), repeats.end(), [](std::int64_t r) { return r < 0 || r > largest; }))
    throw ValueError(message("expected repeats from 0 to ", largest));
  Variable y = n[0];
  for (std::size_t d = 0; d < repeats.size(); ++d) {
    const auto size = static_cast<std::ptrdiff_t>(y.shape()[d]);
    Integers positions(static_cast<std::size_t>(size * repeats[d]));
    for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = static_cast<std::ptrdiff_t>(i) % size;
    y = take(y, static_cast<std::ptrdiff_t>(d), row_of(positions));
  }
  return y;
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
  const Integers axes = n.has(3) ? n.integers(3) : axes_from(0, n[0].shape()), pads = n.integers(1, 2 * axes.size());
  if (std::any_of(pads.begin(), pads.end(), [](std::int64_t p) { return p < 0 || p > largest; }))
    throw ValueError(message("expected pads from 0 to ", largest));
  const bool filled = mode == "constant" && n.has(2) && !(is_number(n[2]) && n[2].item() == 0);
  Variable y = n[0], inside(filled ? ones(n[0].shape()) : zeros({}));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::ptrdiff_t before = pads[i], after = pads[i + axes.size()];
    if (before == 0 && after == 0) continue;
    Shape shape = y.shape();
    std::size_t& size = shape[checked_axis("Pad", axes[i], shape)];
    if (mode != "constant") {
      if (size == 0) throw ShapeError(message("expected pixels to repeat, got ", shape));
      Integers positions;
      for (std::ptrdiff_t at = -before; at < static_cast<std::ptrdiff_t>(size) + after; ++at)
        positions.push_back(source(mode, at, static_cast<std::ptrdiff_t>(size)));
      y = take(y, axes[i], row_of(positions));
      continue;
    }
    size += static_cast<std::size_t>(before + after);
    y = unslice(y, shape, axes[i], static_cast<std::size_t>(before));
    if (filled) inside = unslice(inside, shape, axes[i], static_cast<std::size_t>(before));
  }
  return filled ? where(inside, y, n[2]) : y;
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

// The axes of the batch and the named ones behind them as one, of which rows are taken.
Variable gather_nd(const Node& n) {
  const Shape &x = n[0].shape(), &at = n[1].shape();
  const auto batch = n.attribute<std::size_t>("batch_dims", 0);
  if (batch >= std::min(x.size(), at.size()) || at.back() == 0 || at.back() > x.size() - batch ||
      !std::equal(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(batch), x.begin()))
    throw ShapeError(message("expected positions of 1 to ", x.size() - std::min(batch, x.size()),
                             " numbers for each of ", batch, " axes of a batch, got ", at, " for ", x));
  const std::size_t named = at.back(), count = n[1].size() / named;
  const std::size_t batches = element_count(Shape(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(batch)));
  IndexTensor rows = IndexTensor::from_shape({count});
  const IndexTensor positions = index(n[1]);
  for (std::size_t i = 0; i < count; ++i) {
    rows(i) = static_cast<std::int64_t>(i / (count / batches));
    for (std::size_t d = 0; d < named; ++d) {
      const std::int64_t position = positions.data()[i * named + d], size = static_cast<std::int64_t>(x[batch + d]);
      if (position < -size || position >= size) throw ValueError(message("position ", position, " is outside ", size));
      rows(i) = rows(i) * size + (position < 0 ? position + size : position);
    }
  }
  const Shape rest(x.begin() + static_cast<std::ptrdiff_t>(batch + named), x.end());
  Shape flat = {n[0].size() / std::max<std::size_t>(element_count(rest), 1)}, result(at.begin(), at.end() - 1);
  flat.insert(flat.end(), rest.begin(), rest.end());
  result.insert(result.end(), rest.begin(), rest.end());
  return reshape(take_rows(reshape(n[0], flat), rows), result);
}

// Rows of the identity; a position outside of it reads the row of zeros behind.
Variable one_hot(const Node& n) {
  if (n.integer(1) < 1 || n.integer(1) > 1 << 15)
    throw ValueError(message("expected a depth from 1 to ", 1 << 15, ", got ", n.integer(1)));
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

// What the rows are taken by may come from the network's input: the graph has it, too.
Variable gathered(const Node& n) {
  const std::ptrdiff_t axis = n.attribute("axis", 0);
  if (checked_axis("Gather", axis, n[0].shape()) != 0 || !n[1].requires_grad()) return take(n[0], axis, index(n[1]));
  return take_rows(n[0], from_the_begin(index(n[1]), n[0].shape()[0]), {.positions = &n[1]});
}

}  // namespace

Operators position_operators() {
  return {
      {"Slice", sliced},
      {"Tile", tile},
      {"Pad", pad},
      {"Gather", gathered},
      {"GatherElements", gather_elements},
      {"GatherND", gather_nd},
      {"ScatterElements", scatter_elements},
      {"OneHot", one_hot},
  };
}

}  // namespace xgrad::onnx
