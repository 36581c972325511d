// Samples lie in the lanes of registers (core/lanes.h): a product of one weight and one pixel is done for as many
// samples at once, whatever the sizes of image and kernel. A tile of M x P registers stays in place while a sum runs:
//
//   convolve         tile[o][q] += w[o][k] x[k at q]       M output channels, P neighbouring pixels; k = (c, i, j)
//   convolve_input   tile[k][q] += w[o][k] dy[o][q]        the same tile, added to dx at the k of each q
//   convolve_weight  tile[o][k] += dy[o][q] x[k at q]      the sum over lanes comes last
#include <xgrad/core/convolution.h>
#include <xgrad/core/lanes.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/tile.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace xgrad {
namespace {

constexpr std::size_t max_m = 4, max_p = many_registers ? 6 : 3;
constexpr std::size_t max_chunks = 2;    // of the groups, that each sum a gradient of the weight
constexpr std::size_t exact = 1 << 12;   // numbers of a lane that are added up in Scalar, before double takes over
constexpr std::size_t cached = 1 << 13;  // numbers that stay near while the weights pass over them

// What one lane group, or one group of channels, has to do.
struct Plan {
  explicit Plan(const Convolution& sizes)
      : s(sizes),
        groups(lane_groups(s.batch, s.height.out)),
        channels(s.channels / s.groups),
        outs(s.out_channels / s.groups),
        kernel_size(s.height.kernel * s.width.kernel),
        row(s.width.out * lanes) {}

  LaneWindow input(const LaneGroup& group) const {
    const auto extent = [](std::size_t out, const WindowAxis& a) {
      return (out - 1) * a.stride + (a.kernel - 1) * a.dilation + 1;
    };
    return {s.channels,
            s.height.in,
            s.width.in,
            extent(group.rows, s.height),
            extent(s.width.out, s.width),
            s.height.padding,
            s.width.padding,
            group.rows * s.height.stride};
  }
  LaneWindow output(const LaneGroup& group) const {
    return {s.out_channels, s.height.out, s.width.out, group.rows, s.width.out, 0, 0, group.rows};
  }
  // Where output pixel (r, q) begins to read, in the window of the input.
  std::size_t origin(const LaneWindow& in, std::size_t r, std::size_t q) const {
    return (r * s.height.stride * in.columns + q * s.width.stride) * lanes;
  }
  // And where its taps (c, i, j) are from there.
  std::vector<std::size_t> taps(const LaneWindow& in) const {
    std::vector<std::size_t> offsets;
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t i = 0; i < s.height.kernel; ++i)
        for (std::size_t j = 0; j < s.width.kernel; ++j)
          offsets.push_back(((c * in.rows + i * s.height.dilation) * in.columns + j * s.width.dilation) * lanes);
    return offsets;
  }
  // Rows of this many channels of the output that stay in the cache while the weights pass over them; whole registers
  // of pixels.
  std::size_t rows(std::size_t count, const LaneGroup& group) const {
    const std::size_t whole = lanes / std::gcd(lanes, s.width.out);
    return std::min(divide_up(std::max<std::size_t>(cached / (count * row), 1), whole) * whole, group.rows);
  }

  const Convolution& s;
  std::vector<LaneGroup> groups;
  std::size_t channels, outs;  // of a group of channels
  std::size_t kernel_size, row;
};

Tensor scratch(std::size_t size) { return Tensor::from_shape({size}); }

std::vector<std::size_t> multiples(std::size_t count, std::size_t step) {
  std::vector<std::size_t> offsets(count);
  for (std::size_t i = 0; i < count; ++i) offsets[i] = i * step;
  return offsets;
}

// body(part, group of channels, begin, end) for each, with [begin, end) of the `channels` of that group: all of them at
// once, unless there are more threads than other work.
template <class Body>
void for_tasks(std::size_t parts, std::size_t channel_groups, std::size_t channels, Body body) {
  const std::size_t tasks = parts * channel_groups;
  if (tasks == 0) return;  // a batch without samples
  const std::size_t blocks =
      std::min(divide_up(static_cast<std::size_t>(num_threads()), tasks), divide_up(channels, max_m));
  parallel_for(tasks * blocks, 1, [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      const std::size_t block = i % blocks, task = i / blocks;
      body(task / channel_groups, task % channel_groups, channels * block / blocks, channels * (block + 1) / blocks);
    }
  });
}

}  // namespace

void convolve(const Convolution& s, const Scalar* x, const Scalar* weight, const Scalar* bias, Scalar* y) {
  const Plan plan(s);
  const std::size_t inner = plan.channels * plan.kernel_size;
  const Scalar zero[max_m] = {};
  for_tasks(plan.groups.size(), s.groups, plan.outs, [&](auto g, auto part, auto begin, auto end) {
    const LaneGroup& group = plan.groups[g];
    const LaneWindow in = plan.input(group), out = plan.output(group);
    const std::size_t first = part * plan.outs + begin, outs = end - begin, rows = plan.rows(outs, group);
    const auto taps = plan.taps(in);
    Tensor packed_x = scratch(plan.channels * in.rows * in.columns * lanes), packed_y = scratch(outs * rows * plan.row);
    pack(in, group, {part * plan.channels, plan.channels, 0, in.rows}, x, packed_x.data());
    for (std::size_t top = 0; top < group.rows; top += rows) {
      const std::size_t some = std::min(rows, group.rows - top);
      const auto out_offsets = multiples(max_m, some * plan.row);
      for (std::size_t r = 0; r < some; ++r)
        for_pieces(s.width.out, max_p, [&](std::size_t q, std::size_t width) {
          for_pieces(outs, max_m, [&](std::size_t o, std::size_t count) {
            kernel<Tile, max_m, max_p>(count, width)({.a = weight + (first + o) * inner,
                                                      .a_m = inner,
                                                      .a_k = 1,
                                                      .inner = inner,
                                                      .in = packed_x.data() + plan.origin(in, top + r, q),
                                                      .in_offsets = taps.data(),
                                                      .in_step = s.width.stride * lanes,
                                                      .out = packed_y.data() + (o * some + r) * plan.row + q * lanes,
                                                      .out_offsets = out_offsets.data(),
                                                      .out_step = lanes,
                                                      .start = bias ? bias + first + o : zero});
          });
        });
      unpack(out, group, {first, outs, top, some}, packed_y.data(), y);
    }
  });
}

