// Samples that a function makes, one at a time: files that are too many for memory, or drawn anew in each epoch.
#pragma once

#include <xgrad/core/random.h>
#include <xgrad/datasets/tensor_dataset.h>

#include <numeric>

namespace xgrad::datasets {

namespace detail {

template <class Function>
auto call(const Function& function, std::size_t number, std::uint64_t seed) {
  if constexpr (std::is_invocable_v<const Function&, std::size_t, Generator&>) {
    Generator generator(seed, number);
    return function(number, generator);
  } else {
    return function(number);
  }
}

template <class... Parts>
std::tuple<std::conditional_t<std::is_integral_v<Parts>, IndexTensor, Variable>...> batch_of(
    const std::tuple<Parts...>& sample);

}  // namespace detail

/// `count` samples, of which the function makes number i: FunctionDataset data(1000, [](std::size_t i) { return
/// std::tuple(image(i), label(i)); }). A sample is a std::tuple. In a batch, tensors of one shape are stacked to a
/// Variable, real numbers are one of (batch,), and whole numbers an IndexTensor. A function (i, Generator&) may draw:
/// what it gets depends on the loader's seed, the epoch and i alone. It may be called on another thread.
template <class Function>
class FunctionDataset {
 public:
  using Sample = decltype(detail::call(std::declval<const Function&>(), std::size_t(), std::uint64_t()));
  using Batch = decltype(detail::batch_of(std::declval<const Sample&>()));

  /// ValueError for no samples.
  FunctionDataset(std::size_t count, Function function) : function_(std::move(function)) {
    if (count == 0) throw ValueError("[FunctionDataset] expected one sample or more, got none");
    std::vector<std::int64_t> all(count);
    std::iota(all.begin(), all.end(), std::int64_t{0});
    numbers_ = std::make_shared<const std::vector<std::int64_t>>(std::move(all));
  }

  std::size_t size() const { return numbers_->size(); }
  /// These samples, in this order. ValueError for an index outside [0, size()), and for none.
  FunctionDataset select(std::span<const std::int64_t> indices) const {
    check_selection(indices, size());
    std::vector<std::int64_t> chosen;
    for (const std::int64_t index : indices) chosen.push_back((*numbers_)[static_cast<std::size_t>(index)]);
    FunctionDataset result = *this;
    result.numbers_ = std::make_shared<const std::vector<std::int64_t>>(std::move(chosen));
    return result;
  }

  /// What a DataLoader asks for. ShapeError where tensors of two samples differ in shape.
  void fill(Batch& batch, std::span<const std::int64_t> samples, std::uint64_t seed) const {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto number = static_cast<std::size_t>((*numbers_)[static_cast<std::size_t>(samples[i])]);
      const Sample sample = detail::call(function_, number, seed);
      [&]<std::size_t... part>(std::index_sequence<part...>) {
        (put(std::get<part>(sample), std::get<part>(batch), i, samples.size(), number), ...);
      }
      (std::make_index_sequence<std::tuple_size_v<Sample>>());
    }
  }

 private:
  template <class Part, class To>
  static void put(const Part& part, To& batch, std::size_t at, std::size_t count, std::size_t number) {
    if constexpr (std::same_as<Part, Tensor>) {
      Shape shape = {count};
      shape.insert(shape.end(), part.shape().begin(), part.shape().end());
      if (at > 0 && batch.shape() != shape)
        throw ShapeError(message("[FunctionDataset] sample ", number, ": expected a tensor of ",
                                 Shape(batch.shape().begin() + 1, batch.shape().end()), " as in those before, got ",
                                 part.shape()));
      std::copy_n(part.data(), part.size(), detail::to_be_filled(batch, shape).data() + at * part.size());
    } else {
      auto& all = detail::to_be_filled(batch, {count});
      using Element = std::decay_t<decltype(all.data()[0])>;
      all.data()[at] = static_cast<Element>(part);
    }
  }

  Function function_;
  std::shared_ptr<const std::vector<std::int64_t>> numbers_;
};

}  // namespace xgrad::datasets
