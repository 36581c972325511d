#include <xgrad/core/errors.h>
#include <xgrad/core/window.h>

namespace xgrad {
namespace {

constexpr std::ptrdiff_t largest = std::ptrdiff_t{1} << 31;

std::size_t checked(std::string_view operation, std::string_view name, std::ptrdiff_t value, std::ptrdiff_t least) {
  if (value < least || value > largest)
    throw ValueError(message("[", operation, "] expected a ", name, " of ", least, " or more, got ", value));
  return static_cast<std::size_t>(value);
}

WindowAxis axis(std::string_view operation, std::string_view direction, std::size_t in, std::ptrdiff_t kernel,
                std::ptrdiff_t stride, std::ptrdiff_t padding, std::ptrdiff_t dilation) {
  WindowAxis a{in,
               0,
               checked(operation, "kernel", kernel, 1),
               checked(operation, "stride", stride, 1),
               checked(operation, "padding", padding, 0),
               checked(operation, "dilation", dilation, 1)};
  const std::size_t padded = in + 2 * a.padding, extent = (a.kernel - 1) * a.dilation + 1;
  if (extent > padded)
    throw ShapeError(message("[", operation, "] the kernel covers ", extent, " pixels of the ", direction,
                             ", and the padded image has ", padded));
  a.out = (padded - extent) / a.stride + 1;
  return a;
}

}  // namespace

WindowAxes slide(std::string_view operation, std::size_t height, std::size_t width, const WindowOptions& o) {
  return {axis(operation, "height", height, o.kernel.height, o.stride.height, o.padding.height, o.dilation.height),
          axis(operation, "width", width, o.kernel.width, o.stride.width, o.padding.width, o.dilation.width)};
}

}  // namespace xgrad
