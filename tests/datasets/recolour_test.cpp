// Mirrored images, and images of other colours.
#include <xgrad/datasets/augment.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "datasets/warped.h"
#include "error.h"

using namespace xgrad;
using namespace xgrad::datasets;
using namespace warped_images;

TEST_CASE("mirrors exchange left and right in the share of images that was asked for, and change no other distortion") {
  const Shape shape = {3, 4, 6};
  const auto bytes = random_bytes(shape);
  const Tensor image = unit(bytes, shape);
  Tensor mirrored = image;
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t y = 0; y < 4; ++y)
      for (std::size_t x = 0; x < 6; ++x) mirrored(c, y, x) = image(c, y, 5 - x);
  Augmentation amounts = nothing;
  for (const double share : {0.0, 0.25, 1.0}) {
    amounts.mirror = share;
    const Augmenter augmenter(amounts, shape);
    constexpr int count = 2000;
    int seen = 0;
    for (int seed = 0; seed < count; ++seed) {
      const Tensor result = warped(bytes, shape, augmenter.source(static_cast<std::uint64_t>(seed)));
      CHECK((result == image || result == mirrored));
      seen += result == mirrored;
    }
    CHECK(std::abs(seen / double(count) - share) < (share == 0.25 ? 0.03 : 1e-9));
  }
  const Augmentation usual;
  amounts = usual, amounts.mirror = 1;
  const Tensor plain = Augmenter(usual, {1, 9, 9}).source(5), both = Augmenter(amounts, {1, 9, 9}).source(5);
  const Tensor none = Augmenter(
                          [&] {
                            Augmentation a = usual;
                            a.elastic = 0;
                            return a;
                          }(),
                          {1, 9, 9})
                          .source(5);
  for (std::size_t i = 0; i < 81; ++i)  // the columns of the affine part are mirrored, its rows stay
    CHECK(std::abs(both.data()[i] - plain.data()[i] - 2 * (4 - none.data()[i])) < 1e-4);
  for (std::size_t i = 81; i < 162; ++i) CHECK(both.data()[i] == plain.data()[i]);
}

TEST_CASE("each amount of colour is the largest that is drawn, and does what it says") {
  const Shape shape = {3, 2, 2};
  const Tensor image({{{0.5, 0.25}, {0.375, 0.5}}, {{0.25, 0.5}, {0.25, 0.375}}, {{0.375, 0.25}, {0.5, 0.25}}});
  const auto grey = [](const Tensor& x, std::size_t i) {
    return 0.299 * double(x.data()[i]) + 0.587 * double(x.data()[4 + i]) + 0.114 * double(x.data()[8 + i]);
  };
  const auto mean_grey = [&](const Tensor& x) { return (grey(x, 0) + grey(x, 1) + grey(x, 2) + grey(x, 3)) / 4; };
  struct Case {
    const char* name;
    double Augmentation::*amount;
    double most;
    std::function<double(const Tensor&, std::size_t, std::size_t)>
        middle;  // of pixel and channel: what does not change
  };
  const Case cases[] = {
      {"brightness", &Augmentation::brightness, 0.5, [](const Tensor&, std::size_t, std::size_t) { return 0.0; }},
      {"contrast", &Augmentation::contrast, 0.5,
       [&](const Tensor& x, std::size_t, std::size_t) { return mean_grey(x); }},
      {"saturation", &Augmentation::saturation, 0.5,
       [&](const Tensor& x, std::size_t i, std::size_t) { return grey(x, i); }},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Augmentation amounts = nothing;
    amounts.*c.amount = c.most;
    const Augmenter augmenter(amounts, shape);
    double least = 2, most = 0;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
      Tensor result = image;
      augmenter.recolour(result.data(), seed);
      const double middle = c.middle(image, 0, 0), factor = (double(result(0, 0, 0)) - middle) / (0.5 - middle);
      least = std::min(least, factor), most = std::max(most, factor);
      for (std::size_t i = 0; i < 12; ++i) {
        const double from = c.middle(image, i % 4, i / 4);
        CHECK(double(result.data()[i]) ==
              doctest::Approx(from + factor * (double(image.data()[i]) - from)).epsilon(1e-4));
      }
    }
    CHECK(std::abs(most - 1 - c.most) < 0.02);
    CHECK(std::abs(least - 1 + c.most) < 0.02);
  }
  // A third of a turn makes red green, and greys stay as they are.
  Augmentation hue = nothing;
  hue.hue = 120;
  const Augmenter augmenter(hue, {3, 1, 2});
  double most = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Tensor pixels({{{0.75, 0.5}}, {{0.25, 0.5}}, {{0.25, 0.5}}});
    augmenter.recolour(pixels.data(), seed);
    CHECK(double(pixels(0, 0, 0) + pixels(1, 0, 0) + pixels(2, 0, 0)) == doctest::Approx(1.25));
    for (std::size_t c = 0; c < 3; ++c) CHECK(double(pixels(c, 0, 1)) == doctest::Approx(0.5));
    most = std::max(most, double(pixels(1, 0, 0)));
    CHECK((pixels(1, 0, 0) <= 0.2501 || pixels(2, 0, 0) <= 0.2501));
  }
  CHECK(most > 0.745);
}

TEST_CASE("colours stay within [0, 1], come after the distortion and are grey where an image has one channel") {
  const Augmentation all{.mirror = 0.5, .brightness = 1, .contrast = 1, .saturation = 1, .hue = 180};
  const Shape shape = {3, 5, 4};
  const auto bytes = random_bytes(shape);
  const Dataset data = Dataset(bytes, shape, std::vector<int>{0}).augmented(all);
  const Augmenter augmenter(all, shape);
  const std::int64_t first[] = {0};
  Batch batch;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Tensor expected = warped(bytes, shape, augmenter.source(seed));
    const Tensor before = expected;
    augmenter.recolour(expected.data(), seed);
    CHECK(expected != before);
    data.fill(batch, first, seed);
    CHECK(std::equal(expected.begin(), expected.end(), batch.images.value().begin()));
    for (const Scalar pixel : expected) CHECK((pixel >= 0 && pixel <= 1));
  }
  Tensor grey({{{0.25, 0.75}}});
  Augmentation contrast = nothing;
  contrast.contrast = 0.5;
  Augmenter(contrast, {1, 1, 2}).recolour(grey.data(), 3);
  CHECK(double(grey(0, 0, 0) + grey(0, 0, 1)) == doctest::Approx(1));
  CHECK(grey(0, 0, 0) != Scalar(0.25));
}
