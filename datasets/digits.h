// Drawn digits: handwriting that needs no download.
#pragma once

#include <xgrad/datasets/dataset.h>

#include <cstddef>
#include <cstdint>

namespace xgrad::datasets {

/// Handwriting-like digits of MNIST's form: images (count, 1, 28, 28), light ink on 0, labels uniform in 0 to 9. Each
/// image is one of several stroke skeletons of its digit (digit_strokes.h) with its own slant, rotation, aspect,
/// smooth bend, wobble, length of stroke ends, pen width, pressure and softness of edges. As in MNIST, the longer side
/// is scaled to 20 pixels and the centre of mass comes to pixel (14, 14), here give or take a pixel.
///
/// The same seed gives the same bytes on every platform. Images are drawn one after the other from one generator, so
/// digits(10, s) is the beginning of digits(1000, s). One core draws some tens of thousands a second. ValueError for a
/// count of 0.
Dataset digits(std::size_t count, std::uint64_t seed = 0);

}  // namespace xgrad::datasets
