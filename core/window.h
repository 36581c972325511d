// Windows that slide over images.
#pragma once

#include <cstddef>
#include <string_view>

namespace xgrad {

/// A number for both directions, or {height, width}.
struct Size2d {
  constexpr Size2d(std::ptrdiff_t both) : height(both), width(both) {}
  constexpr Size2d(std::ptrdiff_t rows, std::ptrdiff_t columns) : height(rows), width(columns) {}
  bool operator==(const Size2d&) const = default;

  std::ptrdiff_t height, width;
};

/// One direction of a sliding window: position q reads in[q stride + i dilation - padding] for i < kernel.
struct WindowAxis {
  std::size_t in, out, kernel, stride, padding, dilation;
};

struct WindowOptions {
  Size2d kernel, stride = 1, padding = 0, dilation = 1;
};

struct WindowAxes {
  WindowAxis height, width;
};

/// Both directions of a window over images of this size. In the name of `operation`, ValueError for a kernel, stride or
/// dilation below 1 or a negative padding, and ShapeError for a kernel that is larger than the padded image.
WindowAxes slide(std::string_view operation, std::size_t height, std::size_t width, const WindowOptions& options);

}  // namespace xgrad
