// Labelled images in memory.
#pragma once

#include <xgrad/autograd/variable.h>
#include <xgrad/core/tensor.h>
#include <xgrad/datasets/augment.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace xgrad::datasets {

/// "0", "1", …, "9".
std::vector<std::string> decimal_digits();

struct Batch {
  Variable images;     ///< (batch, channels, height, width), bytes scaled to [0, 1]
  IndexTensor labels;  ///< (batch,)
};

/// Images as bytes, with labels. A shared handle to contents that never change: copying it is copying a pointer.
class Dataset {
 public:
  using Batch = datasets::Batch;

  /// Images (N, channels, height, width) in row-major order, `image_shape` being (channels, height, width), and labels
  /// (N,) from 0 to class_names.size() - 1, of any integer type. DataError where there are no images, an image has no
  /// pixels, the counts differ, or a label has no class.
  template <class Label = std::int64_t>
  Dataset(std::vector<std::uint8_t> images, const Shape& image_shape, const std::vector<Label>& labels,
          std::vector<std::string> class_names = decimal_digits())
      : Dataset(Contents{std::move(images), {labels.begin(), labels.end()}, image_shape, std::move(class_names)}) {}

  std::size_t size() const { return size_; }
  const Shape& image_shape() const { return contents_->image_shape; }  ///< (channels, height, width)
  std::span<const std::uint8_t> images() const;                        ///< (N, channels, height, width)
  std::span<const std::int64_t> labels() const;                        ///< (N,)
  const std::vector<std::string>& class_names() const { return contents_->class_names; }

  /// The samples with begin <= index < end, sharing the contents. ValueError unless begin < end <= size().
  Dataset slice(std::size_t begin, std::size_t end) const;
  /// A copy of these samples, in this order; one may be named several times. ValueError for an index outside [0,
  /// size()), and for none.
  Dataset select(std::span<const std::int64_t> indices) const;
  /// The same images, of which fill() distorts each anew for each seed. ValueError for a bad Augmentation.
  Dataset augmented(const Augmentation& amounts) const;

  // What a DataLoader asks for.

  void fill(Batch& batch, std::span<const std::int64_t> samples, std::uint64_t seed) const;
  std::size_t sample_bytes() const { return element_count(image_shape()) * sizeof(Scalar); }

 private:
  struct Contents {
    std::vector<std::uint8_t> images = {};
    std::vector<std::int64_t> labels = {};
    Shape image_shape;
    std::vector<std::string> class_names;
  };
  explicit Dataset(Contents contents);

  std::shared_ptr<const Contents> contents_;
  std::size_t begin_ = 0, size_ = 0;
  std::shared_ptr<const Augmenter> augmenter_;
};

/// The samples of all, one dataset after the other. DataError unless they have one image shape and the same classes;
/// ValueError for none.
Dataset concatenate(const std::vector<Dataset>& parts);

/// Bytes scaled to [0, 1], as networks get them.
void to_unit(const std::uint8_t* bytes, std::size_t count, Scalar* to);

/// What to learn from, and what to be judged by.
struct Split {
  Dataset train, test;
};

}  // namespace xgrad::datasets
