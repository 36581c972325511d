#include <xgrad/core/parallel.h>
#include <xgrad/core/random.h>
#include <xgrad/datasets/augment.h>
#include <xgrad/datasets/digits.h>
#include <xgrad/datasets/loader.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numbers>
#include <utility>

#include "datasets/warped.h"
#include "error.h"
#include "numbers.h"

using namespace xgrad;
using namespace xgrad::datasets;
using namespace warped_images;

namespace {

// Sources as a function of column and row.
using Place = std::pair<double, double>;
Tensor sources(std::size_t height, std::size_t width, const std::function<Place(double, double)>& source) {
  Tensor result = Tensor::from_shape({2, height, width});
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x) {
      const Place place = source(static_cast<double>(x), static_cast<double>(y));
      result(0, y, x) = Scalar(place.first), result(1, y, x) = Scalar(place.second);
    }
  return result;
}

}  // namespace

TEST_CASE("amounts of 0 leave every image as it is, to the bit") {
  for (const Shape& shape : {Shape{1, 28, 28}, Shape{3, 5, 4}, Shape{1, 1, 1}, Shape{2, 1, 9}}) {
    const auto bytes = random_bytes(shape);
    const Augmenter augmenter(nothing, shape);
    for (std::uint64_t seed = 0; seed < 20; ++seed)
      CHECK(warped(bytes, shape, augmenter.source(seed)) == unit(bytes, shape));
  }
}

TEST_CASE("a pixel becomes what the image has at its source, in every channel") {
  const Shape shape = {2, 3, 3};
  const auto bytes = random_bytes(shape);
  const Tensor image = unit(bytes, shape);
  struct Case {
    const char* name;
    std::function<Place(double, double)> source;
    std::function<Scalar(std::size_t, int, int)> expected;  // by channel, column and row
  };
  const auto at = [&](std::size_t c, int x, int y) {
    const bool inside = x >= 0 && x < 3 && y >= 0 && y < 3;
    return inside ? image(c, static_cast<std::size_t>(y), static_cast<std::size_t>(x)) : Scalar(0);
  };
  const Case cases[] = {
      {"one to the right", [](double x, double y) { return Place(x - 1, y); },
       [&](std::size_t c, int x, int y) { return at(c, x - 1, y); }},
      {"two to the left and one down", [](double x, double y) { return Place(x + 2, y - 1); },
       [&](std::size_t c, int x, int y) { return at(c, x + 2, y - 1); }},
      {"out of sight", [](double x, double y) { return Place(x - 1e6, y + 1e6); },
       [&](std::size_t, int, int) { return Scalar(0); }},
      {"a quarter turn clockwise", [](double x, double y) { return Place(y, 2 - x); },
       [&](std::size_t c, int x, int y) { return at(c, y, 2 - x); }},
      {"a quarter turn the other way", [](double x, double y) { return Place(2 - y, x); },
       [&](std::size_t c, int x, int y) { return at(c, 2 - y, x); }},
      {"twice as large", [](double x, double y) { return Place((x + 1) / 2, (y + 1) / 2); },
       [&](std::size_t c, int x, int y) {
         const int left = (x + 1) / 2, right = (x + 2) / 2, above = (y + 1) / 2, below = (y + 2) / 2;
         return (at(c, left, above) + at(c, right, above) + at(c, left, below) + at(c, right, below)) / 4;
       }},
      {"half a pixel to the right, where the outside fades in", [](double x, double y) { return Place(x - 0.5, y); },
       [&](std::size_t c, int x, int y) { return (at(c, x - 1, y) + at(c, x, y)) / 2; }},
      {"a quarter of a pixel up", [](double x, double y) { return Place(x, y + 0.25); },
       [&](std::size_t c, int x, int y) { return (3 * at(c, x, y) + at(c, x, y + 1)) / 4; }},
      {"nowhere", [](double, double) { return Place(not_a_number, not_a_number); },
       [&](std::size_t, int, int) { return Scalar(0); }},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Tensor result = warped(bytes, shape, sources(3, 3, c.source));
    for (std::size_t channel = 0; channel < 2; ++channel)
      for (int y = 0; y < 3; ++y)
        for (int x = 0; x < 3; ++x)
          CHECK(std::abs(result(channel, static_cast<std::size_t>(y), static_cast<std::size_t>(x)) -
                         c.expected(channel, x, y)) <= 2 * std::numeric_limits<Scalar>::epsilon());
  }
}

