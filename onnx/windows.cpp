// Convolutions and poolings. The library's are for images: a node with one spatial axis has images of height 1.
#include <xgrad/autograd/ops.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/onnx/operators.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace xgrad::onnx {
namespace {

using Pair = std::array<std::ptrdiff_t, 2>;  // of the height, of the width

Size2d size2d(const Pair& pair) { return {pair[0], pair[1]}; }

// 1 for (batch, channels, length), 2 for images.
std::size_t spatial_rank(const Variable& x) {
  const Shape& shape = x.shape();
  if (shape.size() != 3 && shape.size() != 4)
    throw ShapeError(message("expected (batch, channels, length) or (batch, channels, height, width), got ", shape));
  return shape.size() - 2;
}

// (batch, channels, length) as (batch, channels, 1, length).
Variable as_images(const Variable& x) {
  if (spatial_rank(x) == 2) return x;
  return reshape(x, {x.shape()[0], x.shape()[1], 1, x.shape()[2]});
}

Variable with_rank_of(const Variable& x, const Variable& y) {
  if (x.shape().size() == 4) return y;
  Shape shape = y.shape();
  shape.erase(shape.begin() + 2);
  return reshape(y, shape);
}

// An attribute with a number for each spatial axis: at least what it is where it is left out.
Pair pair_of(const Node& n, const char* name, std::ptrdiff_t otherwise, std::size_t begin = 0) {
  const std::size_t rank = spatial_rank(n[0]);
  const std::size_t count = std::string_view(name) == "pads" ? 2 * rank : rank;
  const Integers numbers = n.attribute(name, Integers());
  if (numbers.empty()) return {otherwise, otherwise};
  const bool fits = std::all_of(numbers.begin(), numbers.end(),
                                [&](std::int64_t v) { return v >= otherwise && v <= std::int64_t{1} << 24; });
  if (numbers.size() != count || !fits)
    throw ValueError(message("expected ", name, " to be ", count, " numbers of at least ", otherwise, ", got ",
                             numbers.size(), fits ? "" : ", one of them out of range"));
  return {rank == 1 ? otherwise : numbers[begin * rank], numbers[begin * rank + rank - 1]};
}

struct Windows {
  Pair kernel, strides, dilations, before, after;  // what is before and after the image is padding
  Pair beyond = {0, 0};                            // room for a last window that ceil_mode lets begin in the image

  Windows(const Node& n, const Pair& kernel_shape)
      : kernel(kernel_shape), strides(pair_of(n, "strides", 1)), dilations(pair_of(n, "dilations", 1)) {
    const std::size_t rank = spatial_rank(n[0]);
    before = pair_of(n, "pads", 0), after = pair_of(n, "pads", 0, 1);
    for (std::size_t d = 2 - rank; d < 2; ++d) {
      const auto size = static_cast<std::ptrdiff_t>(n[0].shape()[d + rank]);
      const std::string auto_pad = n.attribute<std::string>("auto_pad", "NOTSET");
      if (auto_pad.starts_with("SAME")) {  // as many windows as strides begin in the image
        const std::ptrdiff_t count = (size + strides[d] - 1) / strides[d];
        const std::ptrdiff_t total = std::max<std::ptrdiff_t>((count - 1) * strides[d] + reach(d) - size, 0);
        before[d] = (auto_pad == "SAME_UPPER" ? total : total + 1) / 2, after[d] = total - before[d];
      }
      const std::ptrdiff_t left = (size + before[d] + after[d] - reach(d)) % strides[d];
      const std::ptrdiff_t next = size + before[d] + after[d] - reach(d) - left + strides[d];
      if (n.attribute("ceil_mode", 0) != 0 && left > 0 && next < size + before[d]) beyond[d] = strides[d] - left;
    }
  }

  std::ptrdiff_t reach(std::size_t d) const { return (kernel[d] - 1) * dilations[d] + 1; }
  bool padded() const { return before != Pair{} || after != Pair{} || beyond != Pair{}; }
  double cells() const { return static_cast<double>(kernel[0] * kernel[1]); }

