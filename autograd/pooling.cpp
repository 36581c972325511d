#include <xgrad/autograd/arithmetic.h>
#include <xgrad/autograd/attributes.h>
#include <xgrad/autograd/convolution.h>
#include <xgrad/autograd/pooling.h>
#include <xgrad/autograd/reductions.h>
#include <xgrad/autograd/shapes.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/simd.h>

#include <array>
#include <memory>

namespace xgrad {
namespace {

constexpr std::ptrdiff_t largest_padding = std::ptrdiff_t{1} << 31;
constexpr std::size_t pixels_a_thread = 1 << 14;  // pixels that are worth a thread

using Positions = std::shared_ptr<const std::vector<std::uint32_t>>;  // in its image plane, for each output pixel

// The planes of x at these positions, and the transpose of that. Each differentiates to the other.
Variable pick(const Variable& x, const Shape& shape, const Positions& positions);
Variable put(const Variable& dy, const Shape& shape, const Positions& positions);

std::size_t plane(const Shape& shape) { return shape[2] * shape[3]; }

Variable pick(const Variable& x, const Shape& shape, const Positions& positions) {
  Tensor value = Tensor::from_shape(shape);
  const std::size_t from = plane(x.shape()), to = plane(shape);
  for (std::size_t i = 0; i < value.size(); ++i) value.data()[i] = x.value().data()[i / to * from + (*positions)[i]];
  return record("max_pool2d_pick", std::move(value), {x}, [positions](const Variable& y, const Variable& dy) {
    return std::vector{put(dy, y.input(0).shape(), positions)};
  });
}

Variable put(const Variable& dy, const Shape& shape, const Positions& positions) {
  Tensor value = Tensor::from_shape(shape);
  const std::size_t from = plane(dy.shape()), to = plane(shape);
  parallel_for(shape[0] * shape[1], pixels_a_thread / to + 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t p = begin; p < end; ++p) {
      const Scalar* in = dy.value().data() + p * from;
      const std::uint32_t* at = positions->data() + p * from;
      Scalar* out = value.data() + p * to;
      std::fill_n(out, to, Scalar(0));  // here, where it stays in this processor's cache
      for (std::size_t i = 0; i < from; ++i) out[at[i]] += in[i];
    }
  });
  return record("max_pool2d_put", std::move(value), {dy}, [positions](const Variable& y, const Variable& dx) {
    return std::vector{pick(dx, y.input(0).shape(), positions)};
  });
}

// Every stride-th number from here on; reads stride * register_size of them.
template <std::size_t stride>
Register load_every(const Scalar* from, std::size_t) {
#ifdef XGRAD_HAS_XSIMD
  if constexpr (stride == 2) return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return Register(__builtin_shufflevector(load(from).data, load(from + register_size).data, (2 * I)...));
    }
  (std::make_index_sequence<register_size>());
#endif
  return load(from);
}
template <>
Register load_every<0>(const Scalar* from, std::size_t stride) {
  Scalar picked[register_size];
  for (std::size_t i = 0; i < register_size; ++i) picked[i] = from[i * stride];
  return load(picked);
}

// The maxima of the windows of one plane, and where they are in it. Reads up to slack() numbers beyond the plane.
template <std::size_t stride>
void max_plane(const WindowAxes& axes, const Scalar* in, Scalar* y, std::uint32_t* positions) {
  const WindowAxis &h = axes.height, &w = axes.width;
  for (std::size_t r = 0; r < h.out; ++r)
    for (std::size_t q = 0; q < w.out; q += register_size) {
      const std::size_t corner = r * h.stride * w.in + q * w.stride, some = std::min(register_size, w.out - q);
      Register best = load_every<stride>(in + corner, w.stride), offset(Scalar(0));
      for (std::size_t i = 0; i < h.kernel; ++i)
        for (std::size_t j = 0; j < w.kernel; ++j) {
          const std::size_t at = i * h.dilation * w.in + j * w.dilation;
          const Register pixel = load_every<stride>(in + corner + at, w.stride);
          const auto better = pixel > best || isnan(pixel);
          best = select(better, pixel, best);
          offset = select(better, Register(static_cast<Scalar>(at)), offset);
        }
      store_some(best, y + r * w.out + q, some);
      Scalar offsets[register_size];
      store(offset, offsets);
      for (std::size_t l = 0; l < some; ++l)
        positions[r * w.out + q + l] =
            static_cast<std::uint32_t>(corner + l * w.stride + static_cast<std::size_t>(offsets[l]));
    }
}

std::size_t slack(const WindowAxes& axes) {
  return (register_size + 1) * axes.width.stride + axes.width.kernel * axes.width.dilation;
}

