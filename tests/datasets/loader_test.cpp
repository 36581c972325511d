#include <sys/wait.h>
#include <unistd.h>
#include <xgrad/core/random.h>
#include <xgrad/datasets/loader.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <stdexcept>

#include "error.h"

using namespace xgrad;
using namespace xgrad::datasets;

namespace {

// Image i is all i, modulo 256; its label is i modulo 10.
Dataset numbered(std::size_t count, const Shape& shape = {1, 2, 3}) {
  std::vector<std::uint8_t> images, labels;
  for (std::size_t i = 0; i < count; ++i) {
    images.insert(images.end(), element_count(shape), static_cast<std::uint8_t>(i));
    labels.push_back(static_cast<std::uint8_t>(i % 10));
  }
  return Dataset(images, shape, labels);
}

// The images of one epoch in order, each checked against its label.
std::vector<int> epoch_of(DataLoader<>& loader, std::size_t* batches = nullptr) {
  std::vector<int> order;
  for (const auto& [images, labels] : loader) {
    REQUIRE(images.shape()[0] == labels.size());
    const std::size_t pixels = images.size() / labels.size();
    for (std::size_t i = 0; i < labels.size(); ++i) {
      order.push_back(static_cast<int>(images.value().data()[i * pixels] * 255 + Scalar(0.5)));
      CHECK(labels(i) == order.back() % 10);
    }
    if (batches) ++*batches;
  }
  return order;
}

std::vector<int> in_order(std::size_t count) {
  std::vector<int> order(count);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

}  // namespace

static_assert(std::input_iterator<DataLoader<>::Iterator>);

TEST_CASE("batches hold the bytes divided by 255, with their shape") {
  std::vector<std::uint8_t> bytes(512);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  DataLoader loader(Dataset(bytes, {2, 16, 16}, {7}));
  for (const auto& [images, labels] : loader) {
    CHECK(images.shape() == Shape{1, 2, 16, 16});
    CHECK(labels.shape() == IndexTensor::shape_type{1});
    CHECK(labels(0) == 7);
    CHECK_FALSE(images.requires_grad());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const double expected = bytes[i] / 255.0, value = static_cast<double>(images.value().data()[i]);
      CHECK(std::abs(value - expected) <= std::numeric_limits<Scalar>::epsilon() * expected);
      CHECK(value <= 1);
    }
  }
}

TEST_CASE("without a shuffle the samples come as they are, and the last batch may be smaller") {
  struct Case {
    std::size_t samples;
    std::ptrdiff_t batch_size;
    bool drop_last;
    std::size_t batches, seen;
  };
  const Case cases[] = {{10, 3, false, 4, 10},
                        {10, 3, true, 3, 9},
                        {9, 3, false, 3, 9},
                        {9, 3, true, 3, 9},
                        {2, 64, false, 1, 2},
                        {5, 1, true, 5, 5},
                        {100, 7, false, 15, 100},
                        {100, 7, true, 14, 98},
                        {64, 1, false, 64, 64},
                        {65, 1, false, 65, 65},
                        {128, 1, false, 128, 128},
                        {129, 1, false, 129, 129},
                        {3, std::numeric_limits<std::ptrdiff_t>::max(), false, 1, 3}};
  for (const Case& c : cases)
    for (bool prefetch : {false, true}) {
      CAPTURE(c.samples);
      CAPTURE(c.batch_size);
      DataLoader loader(numbered(c.samples),
                        {.batch_size = c.batch_size, .drop_last = c.drop_last, .prefetch = prefetch});
      std::size_t batches = 0;
      CHECK(epoch_of(loader, &batches) == in_order(c.seen));
      CHECK(batches == c.batches);
      CHECK(loader.size() == c.batches);
    }
}

TEST_CASE("large batches, which change hands one by one, come in order too") {
  for (bool prefetch : {false, true}) {
    DataLoader loader(numbered(100, {1, 100, 100}), {.batch_size = 30, .prefetch = prefetch});
    CHECK(epoch_of(loader) == in_order(100));
  }
}

