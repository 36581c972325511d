#include <xgrad/core/errors.h>
#include <xgrad/datasets/dataset.h>
#include <xgrad/datasets/split.h>

#include <algorithm>
#include <utility>

namespace xgrad::datasets {
namespace {

// In shuffled order no processor guesses the next image. Asked for early, it halves the time of a batch.
void fetch(std::span<const std::uint8_t> image) {
  constexpr std::size_t cache_line = 64;
  for (std::size_t at = 0; at < image.size(); at += cache_line) __builtin_prefetch(&image[at]);
}

}  // namespace

std::vector<std::string> decimal_digits() { return {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}; }

Dataset::Dataset(Contents contents) : size_(contents.labels.size()) {
  const std::size_t pixels = element_count(contents.image_shape), bytes = contents.images.size();
  if (contents.image_shape.size() != 3 || pixels == 0)
    throw DataError(
        message("[dataset] expected images of (channels, height, width), each 1 or more, got ", contents.image_shape));
  if (bytes == 0 && size_ == 0) throw DataError("[dataset] expected one image or more, got none");
  if (bytes % pixels != 0)
    throw DataError(message("[dataset] expected whole images of ", pixels, " bytes, got ", bytes, " bytes"));
  if (bytes / pixels != size_)
    throw DataError(
        message("[dataset] expected a label for each image, got ", bytes / pixels, " images and ", size_, " labels"));
  const auto classes = static_cast<std::int64_t>(contents.class_names.size());
  for (std::size_t i = 0; i < size_; ++i)
    if (const std::int64_t label = contents.labels[i]; label < 0 || label >= classes)
      throw DataError(message("[dataset] expected labels below ", classes, " (the number of classes), got ", label,
                              " for image ", i));
  contents_ = std::make_shared<const Contents>(std::move(contents));
}

std::span<const std::uint8_t> Dataset::images() const {
  const std::size_t pixels = element_count(image_shape());
  return std::span(contents_->images).subspan(begin_ * pixels, size_ * pixels);
}

std::span<const std::int64_t> Dataset::labels() const { return std::span(contents_->labels).subspan(begin_, size_); }

Dataset Dataset::slice(std::size_t begin, std::size_t end) const {
  if (begin >= end || end > size_)
    throw ValueError(message("[slice] expected begin < end <= ", size_, ", got ", begin, " and ", end));
  Dataset part = *this;
  part.begin_ += begin;
  part.size_ = end - begin;
  return part;
}

Dataset Dataset::select(std::span<const std::int64_t> indices) const {
  check_selection(indices, size_);
  const std::size_t pixels = element_count(image_shape());
  Contents chosen = {.image_shape = image_shape(), .class_names = class_names()};
  chosen.images.reserve(indices.size() * pixels);
  for (const std::int64_t index : indices) {
    const auto image = images().subspan(static_cast<std::size_t>(index) * pixels, pixels);
    chosen.images.insert(chosen.images.end(), image.begin(), image.end());
    chosen.labels.push_back(labels()[static_cast<std::size_t>(index)]);
  }
  Dataset result(std::move(chosen));
  result.augmenter_ = augmenter_;
  return result;
}

Dataset Dataset::augmented(const Augmentation& amounts) const {
  Dataset result = *this;
  result.augmenter_ = std::make_shared<const Augmenter>(amounts, image_shape());
  return result;
}

void Dataset::fill(Batch& batch, std::span<const std::int64_t> samples, std::uint64_t seed) const {
  const Shape& one = image_shape();
  const std::size_t pixels = element_count(one);
  const Shape shape = {samples.size(), one[0], one[1], one[2]};
  if (!batch.images || batch.images.shape() != shape) batch.images = Variable(Tensor::from_shape(shape));
  batch.labels.resize({samples.size()});
  const auto image = [&, all = images()](std::size_t i) {
    return all.subspan(static_cast<std::size_t>(samples[i]) * pixels, pixels);
  };
  Scalar* to = batch.images.mutable_value().data();
  for (std::size_t i = 0; i < samples.size(); ++i, to += pixels) {
    if (i + 2 < samples.size()) fetch(image(i + 2));
    const auto index = static_cast<std::uint64_t>(samples[i]);
    if (augmenter_) {
      warp(image(i).data(), one, augmenter_->source(seed + index), to);
      augmenter_->recolour(to, seed + index);
    } else {
      to_unit(image(i).data(), pixels, to);
    }
    batch.labels.data()[i] = labels()[index];
  }
}

Dataset concatenate(const std::vector<Dataset>& parts) {
  if (parts.empty()) throw ValueError("[concatenate] expected one dataset or more, got none");
  std::vector<std::uint8_t> images;
  std::vector<std::int64_t> labels;
  for (const Dataset& part : parts) {
    if (part.image_shape() != parts[0].image_shape())
      throw DataError(
          message("[concatenate] expected images of ", parts[0].image_shape(), ", got ", part.image_shape()));
    if (part.class_names() != parts[0].class_names())
      throw DataError("[concatenate] expected datasets with the same class names, in the same order");
    images.insert(images.end(), part.images().begin(), part.images().end());
    labels.insert(labels.end(), part.labels().begin(), part.labels().end());
  }
  return Dataset(std::move(images), parts[0].image_shape(), labels, parts[0].class_names());
}

// Kept this plain so that compilers turn it into SIMD code.
void to_unit(const std::uint8_t* bytes, std::size_t count, Scalar* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<Scalar>(bytes[i]) * (Scalar(1) / Scalar(255));
}

}  // namespace xgrad::datasets