void max_planes(const WindowAxes& axes, const Tensor& x, Tensor& y, std::vector<std::uint32_t>& positions) {
  const auto run = axes.width.stride == 1 ? max_plane<1> : axes.width.stride == 2 ? max_plane<2> : max_plane<0>;
  const std::size_t from = axes.height.in * axes.width.in, to = axes.height.out * axes.width.out;
  parallel_for(x.size() / from, pixels_a_thread / from + 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t p = begin; p < end; ++p) {
      const Scalar* in = x.data() + p * from;
      Tensor copy;
      if ((p + 1) * from + slack(axes) > x.size()) {
        copy = zeros({from + slack(axes)});
        std::copy_n(in, from, copy.data());
        in = copy.data();
      }
      run(axes, in, y.data() + p * to, positions.data() + p * to);
    }
  });
}

Size2d stride_of(Size2d kernel, const PoolOptions& options) {
  return options.stride == kernel_sized ? kernel : options.stride;
}

// The axes of images x, which are (batch, channels, height, width).
WindowAxes pool_axes(std::string_view operation, const Shape& x, Size2d kernel, const PoolOptions& options) {
  if (x.size() != 4 || x[1] * x[2] * x[3] == 0)
    throw ShapeError(message("[", operation, "] expected images (batch, channels, height, width), got ", x));
  const WindowAxes axes =
      slide(operation, x[2], x[3], {kernel, stride_of(kernel, options), options.padding, options.dilation});
  const auto too_much = [](const WindowAxis& a) { return 2 * a.padding > (a.kernel - 1) * a.dilation + 1; };
  if (const auto [rows, columns] = options.padding; too_much(axes.height) || too_much(axes.width))
    throw ValueError(message("[", operation, "] expected a padding of at most half of the kernel, got (", rows, ", ",
                             columns, ") for (", kernel.height, ", ", kernel.width, ")"));
  return axes;
}

// The pixels that ceil_mode adds behind the padding, so that one window more fits.
std::ptrdiff_t extension(const WindowAxis& a) {
  const std::size_t left_over = (a.in + 2 * a.padding - (a.kernel - 1) * a.dilation - 1) % a.stride;
  const bool begins_inside = a.out * a.stride < a.in + a.padding;
  return left_over > 0 && begins_inside ? static_cast<std::ptrdiff_t>(a.stride - left_over) : 0;
}
Size2d extensions(const WindowAxes& axes, const PoolOptions& options) {
  return options.ceil_mode ? Size2d(extension(axes.height), extension(axes.width)) : Size2d(0);
}

Size2d plus(Size2d a, Size2d b) { return {a.height + b.height, a.width + b.width}; }

// -infinity around x: no maximum.
Variable pad_with_nothing(const Variable& x, Size2d before, Size2d after) {
  const Tensor inside = pad2d(Variable(ones({1, 1, x.shape()[2], x.shape()[3]})), before, after).value();
  constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
  return pad2d(x, before, after) +
         Variable(map_elements(inside, [](Scalar in) { return in > 0 ? Scalar(0) : -infinity; }));
}

// Before and after one axis, from x itself.
Variable pad_axis(const Variable& x, std::ptrdiff_t axis, std::ptrdiff_t before, std::ptrdiff_t after, Padding with) {
  const auto size = static_cast<std::ptrdiff_t>(x.shape()[checked_axis("pad2d", axis, x.shape())]);
  const std::ptrdiff_t most = with == Padding::reflect ? size - 1 : size > 0 ? largest_padding : 0;
  if (before > most || after > most)
    throw ValueError(message("[pad2d] expected paddings of at most ", std::max<std::ptrdiff_t>(most, 0),
                             " for the shape ", x.shape(), ", got ", before, " and ", after));
  const auto piece = [&](std::ptrdiff_t count, std::ptrdiff_t from, std::ptrdiff_t edge) {
    if (with == Padding::reflect)
      return slice(slice(x, axis, {.begin = from, .end = from + count}), axis, {.step = -1});
    const Variable pixel = slice(x, axis, {.begin = edge, .end = edge + 1});
    return concatenate(std::vector<Variable>(static_cast<std::size_t>(count), pixel), axis);
  };
  std::vector<Variable> pieces;
  if (before > 0) pieces.push_back(piece(before, 1, 0));
  pieces.push_back(x);
  if (after > 0) pieces.push_back(piece(after, size - 1 - after, size - 1));
  return concatenate(pieces, axis);
}

}  // namespace

Variable max_pool2d(const Variable& x, Size2d kernel, PoolOptions options) {
  const WindowAxes axes = pool_axes("max_pool2d", x.shape(), kernel, options);
  if (const Size2d after = plus(options.padding, extensions(axes, options)); after != Size2d(0))
    return max_pool2d(pad_with_nothing(x, options.padding, after), kernel,
                      {.stride = options.stride, .dilation = options.dilation});
  const Shape shape = {x.shape()[0], x.shape()[1], axes.height.out, axes.width.out};
  Tensor value = Tensor::from_shape(shape);
  const auto positions = std::make_shared<std::vector<std::uint32_t>>(value.size());
  max_planes(axes, x.value(), value, *positions);
  const auto backward = [positions](const Variable& y, const Variable& dy) {
    return std::vector{put(dy, y.input(0).shape(), positions)};
  };
  const WindowAxis &h = axes.height, &w = axes.width;
  return record("max_pool2d", std::move(value), {x}, backward,
                attributes("kernel_shape", std::array{h.kernel, w.kernel}, "strides", std::array{h.stride, w.stride},
                           "dilations", std::array{h.dilation, w.dilation}));
}