TEST_CASE("each amount is the largest that is drawn, and as often to one side as to the other") {
  // The affine map of sources about the centre of a 21 x 31 image, from pixels beside it.
  struct Map {
    double xx, xy, yx, yy, x0, y0;
  };
  struct Case {
    const char* name;
    Augmentation amounts;
    std::function<double(const Map&)> drawn;
    double most;
    std::function<Map(double)> expected;
  };
  constexpr double degree = std::numbers::pi / 180;
  const auto turned = [](double angle) {
    return Map{std::cos(angle), std::sin(angle), -std::sin(angle), std::cos(angle), 0, 0};
  };
  Augmentation shift = nothing, rotation = nothing, scale = nothing, shear = nothing;
  shift.shift = 3, rotation.rotation = 40, scale.scale = 0.3, shear.shear = 0.5;
  const Case cases[] = {
      {"shift", shift, [](const Map& m) { return -m.x0; }, 3, {}},
      {"shift down", shift, [](const Map& m) { return -m.y0; }, 3, {}},
      {"rotation", rotation, [](const Map& m) { return std::atan2(m.xy, m.xx); }, 40 * degree, turned},
      {"scale", scale, [](const Map& m) { return 1 / m.xx - 1; }, 0.3, {}},
      {"scale down", scale, [](const Map& m) { return 1 / m.yy - 1; }, 0.3, {}},
      {"shear", shear, [](const Map& m) { return -m.xy; }, 0.5, [](double k) { return Map{1, -k, 0, 1, 0, 0}; }},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Augmenter augmenter(c.amounts, {1, 21, 31});
    constexpr int count = 2000;
    double least = 0, most = 0, mean = 0;
    for (int seed = 0; seed < count; ++seed) {
      const Tensor s = augmenter.source(static_cast<std::uint64_t>(seed));
      const auto source = [&](std::size_t axis, std::size_t y, std::size_t x) { return double(s(axis, y, x)); };
      const Map map{(source(0, 10, 25) - source(0, 10, 5)) / 20,
                    (source(0, 20, 15) - source(0, 0, 15)) / 20,
                    (source(1, 10, 25) - source(1, 10, 5)) / 20,
                    (source(1, 20, 15) - source(1, 0, 15)) / 20,
                    source(0, 10, 15) - 15,
                    source(1, 10, 15) - 10};
      const double drawn = c.drawn(map);
      least = std::min(least, drawn), most = std::max(most, drawn), mean += drawn / count;
      if (!c.expected) continue;
      const Map expected = c.expected(drawn);
      for (const auto& [got, wanted] : {Place(map.xx, expected.xx), Place(map.xy, expected.xy),
                                        Place(map.yx, expected.yx), Place(map.yy, expected.yy), Place(map.x0, 0)})
        CHECK(std::abs(got - wanted) < 1e-5);
    }
    CHECK(std::abs(most / c.most - 1) < 0.02);
    CHECK(std::abs(least / c.most + 1) < 0.02);
    CHECK(std::abs(mean / c.most) < 0.06);
  }
}

