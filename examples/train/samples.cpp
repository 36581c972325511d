#include "samples.h"

#include <xgrad/core/errors.h>

#include <numeric>

namespace train {

using namespace xgrad;

std::size_t Samples::size() const {
  return std::visit([](const auto& data) { return data.size(); }, data_);
}

std::size_t Samples::sample_bytes() const {
  return std::visit([](const auto& data) { return data.sample_bytes(); }, data_);
}

Shape Samples::image_shape() const {
  return images() ? images()->image_shape() : Shape{1, 1, rows()->get<0>().shape()[1]};
}

std::span<const std::int64_t> Samples::labels() const {
  return images() ? images()->labels() : std::span(rows()->get<1>().data(), size());
}

std::span<const std::uint8_t> Samples::bytes() const {
  if (images()) return images()->images();
  const Tensor& features = rows()->get<0>();
  return {reinterpret_cast<const std::uint8_t*>(features.data()), features.size() * sizeof(Scalar)};
}

Samples Samples::slice(std::size_t begin, std::size_t end) const {
  if (images()) return images()->slice(begin, end);
  std::vector<std::int64_t> chosen(end - begin);
  std::iota(chosen.begin(), chosen.end(), static_cast<std::int64_t>(begin));
  return {rows()->select(chosen), class_names_};
}

void Samples::fill(Batch& batch, std::span<const std::int64_t> samples, std::uint64_t seed) const {
  if (images()) return images()->fill(batch, samples, seed);
  Rows::Batch both(std::move(batch.images), std::move(batch.labels));
  rows()->fill(both, samples, seed);
  batch = {std::move(std::get<0>(both)), std::move(std::get<1>(both))};
}

Samples Samples::augmented(const datasets::Augmentation& amounts) const {
  if (rows()) throw ValueError("[Samples] rows of a table are no images to distort");
  return images()->augmented(amounts);
}

}  // namespace train
