#include <xgrad/core/lanes.h>

#include <array>
#include <utility>

namespace xgrad {
namespace {

#ifdef XGRAD_HAS_XSIMD
// One of log2(lanes) equal steps of a transposition: rows i and i + lanes / 2, interleaved, become 2 i and 2 i + 1.
template <std::size_t... I>
void interleave(Register (&rows)[lanes], std::index_sequence<I...>) {
  Register next[lanes];
  for (std::size_t i = 0; i < lanes / 2; ++i) {
    const auto a = rows[i].data, b = rows[i + lanes / 2].data;
    next[2 * i] = Register(__builtin_shufflevector(a, b, (I / 2 + I % 2 * lanes)...));
    next[2 * i + 1] = Register(__builtin_shufflevector(a, b, (I / 2 + lanes / 2 + I % 2 * lanes)...));
  }
  std::copy_n(next, lanes, rows);
}
#endif

// For each lane, where a row of its window begins, or null where that is outside the image.
template <class T>
std::array<T*, lanes> row_pointers(const LaneWindow& w, const LaneGroup& group, T* images, std::size_t channel,
                                   std::size_t row) {
  std::array<T*, lanes> pointers{};
  for (std::size_t lane = 0; lane < group.samples * group.strips; ++lane) {
    const std::size_t sample = group.first + lane / group.strips, below = lane % group.strips * w.step + row;
    if (below >= w.above && below - w.above < w.height)
      pointers[lane] = images + ((sample * w.channels + channel) * w.height + below - w.above) * w.width;
  }
  return pointers;
}

// Pixels that follow each other in memory: rows of `inside` of them, in a window that has more columns.
struct Run {
  std::size_t begin, inside, columns, count;

  // body(first, done, some, register) for blocks of `some` pixels, as many as lanes where the run is so long: the last
  // block then begins with pixels that are done. Register(i) is where pixel i is in the lanes.
  template <class Body>
  void for_blocks(Body body) const {
    for (std::size_t i = 0; i < count; i += lanes) {
      const std::size_t first = count < lanes ? 0 : std::min(i, count - lanes);
      std::size_t row = first / inside, column = first % inside;
      std::size_t registers[lanes] = {};
      for (std::size_t j = 0; j < std::min(lanes, count); ++j) {
        registers[j] = begin + (row * columns + column) * lanes;
        if (++column == inside) column = 0, ++row;
      }
      body(first, i - first, std::min(lanes, count), registers);
    }
  }
};

// body(pointers, run) for each run: all rows of a channel where they are whole in each window, else each row.
template <class T, class Body>
void for_runs(const LaneWindow& w, const LaneGroup& group, const LanePart& part, T* images, Body body) {
  const std::size_t left = std::min(w.left, w.columns), inside = std::min(w.width, w.columns - left);
  const bool whole = group.strips == 1 && inside == w.width;
  const std::size_t end = part.row + part.rows;
  const std::size_t first = whole ? std::max(part.row, w.above) : part.row;
  const std::size_t last = whole ? std::min(end, w.height + w.above) : end;
  const std::size_t rows = !whole ? 1 : first < last ? last - first : 0;
  for (std::size_t c = 0; c < part.channels; ++c)
    for (std::size_t row = first; row < last; row += rows) {
      const std::size_t begin = ((c * part.rows + row - part.row) * w.columns + left) * lanes;
      body(row_pointers(w, group, images, part.channel + c, row), Run{begin, inside, w.columns, rows * inside});
    }
}

template <bool add>
void put(const LaneWindow& window, const LaneGroup& group, const LanePart& part, const Scalar* packed, Scalar* images) {
  for_runs(window, group, part, images, [&](const auto& to, const Run& run) {
    run.for_blocks([&](std::size_t first, std::size_t done, std::size_t some, const auto& registers) {
      Register block[lanes];
      for (std::size_t j = 0; j < lanes; ++j)
        block[j] = j < some && !(add && j < done) ? load(packed + registers[j]) : Register(Scalar(0));
      transpose(block);
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        if (!to[lane]) continue;
        Scalar* at = to[lane] + first;
        store_some(add ? load_some(at, some) + block[lane] : block[lane], at, some);
      }
    });
  });
}

}  // namespace

void transpose([[maybe_unused]] Register (&rows)[lanes]) {
#ifdef XGRAD_HAS_XSIMD
  for (std::size_t step = 1; step < lanes; step *= 2) interleave(rows, std::make_index_sequence<lanes>());
#endif
}

std::vector<LaneGroup> lane_groups(std::size_t batch, std::size_t height) {
  std::vector<LaneGroup> groups;
  for (std::size_t first = 0; first < batch; first += lanes) {
    const std::size_t samples = std::min(lanes, batch - first), strips = std::min(lanes / samples, height);
    const std::size_t rows = (height + strips - 1) / strips;
    groups.push_back({first, samples, (height + rows - 1) / rows, rows});
  }
  return groups;
}

void pack(const LaneWindow& window, const LaneGroup& group, const LanePart& part, const Scalar* images,
          Scalar* packed) {
  std::fill_n(packed, part.channels * part.rows * window.columns * lanes, Scalar(0));
  for_runs(window, group, part, images, [&](const auto& from, const Run& run) {
    run.for_blocks([&](std::size_t first, std::size_t, std::size_t some, const auto& registers) {
      Register block[lanes];
      for (std::size_t lane = 0; lane < lanes; ++lane)
        block[lane] = from[lane] ? load_some(from[lane] + first, some) : Register(Scalar(0));
      transpose(block);
      for (std::size_t j = 0; j < some; ++j) store(block[j], packed + registers[j]);
    });
  });
}

void unpack(const LaneWindow& window, const LaneGroup& group, const LanePart& part, const Scalar* packed,
            Scalar* images) {
  put<false>(window, group, part, packed, images);
}

void unpack_add(const LaneWindow& window, const LaneGroup& group, const LanePart& part, const Scalar* packed,
                Scalar* images) {
  put<true>(window, group, part, packed, images);
}

}  // namespace xgrad