void convolve_input(const Convolution& s, const Scalar* dy, const Scalar* weight, Scalar* dx) {
  const Plan plan(s);
  const std::size_t inner = plan.channels * plan.kernel_size;
  std::fill_n(dx, s.batch * s.channels * s.height.in * s.width.in, Scalar(0));
  for_tasks(plan.groups.size(), s.groups, plan.channels, [&](auto g, auto part, auto begin, auto end) {
    const LaneGroup& group = plan.groups[g];
    const LaneWindow in = plan.input(group), out = plan.output(group);
    const std::size_t first = part * plan.outs, outs = plan.outs, rows = plan.rows(outs, group);
    const auto taps = plan.taps(in);
    const std::size_t own_taps = (end - begin) * plan.kernel_size;
    const Scalar* own_weight = weight + first * inner + begin * plan.kernel_size;
    Tensor packed_dx = zeros({(end - begin) * in.rows * in.columns * lanes}),
           packed_dy = scratch(outs * rows * plan.row);
    for (std::size_t top = 0; top < group.rows; top += rows) {
      const std::size_t some = std::min(rows, group.rows - top);
      const auto dy_offsets = multiples(outs, some * plan.row);
      pack(out, group, {first, outs, top, some}, dy, packed_dy.data());
      for (std::size_t r = 0; r < some; ++r)
        for_pieces(s.width.out, max_p, [&](std::size_t q, std::size_t width) {
          for_pieces(own_taps, max_m, [&](std::size_t k, std::size_t count) {
            kernel<Tile, max_m, max_p>(count, width)({.a = own_weight + k,
                                                      .a_m = 1,
                                                      .a_k = inner,
                                                      .inner = outs,
                                                      .in = packed_dy.data() + r * plan.row + q * lanes,
                                                      .in_offsets = dy_offsets.data(),
                                                      .in_step = lanes,
                                                      .out = packed_dx.data() + plan.origin(in, top + r, q),
                                                      .out_offsets = taps.data() + k,
                                                      .out_step = s.width.stride * lanes,
                                                      .start = nullptr});
          });
        });
    }
    unpack_add(in, group, {part * plan.channels + begin, end - begin, 0, in.rows}, packed_dx.data(), dx);
  });
}

void convolve_weight(const Convolution& s, const Scalar* x, const Scalar* dy, Scalar* dweight) {
  const Plan plan(s);
  const std::size_t inner = plan.channels * plan.kernel_size, size = s.out_channels * inner;
  const std::size_t count = plan.groups.size(), chunks = std::min(count, max_chunks);
  std::vector<double> sums(chunks * size);
  for_tasks(chunks, s.groups, plan.outs, [&](auto chunk, auto part, auto begin, auto end) {
    const std::size_t first = part * plan.outs + begin, outs = end - begin;
    Tensor sum = zeros({outs * inner * lanes});
    double* const to = sums.data() + chunk * size + first * inner;
    std::size_t added = 0;
    for (std::size_t g = count * chunk / chunks, last = count * (chunk + 1) / chunks; g < last; ++g) {
      const LaneGroup& group = plan.groups[g];
      const LaneWindow in = plan.input(group), out = plan.output(group);
      const std::size_t rows = plan.rows(max_m, group);
      const auto taps = plan.taps(in);
      Tensor packed_x = scratch(plan.channels * in.rows * in.columns * lanes),
             packed_dy = scratch(outs * rows * plan.row);
      pack(in, group, {part * plan.channels, plan.channels, 0, in.rows}, x, packed_x.data());
      for (std::size_t top = 0; top < group.rows; top += rows) {
        const std::size_t some = std::min(rows, group.rows - top);
        pack(out, group, {first, outs, top, some}, dy, packed_dy.data());
        for_pieces(outs, max_m, [&](std::size_t o, std::size_t m) {
          for_pieces(inner, max_p, [&](std::size_t k, std::size_t p) {
            kernel<Dot, max_m, max_p>(m, p)({.a = packed_dy.data() + o * some * plan.row,
                                             .a_step = some * plan.row,
                                             .a_row = plan.row,
                                             .in = packed_x.data() + plan.origin(in, top, 0),
                                             .in_offsets = taps.data() + k,
                                             .in_row = plan.origin(in, 1, 0),
                                             .in_step = s.width.stride * lanes,
                                             .rows = some,
                                             .columns = s.width.out,
                                             .out = sum.data() + (o * inner + k) * lanes,
                                             .out_step = inner * lanes});
          });
        });
      }
      added += group.rows * s.width.out;
      if (added < exact && g + 1 < last) continue;
      for (std::size_t i = 0; i < outs * inner; ++i)
        to[i] += static_cast<double>(sum_lanes(load(sum.data() + i * lanes)));
      sum.fill(0), added = 0;
    }
  });
  for (std::size_t i = 0; i < size; ++i) {
    double sum = 0;
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) sum += sums[chunk * size + i];
    dweight[i] = static_cast<Scalar>(sum);
  }
}

}  // namespace xgrad