Variable avg_pool2d(const Variable& x, Size2d kernel, PoolOptions options) {
  const WindowAxes axes = pool_axes("avg_pool2d", x.shape(), kernel, options);
  if (options.dilation != Size2d(1))
    throw ValueError(message("[avg_pool2d] expected a dilation of 1, got (", options.dilation.height, ", ",
                             options.dilation.width, ")"));
  const std::size_t rows = axes.height.kernel, columns = axes.width.kernel;
  const Size2d extended = extensions(axes, options);
  const auto sums = [&](const Variable& images, double weight, Size2d padding) {
    const Shape& shape = images.shape();
    const Variable window(full({1, 1, rows, columns}, static_cast<Scalar>(weight)));
    const Variable y = conv2d(reshape(images, {shape[0] * shape[1], 1, shape[2], shape[3]}), window, {},
                              {.stride = stride_of(kernel, options), .padding = padding});
    return reshape(y, {shape[0], shape[1], y.shape()[2], y.shape()[3]});
  };
  const bool all_count = extended == Size2d(0) && (options.count_padding || options.padding == Size2d(0));
  if (all_count) return sums(x, 1 / static_cast<double>(rows * columns), options.padding);
  Variable counted(ones({1, 1, x.shape()[2], x.shape()[3]}));
  const Size2d after = plus(options.padding, extended);
  if (options.count_padding) {
    const Shape padded = pad2d(counted, options.padding).shape();
    counted = pad2d(Variable(ones(padded)), 0, extended);
  } else {
    counted = pad2d(counted, options.padding, after);
  }
  return sums(pad2d(x, options.padding, after), 1, 0) / sums(counted, 1, 0);
}

Variable global_avg_pool2d(const Variable& x) {
  pool_axes("global_avg_pool2d", x.shape(), 1, {});
  return mean(x, {2, 3}, true);
}

Variable global_max_pool2d(const Variable& x) {
  pool_axes("global_max_pool2d", x.shape(), 1, {});
  return max(x, {2, 3}, true);
}

Variable pad2d(const Variable& x, Size2d both, Padding with) { return pad2d(x, both, both, with); }

Variable pad2d(const Variable& x, Size2d above_and_left, Size2d below_and_right, Padding with) {
  Shape shape = x.shape();
  if (shape.size() < 2) throw ShapeError(message("[pad2d] expected two dimensions or more, got ", shape));
  const std::ptrdiff_t sides[2][2] = {{above_and_left.height, below_and_right.height},
                                      {above_and_left.width, below_and_right.width}};
  for (const auto& [before, after] : sides)
    if (before < 0 || after < 0 || before > largest_padding || after > largest_padding)
      throw ValueError(message("[pad2d] expected paddings from 0 to 2^31, got ", before, " and ", after));
  const auto widen = [&](std::size_t d) {
    shape[shape.size() - 2 + d] += static_cast<std::size_t>(sides[d][0] + sides[d][1]);
  };
  widen(1), widen(0);
  element_count(shape, "pad2d");
  Variable y = x;
  if (with != Padding::zeros) {
    for (const std::ptrdiff_t d : {0, 1}) y = pad_axis(y, d - 2, sides[d][0], sides[d][1], with);
    return y;
  }
  shape = x.shape();
  for (std::size_t d = 0; d < 2; ++d) {
    widen(d);
    if (shape != y.shape())
      y = unslice(y, shape, static_cast<std::ptrdiff_t>(d) - 2, static_cast<std::size_t>(sides[d][0]));
  }
  return y;
}

Variable upsample2d(const Variable& x, Size2d scale) {
  const Shape& shape = x.shape();
  if (shape.size() < 2) throw ShapeError(message("[upsample2d] expected two dimensions or more, got ", shape));
  if (scale.height < 1 || scale.width < 1)
    throw ValueError(message("[upsample2d] expected scales of 1 or more, got (", scale.height, ", ", scale.width, ")"));
  const auto rows = static_cast<std::size_t>(scale.height), columns = static_cast<std::size_t>(scale.width);
  const std::size_t height = shape[shape.size() - 2], width = shape.back();
  const auto with = [&](std::initializer_list<std::size_t> sizes) {  // the dimensions before stay as they are
    Shape result(shape.begin(), shape.end() - 2);
    for (const std::size_t size : sizes) result.push_back(size);
    return result;
  };
  const Variable repeated = broadcast_to(reshape(x, with({height, 1, width, 1})), with({height, rows, width, columns}));
  return reshape(repeated, with({height * rows, width * columns}));
}

}  // namespace xgrad
