#include <xgrad/core/errors.h>
#include <xgrad/core/gemm.h>
#include <xgrad/datasets/augment.h>
#include <xgrad/datasets/dataset.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace xgrad::datasets {
namespace {

// SplitMix64 (Steele, Lea & Flood 2014): each image has a sequence of its own, and filling the 312 words of a Generator
// would take longer than all the rest.
struct Draws {
  std::uint64_t state;

  std::uint64_t bits() {
    std::uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  // Uniform from -most to most, and from 0 to below 1.
  Scalar within(double most) { return Scalar(most * (static_cast<double>(bits() >> 11) * 0x1p-52 - 1)); }
  double share() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
};

// Mirrors and colours have sequences of their own: an amount that is added changes nothing of the other distortions.
constexpr std::uint64_t of_mirrors = 0x6d6972726f72, of_colours = 0x636f6c6f7572;

// Random numbers on a grid with a knot at every sigma pixels, each spread by a Gaussian, are as smooth as Simard's,
// which smooth one for each pixel, and cost a fraction. The squares of a pixel's weights add up to 1: it varies as much
// as the numbers do.
Tensor gaussians(std::size_t size, double sigma) {
  constexpr std::size_t reach = 2;  // knots before the first pixel, and after the last
  const std::size_t knots = static_cast<std::size_t>(static_cast<double>(size - 1) / sigma) + 2 * reach + 1;
  Tensor weights = Tensor::from_shape({knots, size});
  for (std::size_t i = 0; i < size; ++i) {
    double squares = 0;
    for (std::size_t k = 0; k < knots; ++k) {
      const double distance = static_cast<double>(i) / sigma + reach - static_cast<double>(k);
      weights(k, i) = Scalar(std::exp(-distance * distance / 2));
      squares += std::exp(-distance * distance);
    }
    for (std::size_t k = 0; k < knots; ++k) weights(k, i) /= Scalar(std::sqrt(squares));
  }
  return weights;
}

}  // namespace

void warp(const std::uint8_t* image, const Shape& shape, const Tensor& source, Scalar* to) {
  const std::size_t channels = shape[0], height = shape[1], width = shape[2], pixels = height * width;
  if (source.shape() != Shape{2, height, width})
    throw ShapeError(message("[warp] expected sources of ", Shape{2, height, width}, ", got ", source.shape()));
  // Framed by zeros, one before and two after, so that what lies outside needs no check at each pixel.
  const std::size_t stride = width + 3, framed_size = (height + 3) * stride;
  std::vector<Scalar> framed(channels * framed_size);
  for (std::size_t line = 0; line < channels * height; ++line)
    to_unit(image + line * width, width, &framed[line / height * framed_size + (line % height + 1) * stride + 1]);
  const Scalar *x = source.data(), *y = x + pixels;
  for (std::size_t i = 0; i < pixels; ++i) {
    const Scalar u = std::min(std::max(Scalar(0), x[i] + 1), Scalar(width + 1));  // not std::clamp: NaN becomes 0
    const Scalar v = std::min(std::max(Scalar(0), y[i] + 1), Scalar(height + 1));
    const int column = static_cast<int>(u), row = static_cast<int>(v);
    const Scalar right = u - Scalar(column), down = v - Scalar(row);
    const Scalar* p = framed.data() + row * static_cast<int>(stride) + column;
    for (std::size_t c = 0; c < channels; ++c, p += framed_size) {
      const Scalar above = p[0] + right * (p[1] - p[0]), below = p[stride] + right * (p[stride + 1] - p[stride]);
      to[c * pixels + i] = above + down * (below - above);
    }
  }
}

Augmenter::Augmenter(const Augmentation& amounts, const Shape& shape) : amounts_(amounts), shape_(shape) {
  if (shape.size() != 3 || element_count(shape) == 0)
    throw ShapeError(message("[Augmenter] expected images of (channels, height, width), got ", shape));
  const auto check = [](const char* name, double amount, double least, double most) {
    if (!(amount >= least && amount <= most))
      throw ValueError(message("[Augmenter] expected ", name, " from ", least, " to ", most, ", got ", amount));
  };
  const auto side = static_cast<double>(std::max(shape[1], shape[2]));
  check("shift", amounts.shift, 0, side);
  check("rotation", amounts.rotation, 0, 180);
  check("scale", amounts.scale, 0, 0.9);
  check("shear", amounts.shear, 0, 2);
  check("elastic", amounts.elastic, 0, side);
  check("smoothness", amounts.smoothness, 1, 1000);
  check("mirror", amounts.mirror, 0, 1);
  check("brightness", amounts.brightness, 0, 1);
  check("contrast", amounts.contrast, 0, 1);
  check("saturation", amounts.saturation, 0, 1);
  check("hue", amounts.hue, 0, 180);
  if (shape[0] != 3 && (amounts.saturation > 0 || amounts.hue > 0))
    throw ValueError(message("[Augmenter] saturation and hue are of 3 channels, got images of ", shape));
  across_ = gaussians(shape[2], amounts.smoothness);
  down_ = gaussians(shape[1], amounts.smoothness);
}

Tensor Augmenter::source(std::uint64_t seed) const {
  Draws draws{Draws{seed}.bits()};
  const Scalar angle = draws.within(amounts_.rotation) * std::numbers::pi_v<Scalar> / 180;
  const Scalar cosine = std::cos(angle), sine = std::sin(angle), shear = draws.within(amounts_.shear);
  const Scalar wider = 1 + draws.within(amounts_.scale), higher = 1 + draws.within(amounts_.scale);
  const Scalar right = draws.within(amounts_.shift), down = draws.within(amounts_.shift);
  const Scalar middle_x = Scalar(shape_[2] - 1) / 2, middle_y = Scalar(shape_[1] - 1) / 2;
  const Scalar side = Draws{seed ^ of_mirrors}.share() < amounts_.mirror ? -1 : 1;
  Tensor from = Tensor::from_shape({2, shape_[1], shape_[2]});
  Scalar *x = from.data(), *y = x + shape_[1] * shape_[2];
  for (std::size_t row = 0; row < shape_[1]; ++row)
    for (std::size_t column = 0; column < shape_[2]; ++column) {  // the way back: from the shift to the scale
      const Scalar a = Scalar(column) - middle_x - right, b = Scalar(row) - middle_y - down;
      const Scalar u = cosine * a + sine * b, v = cosine * b - sine * a;
      *x++ = middle_x + side * (u - shear * v) / wider;
      *y++ = middle_y + v / higher;
    }
  if (amounts_.elastic == 0) return from;
  const double most = std::sqrt(3.0) * amounts_.elastic;  // of a uniform number with that root mean square
  Tensor noise = Tensor::from_shape({2, down_.shape(0), across_.shape(0)});
  for (Scalar& number : noise.storage()) number = draws.within(most);
  Tensor spread = Tensor::from_shape({2, down_.shape(0), shape_[2]});
  gemm(noise, across_, spread);
  gemm(down_, spread, from, {.transpose_a = true, .accumulate = true});
  return from;
}

void Augmenter::recolour(Scalar* image, std::uint64_t seed) const {
  const std::size_t channels = shape_[0], pixels = shape_[1] * shape_[2];
  Draws draws{Draws{seed ^ of_colours}.bits()};
  const Scalar brighter = 1 + draws.within(amounts_.brightness), stronger = 1 + draws.within(amounts_.contrast);
  const Scalar purer = 1 + draws.within(amounts_.saturation);
  const Scalar angle = draws.within(amounts_.hue) * std::numbers::pi_v<Scalar> / 180;
  const auto grey = [&](std::size_t i) {
    const auto at = [&](std::size_t c) { return image[c * pixels + i]; };
    if (channels == 3) return Scalar(0.299) * at(0) + Scalar(0.587) * at(1) + Scalar(0.114) * at(2);
    Scalar sum = 0;
    for (std::size_t c = 0; c < channels; ++c) sum += at(c);
    return sum / Scalar(channels);
  };
  const auto within = [](Scalar value) { return std::clamp(value, Scalar(0), Scalar(1)); };
  if (amounts_.brightness > 0)
    for (std::size_t i = 0; i < channels * pixels; ++i) image[i] = within(brighter * image[i]);
  if (amounts_.contrast > 0) {
    double sum = 0;
    for (std::size_t i = 0; i < pixels; ++i) sum += static_cast<double>(grey(i));
    const auto mean = static_cast<Scalar>(sum / static_cast<double>(pixels));
    for (std::size_t i = 0; i < channels * pixels; ++i) image[i] = within(mean + stronger * (image[i] - mean));
  }
  if (amounts_.saturation > 0)
    for (std::size_t i = 0; i < pixels; ++i) {
      const Scalar own = grey(i);
      for (std::size_t c = 0; c < 3; ++c) image[c * pixels + i] = within(own + purer * (image[c * pixels + i] - own));
    }
  if (amounts_.hue > 0) {
    // Rodrigues' rotation about (1, 1, 1) / sqrt(3): what a channel takes of itself and of the others.
    const Scalar rest = (1 - std::cos(angle)) / 3, turn = std::sin(angle) / std::numbers::sqrt3_v<Scalar>;
    const Scalar own = 1 - 2 * rest, next = rest - turn, last = rest + turn;
    for (std::size_t i = 0; i < pixels; ++i) {
      Scalar &r = image[i], &g = image[pixels + i], &b = image[2 * pixels + i];
      const Scalar red = r, green = g, blue = b;
      r = within(own * red + next * green + last * blue);
      g = within(own * green + next * blue + last * red);
      b = within(own * blue + next * red + last * green);
    }
  }
}

}  // namespace xgrad::datasets
