// What a DataLoader draws from, and which samples it draws.
#include <xgrad/core/random.h>
#include <xgrad/datasets/digits.h>
#include <xgrad/datasets/function_dataset.h>
#include <xgrad/datasets/loader.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "error.h"

using namespace xgrad;
using namespace xgrad::datasets;

namespace {

// Sample i has the inputs (i, -i), the target i / 2 and the class 1000 i.
auto numbers(std::size_t count) {
  Tensor inputs = Tensor::from_shape({count, 2}), targets = Tensor::from_shape({count});
  IndexTensor classes = IndexTensor::from_shape({count});
  for (std::size_t i = 0; i < count; ++i) {
    inputs(i, 0) = static_cast<Scalar>(i), inputs(i, 1) = -static_cast<Scalar>(i);
    targets(i) = static_cast<Scalar>(i) / 2;
    classes(i) = static_cast<std::int64_t>(1000 * i);
  }
  return TensorDataset(inputs, targets, classes);
}

auto made(std::size_t count) {
  return FunctionDataset(count, [](std::size_t i) {
    return std::tuple(Tensor({static_cast<Scalar>(i), -static_cast<Scalar>(i)}), double(i) / 2, 1000 * i);
  });
}

// The numbers of the samples in one epoch, each of whose parts must belong to it.
template <class Loader>
std::vector<std::int64_t> epoch_of(Loader& loader) {
  std::vector<std::int64_t> order;
  for (const auto& [inputs, targets, classes] : loader) {
    const std::size_t count = targets.size();
    CHECK(inputs.shape() == Shape{count, 2});
    CHECK(classes.size() == count);
    for (std::size_t i = 0; i < count; ++i) {
      order.push_back(classes(i) / 1000);
      const auto number = static_cast<Scalar>(order.back());
      CHECK(inputs.value()(i, 0) == number);
      CHECK(inputs.value()(i, 1) == -number);
      CHECK(targets.value()(i) == number / 2);
    }
  }
  return order;
}

std::vector<std::int64_t> sorted(std::vector<std::int64_t> list) {
  std::sort(list.begin(), list.end());
  return list;
}

std::vector<std::int64_t> first_numbers(std::size_t count) {
  std::vector<std::int64_t> list(count);
  std::iota(list.begin(), list.end(), std::int64_t{0});
  return list;
}

template <class Data>
void check_source(const Data& data) {
  for (const bool prefetch : {false, true})
    for (const std::ptrdiff_t batch_size : {1, 7, 200}) {
      CAPTURE(prefetch);
      CAPTURE(batch_size);
      DataLoader plain(data, {.batch_size = batch_size, .prefetch = prefetch});
      CHECK(epoch_of(plain) == first_numbers(100));
      const LoaderOptions options{.batch_size = batch_size, .shuffle = true, .seed = 3, .prefetch = prefetch};
      DataLoader shuffled(data, options);
      const std::vector<std::int64_t> order = epoch_of(shuffled);
      CHECK(order != first_numbers(100));
      CHECK(sorted(order) == first_numbers(100));

      std::vector<std::int64_t> halves;
      StateDict state;
      DataLoader left(data, options), resumed(data, options);
      for (const auto& batch : left) {
        for (const std::int64_t one : std::get<2>(batch)) halves.push_back(one / 1000);
        state = left.state_dict();
        if (halves.size() >= 50) break;
      }
      resumed.load_state_dict(state);
      for (const std::int64_t number : epoch_of(resumed)) halves.push_back(number);
      CHECK(halves == order);
    }
  const std::vector<std::int64_t> chosen = {5, 99, 5, 0};
  DataLoader selected(data.select(chosen));
  CHECK(epoch_of(selected) == chosen);
}

}  // namespace

TEST_CASE("tensors and functions are drawn from as images are, with exact resume") {
  check_source(numbers(100));
  check_source(made(100));
}

TEST_CASE("what is kept of a batch of tensors stays as it was") {
  for (const bool prefetch : {false, true}) {
    std::vector<Variable> kept;
    for (const auto& [inputs, targets, classes] : DataLoader(numbers(300), {.batch_size = 1, .prefetch = prefetch}))
      kept.push_back(inputs);
    for (std::size_t i = 0; i < kept.size(); ++i) CHECK(kept[i].value()(0, 0) == static_cast<Scalar>(i));
  }
}

