// Looks at a dataset: writes a contact sheet, one row a class, of digits that the library draws itself or of the test
// images in a folder of MNIST's layout.
#include <xgrad/datasets/digits.h>
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

using namespace xgrad;

namespace {

constexpr std::size_t columns = 24, gap = 2;

struct Sheet {
  std::size_t width, height;
  std::vector<std::uint8_t> pixels;  // (height, width), grey
};

Sheet contact_sheet(const datasets::Dataset& data) {
  const std::size_t high = data.image_shape()[1], wide = data.image_shape()[2], rows = data.class_names().size();
  Sheet sheet{columns * (wide + gap), rows * (high + gap), {}};
  sheet.pixels.assign(sheet.width * sheet.height, 255);
  std::vector<std::size_t> shown(rows, 0);
  for (std::size_t i = 0; i < data.size(); ++i) {
    const std::size_t row = data.labels()[i], column = shown[row]++;
    if (column >= columns) continue;
    const std::uint8_t* image = &data.images()[i * high * wide];
    for (std::size_t y = 0; y < high; ++y)
      std::transform(image + y * wide, image + (y + 1) * wide,
                     &sheet.pixels[(row * (high + gap) + y) * sheet.width + column * (wide + gap)],
                     [](std::uint8_t ink) { return static_cast<std::uint8_t>(255 - ink); });
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
  const std::filesystem::path path = argc > 1 ? argv[1] : "digits.png";
  if (argc > 3 || path.extension() != ".png") {
    std::cerr << "usage: digits_sheet [FILE.png [FOLDER]]\n"
                 "Writes samples of every class to FILE.png (digits.png if none is given): digits that the library\n"
                 "draws, or the test images of FOLDER (MNIST, Fashion-MNIST, KMNIST: IDX files, plain or .gz).\n";
    return 2;
  }
  try {
    const auto data = argc > 2 ? datasets::mnist(argv[2]).test : datasets::digits(1000);
    std::ofstream file(path, std::ios::binary);
    file << png(contact_sheet(data));
    if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
    std::cout << std::filesystem::absolute(path).string() << '\n';
  } catch (const std::exception& error) {
    std::cerr << "digits_sheet: " << error.what() << '\n';
    return 1;
  }
}