TEST_CASE("a shuffle is a permutation that depends on the seed and the epoch, and on nothing else") {
  const auto shuffled = [](std::uint64_t seed, bool prefetch = true) {
    return DataLoader(numbered(100), {.batch_size = 7, .shuffle = true, .seed = seed, .prefetch = prefetch});
  };
  DataLoader loader = shuffled(1), twin = shuffled(1, false), other = shuffled(2), resumed = shuffled(1);
  const std::vector<int> first = epoch_of(loader), second = epoch_of(loader), of_other = epoch_of(other);
  for (std::vector<int> order : {first, second, of_other}) {
    CHECK(order != in_order(100));
    std::sort(order.begin(), order.end());
    CHECK(order == in_order(100));
  }
  CHECK(first != second);
  CHECK(first != of_other);
  CHECK(second != of_other);  // a seed is not merely added to the epoch
  CHECK(epoch_of(twin) == first);
  CHECK(epoch_of(twin) == second);
  CHECK(loader.epoch() == 2);
  resumed.set_epoch(1);
  CHECK(epoch_of(resumed) == second);
}

TEST_CASE("without a seed, one comes from the default generator if the samples are to be shuffled") {
  const auto seeds = [](bool shuffle) {
    seed(5);
    DataLoader a(numbered(5), {.shuffle = shuffle}), b(numbered(5), {.shuffle = shuffle});
    return std::pair(a.seed(), b.seed());
  };
  CHECK(seeds(true) == seeds(true));
  CHECK(seeds(true).first != seeds(true).second);
  seed(5);
  const std::uint64_t untouched = default_generator().bits();
  CHECK(seeds(false) == std::pair<std::uint64_t, std::uint64_t>(0, 0));
  CHECK(default_generator().bits() == untouched);
}

TEST_CASE("a loop may be left at any batch") {
  for (bool prefetch : {false, true})
    for (std::size_t stop = 0; stop < 20; ++stop) {
      DataLoader loader(numbered(40), {.batch_size = 2, .prefetch = prefetch});
      std::size_t seen = 0;
      for (const auto& batch : loader) {
        CHECK(batch.labels(0) == static_cast<std::int64_t>(2 * seen % 10));
        if (seen++ == stop) break;
      }
      const auto leave_by_exception = [&] {
        for ([[maybe_unused]] const auto& batch : loader) throw std::runtime_error("left");
      };
      CHECK_THROWS_WITH(leave_by_exception(), "left");
      CHECK(epoch_of(loader) == in_order(40));
      CHECK(loader.epoch() == 3);
    }
}

TEST_CASE("epochs run side by side, and outlive their loader") {
  for (bool prefetch : {false, true}) {
    auto loader = std::make_unique<DataLoader<>>(numbered(40), LoaderOptions{.batch_size = 2, .prefetch = prefetch});
    auto outer = loader->begin();
    std::ranges::advance(outer, 3);
    CHECK(epoch_of(*loader) == in_order(40));
    CHECK(outer->labels(0) == 6);
    loader.reset();
    for (std::int64_t label = 6; outer != std::default_sentinel; ++outer, label += 2)
      CHECK(outer->labels(0) == label % 10);
  }
}

TEST_CASE("a process that is forked within a loop may go on with it, or leave it, and so may its parent") {
  const auto rest = [](DataLoader<>::Iterator& batch, std::int64_t label) {
    for (; batch != std::default_sentinel; ++batch, ++label)
      if (batch->labels(0) != label % 10) return false;
    return label == 400;
  };
  for (const bool leave : {false, true})
    for (const std::ptrdiff_t stop : {0, 5, 63, 64, 300}) {
      CAPTURE(leave);
      CAPTURE(stop);
      DataLoader loader(numbered(400, {1, 8, 8}), {.batch_size = 1});
      std::optional<DataLoader<>::Iterator> batch = loader.begin();
      std::ranges::advance(*batch, stop);
      const pid_t child = fork();
      if (child == 0) {
        alarm(20);  // a child that hangs is killed
        const bool good = leave || rest(*batch, stop);
        batch.reset();
        _exit(good ? 0 : 1);
      }
      int status = -1;
      REQUIRE(waitpid(child, &status, 0) == child);
      CHECK(status == 0);
      CHECK(rest(*batch, stop));
    }
}

TEST_CASE("a Variable that is kept stays as it was, and the storage of others is used again") {
  for (bool prefetch : {false, true}) {
    DataLoader loader(numbered(2000), {.batch_size = 5, .prefetch = prefetch});
    std::vector<Variable> kept;
    std::vector<const Scalar*> places;
    for (const auto& [images, labels] : loader) {
      if (kept.size() < 3) kept.push_back(images);
      places.push_back(images.value().data());
    }
    for (std::size_t i = 0; i < kept.size(); ++i)
      CHECK(kept[i].value().data()[0] == doctest::Approx(static_cast<double>(5 * i) / 255));
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    CHECK(places.size() <= 128 + 3);  // two groups of 64, at most
  }
}