TEST_CASE("what a function draws depends on the seed, the epoch and the sample alone") {
  const FunctionDataset data(
      40, [](std::size_t i, Generator& generator) { return std::tuple(std::int64_t(i), generator.uniform()); });
  const auto epochs = [&](std::uint64_t seed, std::ptrdiff_t batch_size, bool shuffle, bool prefetch) {
    DataLoader loader(data, {.batch_size = batch_size, .shuffle = shuffle, .seed = seed, .prefetch = prefetch});
    std::map<std::pair<int, std::int64_t>, Scalar> values;
    for (int epoch = 0; epoch < 2; ++epoch)
      for (const auto& [samples, numbers] : loader)
        for (std::size_t i = 0; i < samples.size(); ++i) values[{epoch, samples(i)}] = numbers.value()(i);
    return values;
  };
  const auto first = epochs(1, 8, false, true);
  std::set<Scalar> different;
  for (const auto& [where, value] : first) different.insert(value);
  CHECK(different.size() == 80);
  CHECK(epochs(1, 3, true, false) == first);
  CHECK(epochs(2, 8, false, true) != first);
}

TEST_CASE("images with more classes than a byte can number") {
  std::vector<std::int64_t> labels = {0, 299, 256};
  const Dataset data(std::vector<std::uint8_t>(12), {1, 2, 2}, labels, std::vector<std::string>(300, "name"));
  CHECK(std::ranges::equal(data.labels(), labels));
  for (const auto& [images, classes] : DataLoader(data)) CHECK(std::ranges::equal(classes, labels));
}

TEST_CASE("a random split shares every sample out once, in parts of their shares") {
  struct Case {
    std::size_t count;
    std::vector<double> shares;
    std::vector<std::size_t> sizes;
  };
  for (const Case& c : {Case{10, {0.8, 0.2}, {8, 2}}, Case{100, {0.7, 0.2, 0.1}, {70, 20, 10}}, Case{7, {1}, {7}},
                        Case{3, {0.5, 0.5}, {2, 1}}, Case{1000, {1. / 3, 1. / 3, 1. / 3}, {334, 333, 333}}}) {
    const auto parts = random_parts(c.count, c.shares, 5);
    std::vector<std::size_t> sizes;
    std::vector<std::int64_t> all;
    for (const auto& part : parts) sizes.push_back(part.size()), all.insert(all.end(), part.begin(), part.end());
    CHECK(sizes == c.sizes);
    CHECK(sorted(all) == first_numbers(c.count));
    CHECK(parts == random_parts(c.count, c.shares, 5));
    if (c.count > 5) CHECK(parts != random_parts(c.count, c.shares, 6));
  }
  const std::vector<Dataset> parts = random_split(digits(100, 1), {0.75, 0.25}, 1);
  CHECK(parts[0].size() == 75);
  CHECK(parts[1].size() == 25);
}

TEST_CASE("a stratified split gives each part its share of each class") {
  std::vector<std::int64_t> classes;
  for (std::size_t i = 0; i < 1000; ++i) classes.push_back(i < 700 ? 4 : i < 990 ? 7 : 1);
  const auto parts = random_parts(1000, {0.9, 0.1}, 3, classes);
  std::map<std::int64_t, int> counts;
  for (const std::int64_t sample : parts[1]) ++counts[classes[static_cast<std::size_t>(sample)]];
  CHECK(counts == std::map<std::int64_t, int>{{1, 1}, {4, 70}, {7, 29}});
  CHECK(parts[0].size() == 900);
  CHECK(parts[1] != sorted(parts[1]));
  // Three of each of ten classes: a third of ten single samples is 3 or 4 of them, and not 0.
  std::vector<std::int64_t> few;
  for (std::int64_t i = 0; i < 10; ++i) few.push_back(i);
  CHECK(random_parts(10, {0.7, 0.3}, 3, few)[1].size() == 3);
}

TEST_CASE("weights draw samples in proportion, and balanced ones draw all classes alike") {
  DataLoader some(numbers(4), {.batch_size = 4, .seed = 1, .weights = {0, 3, 0, 1}});
  std::map<std::int64_t, int> counts;
  for (int epoch = 0; epoch < 1000; ++epoch)
    for (const std::int64_t number : epoch_of(some)) ++counts[number];
  CHECK(counts.size() == 2);
  CHECK(std::abs(counts[1] - 3000) < 150);
  CHECK(std::abs(counts[3] - 1000) < 150);

  std::vector<std::int64_t> labels(1000, 2);
  for (std::size_t i = 0; i < 50; ++i) labels[i] = 0;
  const std::vector<double> weights = balanced_weights(labels);
  CHECK(weights[0] == doctest::Approx(1. / 50));
  CHECK(weights[999] == doctest::Approx(1. / 950));
  DataLoader balanced(made(1000), {.seed = 2, .weights = weights});
  const std::vector<std::int64_t> order = epoch_of(balanced);
  CHECK(order.size() == 1000);
  const auto rare = std::ranges::count_if(order, [](std::int64_t number) { return number < 50; });
  CHECK(std::abs(rare - 500) < 80);
  DataLoader again(made(1000), {.seed = 2, .weights = weights});
  CHECK(epoch_of(again) == order);
  CHECK(epoch_of(again) != order);
}

