#include <xgrad/core/errors.h>
#include <xgrad/datasets/dataset.h>

#include <algorithm>
#include <utility>

namespace xgrad::datasets {

std::vector<std::string> decimal_digits() { return {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}; }

Dataset::Dataset(std::vector<std::uint8_t> images, const Shape& image_shape, std::vector<std::uint8_t> labels,
                 std::vector<std::string> class_names)
    : size_(labels.size()) {
  const std::size_t pixels = element_count(image_shape);
  if (image_shape.size() != 3 || pixels == 0)
    throw DataError(
        message("[dataset] expected images of (channels, height, width), each 1 or more, got ", image_shape));
  if (images.empty() && labels.empty()) throw DataError("[dataset] expected one image or more, got none");
  if (images.size() % pixels != 0)
    throw DataError(message("[dataset] expected whole images of ", pixels, " bytes, got ", images.size(), " bytes"));
  if (images.size() / pixels != labels.size())
    throw DataError(message("[dataset] expected a label for each image, got ", images.size() / pixels, " images and ",
                            labels.size(), " labels"));
  const auto classless =
      std::find_if(labels.begin(), labels.end(), [&](std::uint8_t label) { return label >= class_names.size(); });
  if (classless != labels.end())
    throw DataError(message("[dataset] expected labels below ", class_names.size(), " (the number of classes), got ",
                            *classless, " for image ", classless - labels.begin()));
  contents_ = std::make_shared<const Contents>(
      Contents{std::move(images), std::move(labels), image_shape, std::move(class_names)});
}

std::span<const std::uint8_t> Dataset::images() const {
  const std::size_t pixels = element_count(image_shape());
  return std::span(contents_->images).subspan(begin_ * pixels, size_ * pixels);
}

std::span<const std::uint8_t> Dataset::labels() const { return std::span(contents_->labels).subspan(begin_, size_); }

Dataset Dataset::slice(std::size_t begin, std::size_t end) const {
  if (begin >= end || end > size_)
    throw ValueError(message("[slice] expected begin < end <= ", size_, ", got ", begin, " and ", end));
  Dataset part = *this;
  part.begin_ += begin;
  part.size_ = end - begin;
  return part;
}

// Kept this plain so that compilers turn it into SIMD code.
void to_unit(const std::uint8_t* bytes, std::size_t count, Scalar* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<Scalar>(bytes[i]) * (Scalar(1) / Scalar(255));
}

}  // namespace xgrad::datasets
