// Images that are distorted, for the tests of augmentation.
#pragma once

#include <xgrad/core/random.h>
#include <xgrad/datasets/augment.h>
#include <xgrad/datasets/dataset.h>

#include <cstdint>
#include <vector>

namespace warped_images {

using namespace xgrad;
using namespace xgrad::datasets;

inline constexpr Augmentation nothing{.shift = 0, .rotation = 0, .scale = 0, .shear = 0, .elastic = 0};

inline std::vector<std::uint8_t> random_bytes(const Shape& shape) {
  std::vector<std::uint8_t> bytes(element_count(shape));
  Generator generator(1);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(generator.below(256));
  return bytes;
}

inline Tensor unit(const std::vector<std::uint8_t>& bytes, const Shape& shape) {
  Tensor result = Tensor::from_shape(shape);
  to_unit(bytes.data(), bytes.size(), result.data());
  return result;
}

inline Tensor warped(const std::vector<std::uint8_t>& bytes, const Shape& shape, const Tensor& source) {
  Tensor result = Tensor::from_shape(shape);
  warp(bytes.data(), shape, source, result.data());
  return result;
}

}  // namespace warped_images
