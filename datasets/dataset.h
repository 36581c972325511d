// Labelled images in memory.
#pragma once

#include <xgrad/core/tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace xgrad::datasets {

/// "0", "1", …, "9".
std::vector<std::string> decimal_digits();

/// Images as bytes, with labels. A shared handle to contents that never change: copying it is copying a pointer.
class Dataset {
 public:
  /// Images (N, channels, height, width) in row-major order, `image_shape` being (channels, height, width), and labels
  /// (N,) from 0 to class_names.size() - 1. DataError where there are no images, an image has no pixels, the counts
  /// differ, or a label has no class.
  Dataset(std::vector<std::uint8_t> images, const Shape& image_shape, std::vector<std::uint8_t> labels,
          std::vector<std::string> class_names = decimal_digits());

  std::size_t size() const { return size_; }
  const Shape& image_shape() const { return contents_->image_shape; }  ///< (channels, height, width)
  std::span<const std::uint8_t> images() const;                        ///< (N, channels, height, width)
  std::span<const std::uint8_t> labels() const;                        ///< (N,)
  const std::vector<std::string>& class_names() const { return contents_->class_names; }

  /// The samples with begin <= index < end, sharing the contents. ValueError unless begin < end <= size().
  Dataset slice(std::size_t begin, std::size_t end) const;

 private:
  struct Contents {
    std::vector<std::uint8_t> images, labels;
    Shape image_shape;
    std::vector<std::string> class_names;
  };
  std::shared_ptr<const Contents> contents_;
  std::size_t begin_ = 0, size_ = 0;
};

/// Bytes scaled to [0, 1], as networks get them.
void to_unit(const std::uint8_t* bytes, std::size_t count, Scalar* to);

/// What to learn from, and what to be judged by.
struct Split {
  Dataset train, test;
};

}  // namespace xgrad::datasets