  Variable with_padding(const Variable& images) const { return pad2d(images, size2d(before), size2d(after)); }
  Variable with_all(const Variable& images) const { return pad2d(with_padding(images), 0, size2d(beyond)); }
  Variable averages(const Variable& images) const {
    return avg_pool2d(images, size2d(kernel), {.stride = size2d(strides), .dilation = size2d(dilations)});
  }
};

Windows pooling_windows(const Node& n) { return Windows(n, pair_of(n, "kernel_shape", 1)); }

Variable ones_like(const Variable& images) { return Variable(ones({1, 1, images.shape()[2], images.shape()[3]})); }

// The padding that both sides have is the convolution's own, and pad2d adds what one side has more.
Variable convolution(const Node& n) {
  const Variable w = as_images(n[1]);
  const Windows windows(n, {static_cast<std::ptrdiff_t>(w.shape()[2]), static_cast<std::ptrdiff_t>(w.shape()[3])});
  Pair both, before, after;
  for (std::size_t d = 0; d < 2; ++d) {
    both[d] = std::min(windows.before[d], windows.after[d]);
    before[d] = windows.before[d] - both[d], after[d] = windows.after[d] - both[d];
  }
  const Variable x = pad2d(as_images(n[0]), size2d(before), size2d(after));
  return with_rank_of(n[0], conv2d(x, w, n.get(2),
                                   {.stride = size2d(windows.strides),
                                    .padding = size2d(both),
                                    .dilation = size2d(windows.dilations),
                                    .groups = n.attribute<std::ptrdiff_t>("group", 1)}));
}

// How much is cut off before and after a transposed convolution, which gives `whole` pixels without padding; below 0,
// how many zeros are added.
std::pair<Pair, Pair> cut(const Node& n, const Pair& whole, const Pair& strides) {
  const std::size_t rank = n[0].shape().size() - 2;
  Pair before = pair_of(n, "pads", 0), after = pair_of(n, "pads", 0, 1);
  const std::string auto_pad = n.attribute<std::string>("auto_pad", "NOTSET");
  Pair wanted = pair_of(n, "output_shape", 0);
  for (std::size_t d = 2 - rank; d < 2; ++d) {
    if (auto_pad.starts_with("SAME")) wanted[d] = static_cast<std::ptrdiff_t>(n[0].shape()[d + rank]) * strides[d];
    if (wanted[d] == 0) continue;
    const std::ptrdiff_t total = whole[d] - wanted[d];
    before[d] = (auto_pad == "SAME_UPPER" ? total : total + 1) / 2, after[d] = total - before[d];
  }
  return {before, after};
}

// The padding that both sides have is the library's own; what one side has more is sliced off, and what it has less
// than none is filled up.
Variable transposed_convolution(const Node& n) {
  const Variable x = as_images(n[0]), w = as_images(n[1]);
  const Pair strides = pair_of(n, "strides", 1), dilations = pair_of(n, "dilations", 1);
  const Pair extra = pair_of(n, "output_padding", 0);
  Pair whole, both, above{}, below{};
  for (std::size_t d = 0; d < 2; ++d) {
    const auto size = static_cast<std::ptrdiff_t>(x.shape()[2 + d]), k = static_cast<std::ptrdiff_t>(w.shape()[2 + d]);
    whole[d] = (size - 1) * strides[d] + (k - 1) * dilations[d] + 1 + extra[d];
  }
  const auto [before, after] = cut(n, whole, strides);
  for (std::size_t d = 0; d < 2; ++d) both[d] = std::max<std::ptrdiff_t>(std::min(before[d], after[d]), 0);
  Variable y = conv_transpose2d(x, w, n.get(2),
                                {.stride = size2d(strides),
                                 .padding = size2d(both),
                                 .output_padding = size2d(extra),
                                 .dilation = size2d(dilations),
                                 .groups = n.attribute<std::ptrdiff_t>("group", 1)});
  for (std::size_t d = 0; d < 2; ++d) {
    const auto cut_of = [&](std::ptrdiff_t side) { return std::max<std::ptrdiff_t>(side - both[d], 0); };
    const auto more_before = static_cast<std::size_t>(cut_of(before[d]));
    const auto more_after = static_cast<std::size_t>(cut_of(after[d]));
    if (more_before + more_after > 0)
      y = slice(y, static_cast<std::ptrdiff_t>(2 + d), more_before, y.shape()[2 + d] - more_after);
    above[d] = std::max<std::ptrdiff_t>(-before[d], 0), below[d] = std::max<std::ptrdiff_t>(-after[d], 0);
  }
  return with_rank_of(n[0], pad2d(y, size2d(above), size2d(below)));
}

// The library's own padding is at most half of the kernel; ONNX's may be more.
Variable max_pooling(const Node& n) {
  const Windows windows = pooling_windows(n);
  const Variable x = as_images(n[0]), nothing = constant(-std::numeric_limits<double>::infinity());
  const Variable padded = windows.padded() ? where(windows.with_all(ones_like(x)), windows.with_all(x), nothing) : x;
  return with_rank_of(n[0], max_pool2d(padded, size2d(windows.kernel),
                                       {.stride = size2d(windows.strides), .dilation = size2d(windows.dilations)}));
}

// The library's mean counts all cells: it is divided by the share of those that ONNX counts.
Variable average_pooling(const Node& n) {
  const Windows windows = pooling_windows(n);
  const Variable x = as_images(n[0]), pixels = ones_like(x);
  if (!windows.padded()) return with_rank_of(n[0], windows.averages(x));
  const Variable counted = n.attribute("count_include_pad", 0) != 0
                               ? pad2d(ones_like(windows.with_padding(pixels)), 0, size2d(windows.beyond))
                               : windows.with_all(pixels);
  return with_rank_of(n[0], windows.averages(windows.with_all(x)) / windows.averages(counted));
}

Variable lp_pooling(const Node& n) {
  const Windows windows = pooling_windows(n);
  const double p = n.attribute("p", 2.0);
  const Variable powers = pow(abs(windows.with_all(as_images(n[0]))), p);
  return with_rank_of(n[0], pow(windows.averages(powers) * windows.cells(), 1 / p));
}

}  // namespace

Operators window_operators() {
  return {
      {"Conv", convolution},
      {"ConvTranspose", transposed_convolution},
      {"MaxPool", max_pooling},
      {"AveragePool", average_pooling},
      {"LpPool", lp_pooling},
      {"GlobalMaxPool", [](const Node& n) { return max(n[0], axes_from(2, n[0].shape()), true); }},
      {"GlobalAveragePool", [](const Node& n) { return mean(n[0], axes_from(2, n[0].shape()), true); }},
  };
}

}  // namespace xgrad::onnx
