// What a network is trained on: images, or the rows of a table.
#pragma once

#include <xgrad/datasets/dataset.h>
#include <xgrad/datasets/tensor_dataset.h>

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace train {

/// Samples with a class each. A shared handle to contents that never change.
class Samples {
 public:
  using Rows = xgrad::datasets::TensorDataset<xgrad::Tensor, xgrad::IndexTensor>;  ///< (N, features), (N,)
  using Batch = xgrad::datasets::Batch;  ///< of rows, `images` is (batch, features)

  Samples(xgrad::datasets::Dataset images) : data_(std::move(images)) {}
  Samples(Rows rows, std::vector<std::string> class_names)
      : data_(std::move(rows)), class_names_(std::move(class_names)) {}

  const xgrad::datasets::Dataset* images() const { return std::get_if<xgrad::datasets::Dataset>(&data_); }
  const Rows* rows() const { return std::get_if<Rows>(&data_); }

  std::size_t size() const;
  xgrad::Shape image_shape() const;  ///< (channels, height, width); of rows (1, 1, features)
  const std::vector<std::string>& class_names() const { return images() ? images()->class_names() : class_names_; }
  std::span<const std::int64_t> labels() const;
  std::span<const std::uint8_t> bytes() const;  ///< of all images, or of all features
  Samples slice(std::size_t begin, std::size_t end) const;

  // What a DataLoader asks for. ValueError for an augmentation of rows.

  void fill(Batch& batch, std::span<const std::int64_t> samples, std::uint64_t seed) const;
  std::size_t sample_bytes() const;
  Samples augmented(const xgrad::datasets::Augmentation& amounts) const;

 private:
  std::variant<xgrad::datasets::Dataset, Rows> data_;
  std::vector<std::string> class_names_;
};

/// What to learn from, and what to be judged by.
struct Split {
  Samples train, test;
};

}  // namespace train
