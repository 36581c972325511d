// Images in the lanes of registers, each lane another sample, so that one operation serves as many samples as a
// register holds. Where there are fewer samples than lanes, each is cut into strips of rows.
#pragma once

#include <xgrad/core/simd.h>

#include <vector>

namespace xgrad {

constexpr std::size_t lanes = register_size;

/// Numbers of lane i of row j change places with those of lane j of row i.
void transpose(Register (&rows)[lanes]);

/// What fills the lanes: `samples` of them, each cut into strips of `rows` rows.
struct LaneGroup {
  std::size_t first, samples, strips, rows;
};

/// All samples of a batch of images of this height, in groups.
std::vector<LaneGroup> lane_groups(std::size_t batch, std::size_t height);

/// Images (samples, channels, height, width) in memory, and the window of each that is in its lane: `rows` and
/// `columns` beginning `above` and `left` of the image, where it is 0, and `step` rows further down from strip to
/// strip.
struct LaneWindow {
  std::size_t channels, height, width, rows, columns, above, left, step;
};

/// Channels of images from `channel` on, and rows of their windows from `row` on.
struct LanePart {
  std::size_t channel, channels, row, rows;
};

/// Transposes a part to packed: (channels, rows, columns, lanes).
void pack(const LaneWindow& window, const LaneGroup& group, const LanePart& part, const Scalar* images, Scalar* packed);
/// The reverse: overwrites what is in the images, or adds to it.
void unpack(const LaneWindow& window, const LaneGroup& group, const LanePart& part, const Scalar* packed,
            Scalar* images);
void unpack_add(const LaneWindow& window, const LaneGroup& group, const LanePart& part, const Scalar* packed,
                Scalar* images);

}  // namespace xgrad