TEST_CASE("elastic displacements have the amplitude and the smoothness that were asked for, up to the corners") {
  for (const auto& [amount, sigma] : {Place(1, 5), Place(2, 3)}) {
    Augmentation amounts = nothing;
    amounts.elastic = amount, amounts.smoothness = sigma;
    const Augmenter augmenter(amounts, {1, 20, 24});
    const Tensor still = Augmenter(nothing, {1, 20, 24}).source(0);
    const Place pixels[] = {{0, 0}, {23, 19}, {12, 10}, {7, 3}};
    constexpr int count = 4000;
    for (const auto& [x, y] : pixels) {
      const auto column = static_cast<std::size_t>(x), row = static_cast<std::size_t>(y);
      const auto step = static_cast<std::size_t>(sigma);
      const std::size_t column_beside = column < 12 ? column + step : column - step;
      const std::size_t row_beyond = row < 10 ? row + 2 * step : row - 2 * step;
      double across = 0, down = 0, both = 0, beside = 0, beyond = 0;
      for (int seed = 0; seed < count; ++seed) {
        const Tensor s = augmenter.source(static_cast<std::uint64_t>(seed)) - still;
        const auto dx = double(s(0, row, column)), dy = double(s(1, row, column));
        across += dx * dx / count, down += dy * dy / count, both += dx * dy / count;
        beside += dx * double(s(0, row, column_beside)) / count,
            beyond += dy * double(s(1, row_beyond, column)) / count;
      }
      CHECK(std::sqrt(across) == doctest::Approx(amount).epsilon(0.05));
      CHECK(std::sqrt(down) == doctest::Approx(amount).epsilon(0.05));
      CHECK(std::abs(both / across) < 0.05);
      // Noise that a Gaussian smooths is correlated like a Gaussian of sqrt(2) times its width.
      CHECK(std::abs(beside / across - std::exp(-0.25)) < 0.05);
      CHECK(std::abs(beyond / down - std::exp(-1.0)) < 0.06);
    }
  }
}

TEST_CASE("digits keep about as much ink") {
  const Dataset data = digits(500, 1);
  double total = 0, before_total = 0;
  DataLoader plain(data, {.batch_size = 1}), augmented(data, {.batch_size = 1, .augment = Augmentation{}, .seed = 1});
  auto before = plain.begin();
  for (const auto& [images, labels] : augmented) {
    double mass = 0, mass_before = 0;
    for (const Scalar pixel : images.value()) mass += double(pixel);
    for (const Scalar pixel : before->images.value()) mass_before += double(pixel);
    CHECK(mass / mass_before > 0.6);
    CHECK(mass / mass_before < 1.7);
    total += mass, before_total += mass_before;
    ++before;
  }
  CHECK(total / before_total == doctest::Approx(1).epsilon(0.03));
}

namespace {

// The images of the loader's next epoch by their labels, which tell them apart.
std::map<std::int64_t, Tensor> images_of(DataLoader<>& loader) {
  std::map<std::int64_t, Tensor> result;
  for (const auto& [images, labels] : loader)
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::size_t pixels = images.size() / labels.size();
      Tensor image = Tensor::from_shape({pixels});
      std::copy_n(images.value().data() + i * pixels, pixels, image.data());
      result[labels(i)] = image;
    }
  return result;
}

Dataset told_apart(std::size_t count) {
  const Dataset data = digits(count, 1);
  std::vector<std::uint8_t> labels(count);
  for (std::size_t i = 0; i < count; ++i) labels[i] = static_cast<std::uint8_t>(i);
  return Dataset({data.images().begin(), data.images().end()}, {1, 28, 28}, labels,
                 std::vector<std::string>(count, "one"));
}

}  // namespace