TEST_CASE("a loader goes on in the middle of an epoch, with the batches that were left") {
  const Augmentation augmentation;
  const auto pixels = [](const Batch& batch) {
    return std::pair(batch.images.value(), std::vector<std::int64_t>(batch.labels.begin(), batch.labels.end()));
  };
  for (bool prefetch : {false, true})
    for (std::ptrdiff_t batch_size : {1, 2, 7, 150}) {  // with several groups of 64, one, and a single batch
      const Dataset data = numbered(150, {1, 4, 4});
      const LoaderOptions options{
          .batch_size = batch_size, .shuffle = true, .augment = augmentation, .seed = ~0ULL, .prefetch = prefetch};
      DataLoader loader(data, options);
      std::vector<StateDict> states;  // before the first epoch, after each batch, between the epochs
      std::vector<std::pair<Tensor, std::vector<std::int64_t>>> batches;
      for (int epoch = 0; epoch < 2; ++epoch) {
        states.push_back(loader.state_dict());
        for (const Batch& batch : loader) {
          batches.push_back(pixels(batch));
          states.push_back(loader.state_dict());
        }
      }
      const std::size_t in_epoch = loader.size();
      LoaderOptions unseeded = options;
      unseeded.seed.reset();
      DataLoader resumed(data, unseeded);
      for (std::size_t i = 0; i < states.size(); ++i) {
        CAPTURE(batch_size);
        CAPTURE(i);
        resumed.load_state_dict(states[i]);
        CHECK(resumed.state_dict().scalars == states[i].scalars);
        CHECK(resumed.state_dict().texts == states[i].texts);
        const std::size_t epoch = i / (in_epoch + 1), taken = i % (in_epoch + 1);
        std::size_t next = epoch * in_epoch + taken;
        for (const Batch& batch : resumed) CHECK((pixels(batch) == batches[next++]));
        CHECK(next == (epoch + 1) * in_epoch);
        CHECK(resumed.epoch() == epoch + 1);
        CHECK(resumed.state_dict().scalars[1].second == 0);
      }
    }
}

TEST_CASE("a loop that was left has ended its epoch, and set_epoch() forgets the batches taken") {
  DataLoader loader(numbered(10), {.batch_size = 2});
  for ([[maybe_unused]] const auto& batch : loader) break;
  const StateDict left = loader.state_dict();
  CHECK(left.scalars[0] == std::pair<std::string, double>("epoch", 1));
  CHECK(left.scalars[1] == std::pair<std::string, double>("taken", 0));
  StateDict inside = left;
  inside.scalars[1].second = 3;
  loader.load_state_dict(inside);
  loader.set_epoch(0);
  CHECK(epoch_of(loader) == in_order(10));
}

TEST_CASE("the state of another loader is refused, and changes nothing") {
  DataLoader loader(numbered(10), {.batch_size = 2, .seed = 5});
  StateDict state = DataLoader(numbered(12), {.batch_size = 3}).state_dict();
  state.scalars[1].second = 6;
  state.texts[0].second = "5x";
  check_error<DataError>([&] { loader.load_state_dict(state); },
                         {"[DataLoader]", "samples: expected 10, got 12", "batch_size: expected 2, got 3",
                          "taken: expected at most 5, got 6", "seed: expected a number, got '5x'"});
  CHECK(loader.seed() == 5);
  CHECK(epoch_of(loader) == in_order(10));
}

TEST_CASE("a loop over a temporary loader works") {
  std::size_t seen = 0;
  for (const auto& [images, labels] : DataLoader(numbered(10), {.batch_size = 4})) seen += labels.size();
  CHECK(seen == 10);
}

TEST_CASE("options out of range are refused") {
  check_error<ValueError>([] { DataLoader(numbered(5), {.batch_size = 0}); }, {"[DataLoader]", "batch_size", "got 0"});
  check_error<ValueError>([] { DataLoader(numbered(5), {.batch_size = -1}); }, {"batch_size", "1 or more", "got -1"});
  check_error<ValueError>([] { DataLoader(numbered(5), {.batch_size = 6, .drop_last = true}); },
                          {"batch_size 6", "drop_last", "5 samples"});
}
