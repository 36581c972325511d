// Pictures from files, and folders of them with one folder for each class.
#pragma once

#include <xgrad/core/file.h>
#include <xgrad/datasets/dataset.h>

#include <array>
#include <filesystem>
#include <optional>

namespace xgrad::datasets {

struct Picture {
  Shape shape;                       ///< (channels, height, width): 1 channel is grey, 3 are red, green and blue
  std::vector<std::uint8_t> pixels;  ///< in row-major order
};

struct PictureOptions {
  std::optional<std::size_t> channels = {};             ///< 1 or 3; else those of the file (of the first, for a folder)
  std::optional<std::array<std::size_t, 2>> size = {};  ///< (height, width) to which pictures are scaled
  LoadOptions load = {};
};

/// Reads PNG, JPEG, and PGM or PPM with binary samples of a byte, which the first bytes tell, and not the name. What is
/// transparent is shown on white. DataError, with the file, for anything else, for a file that is damaged or not
/// whole, and for PNG and JPEG where the library was built without libpng and libturbojpeg (XGRAD_USE_PICTURES).
/// ValueError for options out of range.
Picture read_picture(const std::filesystem::path& file, const PictureOptions& options = {});

/// Each pixel is a mean of those that it covers, or, where it is smaller than they are, between the nearest ones: a
/// triangle filter along each axis. ValueError for a size of 0.
Picture scaled(const Picture& picture, std::size_t height, std::size_t width);

/// FOLDER/CLASS/*.png, .jpg, .jpeg, .pgm and .ppm, whatever the case. Classes, and the pictures of each, are in the
/// order of their names. Other files, and what begins with a dot, are left alone. DataError, with the file, for
/// pictures of different sizes where no `size` is asked for, a class without pictures, and a folder without classes.
Dataset picture_folder(const std::filesystem::path& folder, const PictureOptions& options = {});

}  // namespace xgrad::datasets
