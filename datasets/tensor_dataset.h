// Samples as rows of tensors: tables, sequences, regression, several inputs, several targets.
#pragma once

#include <xgrad/autograd/variable.h>
#include <xgrad/core/errors.h>
#include <xgrad/datasets/split.h>

#include <algorithm>
#include <concepts>
#include <memory>
#include <tuple>
#include <type_traits>

namespace xgrad::datasets {

template <class T>
concept AnyTensor = std::same_as<T, Tensor> || std::same_as<T, IndexTensor>;

/// What stands for a tensor in a batch: a Variable for a Tensor, and whole numbers as they are.
template <AnyTensor T>
using InBatch = std::conditional_t<std::same_as<T, Tensor>, Variable, IndexTensor>;

namespace detail {

inline Tensor& to_be_filled(Variable& batch, const Shape& shape) {
  if (!batch || batch.shape() != shape) batch = Variable(Tensor::from_shape(shape));
  return batch.mutable_value();
}
inline IndexTensor& to_be_filled(IndexTensor& batch, const Shape& shape) {
  batch.resize({shape.begin(), shape.end()});
  return batch;
}

template <AnyTensor T>
std::size_t row_size(const T& tensor) {
  return tensor.size() / std::max<std::size_t>(tensor.shape()[0], 1);
}

template <AnyTensor T, class To>
void take(const T& from, std::span<const std::int64_t> rows, To&& to) {
  Shape shape(from.shape().begin(), from.shape().end());
  shape[0] = rows.size();
  const std::size_t width = row_size(from);
  auto* next = to_be_filled(to, shape).data();
  for (const std::int64_t row : rows)
    next = std::copy_n(from.data() + static_cast<std::size_t>(row) * width, width, next);
}

}  // namespace detail

/// The rows of tensors with one first axis: for (const auto& [x, y] : DataLoader(TensorDataset(inputs, targets))). Real
/// numbers come as Variables, and IndexTensors, such as classes, as IndexTensors. A shared handle to contents that
/// never change.
template <AnyTensor... Tensors>
requires(sizeof...(Tensors) > 0) class TensorDataset {
 public:
  using Batch = std::tuple<InBatch<Tensors>...>;

  /// Each (N, …). ShapeError where one has no axis, or another first one; ValueError for no samples.
  explicit TensorDataset(Tensors... tensors)
      : contents_(std::make_shared<const std::tuple<Tensors...>>(std::move(tensors)...)) {
    std::apply([this](const auto&... all) { (this->check(all), ...); }, *contents_);
    if (size() == 0) throw ValueError("[TensorDataset] expected one sample or more, got none");
  }

  std::size_t size() const { return get<0>().dimension() == 0 ? 0 : get<0>().shape()[0]; }
  /// The tensor of that place.
  template <std::size_t place>
  const auto& get() const {
    return std::get<place>(*contents_);
  }

  /// A copy of these samples, in this order; one may be named several times. ValueError for an index outside [0,
  /// size()), and for none.
  TensorDataset select(std::span<const std::int64_t> indices) const {
    check_selection(indices, size());
    return std::apply([&](const Tensors&... all) { return TensorDataset(rows_of(all, indices)...); }, *contents_);
  }

  // What a DataLoader asks for.

  void fill(Batch& batch, std::span<const std::int64_t> samples, std::uint64_t) const {
    [&]<std::size_t... place>(std::index_sequence<place...>) {
      (detail::take(get<place>(), samples, std::get<place>(batch)), ...);
    }
    (std::index_sequence_for<Tensors...>());
  }
  std::size_t sample_bytes() const {
    return std::apply([](const auto&... all) { return (... + (detail::row_size(all) * sizeof(all.data()[0]))); },
                      *contents_);
  }

 private:
  template <AnyTensor T>
  static T rows_of(const T& from, std::span<const std::int64_t> rows) {
    InBatch<T> taken;
    detail::take(from, rows, taken);
    if constexpr (std::same_as<T, Tensor>)
      return std::move(taken).value();
    else
      return taken;
  }
  template <AnyTensor T>
  void check(const T& tensor) const {
    const Shape shape(tensor.shape().begin(), tensor.shape().end());
    if (shape.empty() || shape[0] != size())
      throw ShapeError(message("[TensorDataset] expected tensors of (", size(), ", …), got ", shape));
  }

  std::shared_ptr<const std::tuple<Tensors...>> contents_;
};

/// The samples of all, one dataset after the other. ShapeError where their rows differ in shape; ValueError for none.
template <AnyTensor... Tensors>
TensorDataset<Tensors...> concatenate(const std::vector<TensorDataset<Tensors...>>& parts) {
  if (parts.empty()) throw ValueError("[concatenate] expected one dataset or more, got none");
  const auto joined = [&]<std::size_t place>(std::integral_constant<std::size_t, place>) {
    auto shape = parts[0].template get<place>().shape();
    shape[0] = 0;
    for (const auto& part : parts) shape[0] += part.size();
    auto all = std::tuple_element_t<place, std::tuple<Tensors...>>::from_shape(shape);
    auto* next = all.data();
    for (const auto& part : parts) {
      const auto& one = part.template get<place>();
      if (!std::equal(one.shape().begin() + 1, one.shape().end(), shape.begin() + 1, shape.end()))
        throw ShapeError(message("[concatenate] expected rows of one shape, got tensors of ",
                                 Shape(shape.begin(), shape.end()), " and ",
                                 Shape(one.shape().begin(), one.shape().end())));
      next = std::copy(one.data(), one.data() + one.size(), next);
    }
    return all;
  };
  return [&]<std::size_t... place>(std::index_sequence<place...>) {
    return TensorDataset<Tensors...>(joined(std::integral_constant<std::size_t, place>())...);
  }
  (std::index_sequence_for<Tensors...>());
}

}  // namespace xgrad::datasets