TEST_CASE("distorted images depend on the seed, the epoch and their index, and on nothing else") {
  const Dataset data = told_apart(150);
  const auto make = [&](LoaderOptions options) {
    options.augment = Augmentation{};
    if (!options.seed) options.seed = 1;
    return DataLoader(data, options);
  };
  DataLoader loader = make({});
  const auto first = images_of(loader), second = images_of(loader);
  CHECK(first.size() == 150);
  for (const auto& [label, image] : first) CHECK(image != second.at(label));

  const int threads = num_threads();
  for (int count : {1, 2})
    for (bool shuffle : {false, true})
      for (bool prefetch : {false, true})
        for (std::ptrdiff_t batch_size : {1, 64}) {
          set_num_threads(count);
          DataLoader other = make({.batch_size = batch_size, .shuffle = shuffle, .prefetch = prefetch});
          CHECK(images_of(other) == first);
          CHECK(images_of(other) == second);
        }
  set_num_threads(threads);
  DataLoader resumed = make({}), other_seed = make({.seed = 2});
  resumed.set_epoch(1);
  CHECK(images_of(resumed) == second);
  for (const auto& [label, image] : images_of(other_seed))
    CHECK((image != first.at(label) && image != second.at(label)));

  // Images of one epoch are not all distorted alike.
  const Augmenter augmenter(Augmentation{}, {1, 28, 28});
  CHECK(augmenter.source(1) == augmenter.source(1));
  CHECK(augmenter.source(1) != augmenter.source(2));
}

TEST_CASE("a loader that augments with amounts of 0 is as one that does not, and draws a seed") {
  const Dataset data = told_apart(20);
  DataLoader plain(data), still(data, {.augment = nothing});
  CHECK(images_of(plain) == images_of(still));
  seed(5);
  CHECK(DataLoader(data, {.augment = nothing}).seed() != DataLoader(data, {.augment = nothing}).seed());
  CHECK(DataLoader(data).seed() == 0);
}

TEST_CASE("amounts and shapes out of range are refused") {
  struct Case {
    const char* name;
    double Augmentation::*amount;
    double most, too_much;
  };
  const Case cases[] = {
      {"shift", &Augmentation::shift, 28, 28.5},   {"rotation", &Augmentation::rotation, 180, 181},
      {"scale", &Augmentation::scale, 0.9, 1},     {"shear", &Augmentation::shear, 2, 3},
      {"elastic", &Augmentation::elastic, 28, 29}, {"smoothness", &Augmentation::smoothness, 1000, 1e4},
      {"mirror", &Augmentation::mirror, 1, 1.5},   {"brightness", &Augmentation::brightness, 1, 2},
      {"contrast", &Augmentation::contrast, 1, 2}};
  for (const Case& c : cases) {
    Augmentation amounts;
    const auto make = [&] { DataLoader(digits(1), {.augment = amounts}); };
    for (double bad : {-1.0, c.too_much, not_a_number, infinity, -infinity}) {
      amounts.*c.amount = bad;
      check_error<ValueError>(make,
                              {"[Augmenter] expected " + std::string(c.name), message("to ", c.most, ", got ", bad)});
    }
    amounts.*c.amount = c.most;
    make();
  }
  check_error<ValueError>([] { Augmenter({.smoothness = 0.5}, {1, 28, 28}); }, {"smoothness from 1 to 1000, got 0.5"});
  for (const auto& [name, amount, most] :
       {std::tuple("saturation", &Augmentation::saturation, 1.0), std::tuple("hue", &Augmentation::hue, 180.0)}) {
    Augmentation amounts;
    const auto make = [&](std::size_t channels) { return Augmenter(amounts, {channels, 8, 8}); };
    amounts.*amount = most;
    CHECK_NOTHROW(make(3));
    check_error<ValueError>([&] { make(1); }, {"saturation and hue are of 3 channels", "(1, 8, 8)"});
    amounts.*amount = 2 * most;
    check_error<ValueError>([&] { make(3); }, {name, message("to ", most, ", got ", 2 * most)});
  }
  check_error<ShapeError>([] { Augmenter({}, {28, 28}); }, {"[Augmenter]", "(channels, height, width)", "(28, 28)"});
  check_error<ShapeError>([] { Augmenter({}, {1, 0, 28}); }, {"(1, 0, 28)"});
  check_error<ShapeError>(
      [] {
        warp(nullptr, {1, 2, 3}, zeros({2, 3, 2}), nullptr);
      },
      {"[warp]", "(2, 2, 3)", "(2, 3, 2)"});
}