TEST_CASE("datasets are joined") {
  const auto all = concatenate(std::vector{numbers(3), numbers(2)});
  DataLoader loader(all);
  CHECK(epoch_of(loader) == std::vector<std::int64_t>{0, 1, 2, 0, 1});
  const Dataset digits_of_two = concatenate({digits(3, 1), digits(2, 2)});
  CHECK(digits_of_two.size() == 5);
  CHECK(std::ranges::equal(digits_of_two.slice(3, 5).images(), digits(2, 2).images()));
  CHECK(std::ranges::equal(digits_of_two.select(std::vector<std::int64_t>{4, 0}).labels(),
                           std::vector{digits(2, 2).labels()[1], digits(3, 1).labels()[0]}));
}

TEST_CASE("what cannot be drawn from is refused") {
  const Tensor three = ones({3, 2});
  const IndexTensor four({1, 2, 3, 4});
  const Dataset small(std::vector<std::uint8_t>(4), {1, 2, 2}, {0}),
      named(std::vector<std::uint8_t>(4), {1, 2, 2}, {0}, {"a"});
  check_error<ShapeError>([&] { TensorDataset(three, four); },
                          {"[TensorDataset] expected tensors of (3, …), got (4,)"});
  check_error<ShapeError>([&] { TensorDataset(zeros({})); }, {"[TensorDataset]", "got ()"});
  check_error<ValueError>([&] { TensorDataset(zeros({0, 2})); }, {"one sample or more, got none"});
  check_error<ValueError>([&] { made(0); }, {"[FunctionDataset] expected one sample or more, got none"});
  check_error<ValueError>(
      [&] {
        numbers(3).select(std::vector<std::int64_t>{0, 3});
      },
      {"[select] sample 3 is not one of 3"});
  check_error<ValueError>([&] { made(3).select(std::vector<std::int64_t>{-1}); }, {"sample -1 is not one of 3"});
  check_error<ValueError>([&] { digits(3, 1).select({}); }, {"[select] expected one index or more, got none"});
  check_error<ValueError>([&] { random_parts(10, {0.5, 0.4}, 1); }, {"[random_split]", "add up to 1", "0.9"});
  check_error<ValueError>([&] { random_parts(10, {1, 0}, 1); }, {"above 0"});
  check_error<ValueError>([&] { random_parts(2, {0.4, 0.4, 0.2}, 1); }, {"of 2 samples, a share of 0.2 is none"});
  check_error<ValueError>([&] { random_parts(2, {1}, 1, std::vector<std::int64_t>{1}); }, {"a class for each of 2"});
  for (const std::vector<double>& weights : {std::vector<double>{1}, {1, -1, 0}, {0, 0, 0}, {1, 1, 1. / 0.}})
    check_error<ValueError>([&] { DataLoader(numbers(3), {.weights = weights}); }, {"[DataLoader] expected 3 weights"});
  check_error<ValueError>([&] { DataLoader(numbers(3), {.augment = Augmentation{}}); }, {"[DataLoader] augment"});
  check_error<ValueError>([&] { concatenate(std::vector<Dataset>{}); }, {"[concatenate]", "got none"});
  check_error<DataError>([&] { concatenate({small, digits(1, 1)}); }, {"[concatenate] expected images of (1, 2, 2)"});
  check_error<DataError>([&] { concatenate({small, named}); }, {"[concatenate]", "class names"});
  check_error<ShapeError>(
      [&] {
        concatenate(std::vector{TensorDataset(three), TensorDataset(ones({1, 3}))});
      },
      {"[concatenate] expected rows of one shape, got tensors of (4, 2) and (1, 3)"});
  const FunctionDataset ragged(2, [](std::size_t i) { return std::tuple(ones({i + 1})); });
  const auto draw = [&](bool prefetch) {
    for ([[maybe_unused]] const auto& batch : DataLoader(ragged, {.prefetch = prefetch})) FAIL("a ragged batch");
  };
  for (const bool prefetch : {false, true})
    check_error<ShapeError>([&] { draw(prefetch); }, {"[FunctionDataset] sample 1: expected a tensor of (1,)"});
}
