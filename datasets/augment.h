// Random distortions of training images, so that a network meets each one in many forms.
#pragma once

#include <xgrad/core/tensor.h>

#include <cstdint>

namespace xgrad::datasets {

/// How far images are distorted. An amount of 0 leaves that distortion out; the amounts given here suit handwriting of
/// 28 x 28 pixels. The affine ones are as in Ciresan et al. 2010. The elastic one is that of Simard, Steinkraus & Platt
/// 2003, whose alpha of 34 with a sigma of 4 is an `elastic` of 1.4 with a `smoothness` of 4. Photographs are mirrored,
/// and their colours changed, as in Krizhevsky et al. 2012 and Howard 2013: in this order, each result within [0, 1].
struct Augmentation {
  double shift = 2;       ///< to any side, up to this many pixels
  double rotation = 10;   ///< to either side, up to this many degrees
  double scale = 0.1;     ///< width and height, each by a factor from 1 - scale to 1 + scale
  double shear = 0.1;     ///< sideways, up to this many pixels for each pixel up or down
  double elastic = 1;     ///< a random displacement of each pixel, across and down: its root mean square, in pixels
  double smoothness = 5;  ///< of that displacement: the sigma of a Gaussian, in pixels
  double mirror = 0;      ///< the share of images whose left and right change places
  double brightness = 0;  ///< each pixel, by a factor from 1 - brightness to 1 + brightness
  double contrast = 0;    ///< its distance from the image's mean grey, by such a factor
  double saturation = 0;  ///< its distance from its own grey, by such a factor; of 3 channels
  double hue = 0;  ///< its colour, to either side, up to this many degrees about the axis of greys; of 3 channels
};

/// Makes an image of bytes / 255 of an image of bytes, both of `shape`, (channels, height, width). A pixel becomes what
/// the image has at the pixel's `source`, interpolated linearly, and 0 outside. Sources are (2, height, width):
/// columns, then rows, in pixels. ShapeError where they are not.
void warp(const std::uint8_t* image, const Shape& shape, const Tensor& source, Scalar* to);

/// Random distortions of images of one shape, each depending on nothing but the amounts and a seed.
class Augmenter {
 public:
  /// Images of (channels, height, width): ShapeError for anything else. ValueError for an amount that is negative, NaN
  /// or absurd, and for saturation and hue of images that do not have 3 channels: red, green and blue.
  Augmenter(const Augmentation& amounts, const Shape& shape);

  /// Where the pixels of a distorted image come from, for warp().
  Tensor source(std::uint64_t seed) const;
  /// Changes the colours of an image in [0, 1]. Grey is ITU-R BT.601's luma; of other than 3 channels, their mean.
  void recolour(Scalar* image, std::uint64_t seed) const;

 private:
  Augmentation amounts_;
  Shape shape_;
  Tensor across_, down_;  // (knots, width) and (knots, height): what a knot of the noise gives to a pixel
};

}  // namespace xgrad::datasets
