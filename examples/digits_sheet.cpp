// Looks at a dataset: writes a contact sheet, one row a class, of digits that the library draws itself or of the test
// images in a folder of MNIST's layout, as they are or augmented.
#include <xgrad/datasets/digits.h>
#include <xgrad/datasets/loader.h>
#include <xgrad/datasets/mnist.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/program.h"
#include "cli/text.h"

using namespace xgrad;

namespace {

constexpr std::size_t columns = 24, gap = 2;

struct Sheet {
  std::size_t high, wide, width, height;  // of an image; of the sheet
  std::vector<std::uint8_t> pixels;       // (height, width), grey
  std::vector<std::size_t> shown;         // images by class

  explicit Sheet(const datasets::Dataset& data)
      : high(data.image_shape()[1]),
        wide(data.image_shape()[2]),
        width(columns * (wide + gap)),
        height(data.class_names().size() * (high + gap)),
        pixels(width * height, 255),
        shown(data.class_names().size(), 0) {}

  // Each image to the next place in the row of its class, up to the column `end`, dark on light.
  void add(const datasets::Batch& batch, std::size_t end) {
    for (std::size_t i = 0; i < batch.labels.size(); ++i) {
      const auto row = static_cast<std::size_t>(batch.labels(i));
      if (shown[row] == end) continue;
      const std::size_t left = shown[row]++ * (wide + gap), top = row * (high + gap);
      for (std::size_t y = 0; y < high; ++y)
        for (std::size_t x = 0; x < wide; ++x)
          pixels[(top + y) * width + left + x] =
              static_cast<std::uint8_t>(255 * (1 - batch.images.value()(i, 0, y, x)) + Scalar(0.5));
    }
  }
};

// Augmented: the first image of each class, and beside it what a network in training would see of it, epoch by epoch.
Sheet contact_sheet(const datasets::Dataset& data, bool augment) {
  Sheet sheet(data);
  for (const auto& batch : datasets::DataLoader(data)) sheet.add(batch, augment ? 1 : columns);
  datasets::DataLoader augmented(data, {.augment = datasets::Augmentation{}, .seed = 1});
  for (std::size_t end = 2; augment && end <= columns; ++end)
    for (const auto& batch : augmented) {
      sheet.add(batch, end);
      if (std::ranges::all_of(sheet.shown, [=](std::size_t count) { return count == end; })) break;
    }
  return sheet;
}

std::string big_endian(std::size_t number) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(number >> shift);
  return bytes;
}

// A part of a PNG file (W3C, Portable Network Graphics, section 5.3): length, type, data, CRC of type and data.
std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(data.size()) + body + big_endian(crc);
}

std::string png(const Sheet& sheet) {
  std::string lines;
  for (std::size_t y = 0; y < sheet.height; ++y) {
    lines += '\0';  // this line is stored as it is
    lines.append(sheet.pixels.begin() + static_cast<std::ptrdiff_t>(y * sheet.width),
                 sheet.pixels.begin() + static_cast<std::ptrdiff_t>((y + 1) * sheet.width));
  }
  uLongf size = compressBound(lines.size());
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(lines.data()), lines.size());
  packed.resize(size);
  const std::string grey_8_bits("\x08\0\0\0\0", 5);
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", big_endian(sheet.width) + big_endian(sheet.height) + grey_8_bits) +
         chunk("IDAT", packed) + chunk("IEND", "");
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("digits_sheet", [&] {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    const bool augment = std::erase(arguments, "--augment") > 0;
    const std::filesystem::path path = arguments.empty() ? "digits.png" : arguments[0];
    if (arguments.size() > 2 || path.extension() != ".png")
      throw cli::UsageError(
          "usage: digits_sheet [--augment] [FILE.png [FOLDER]]\n"
          "Writes samples of every class to FILE.png (digits.png if none is given): digits that the library\n"
          "draws, or the test images of FOLDER (MNIST, Fashion-MNIST, KMNIST: IDX files, plain or .gz).\n"
          "--augment shows one of each class, and beside it what augmentation makes of it.");
    const auto data = arguments.size() > 1 ? datasets::mnist(arguments[1]).test : datasets::digits(1000);
    std::ofstream file(path, std::ios::binary);
    file << png(contact_sheet(data, augment));
    if (!file.flush()) throw std::runtime_error("cannot write " + printable(path.string()));
    std::printf("%s\n", printable(std::filesystem::absolute(path).string()).c_str());
    return 0;
  });
}
