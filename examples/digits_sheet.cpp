// Looks at a dataset: writes a contact sheet, one row a class, of digits that the library draws itself or of the test
// images in a folder of MNIST's layout, as they are or augmented, each row with its class.
#include <xgrad/datasets/digits.h>
#include <xgrad/datasets/loader.h>
#include <xgrad/datasets/mnist.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cli/png_file.h"
#include "cli/program.h"
#include "cli/text.h"

using namespace xgrad;

namespace {

constexpr std::size_t columns = 24, gap = 2, letter = 8, head = 20, label = 16;

// Three by five pixels of a letter: an octal digit is a row, from above.
unsigned glyph(char character) {
  static constexpr std::string_view characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ,.-/";
  static constexpr unsigned glyphs[] = {075557, 026227, 071747, 071717, 055711, 074717, 074757, 071122, 075757, 075717,
                                        025755, 065656, 034443, 065556, 074647, 074644, 034553, 055755, 072227, 011152,
                                        055655, 044447, 057755, 065555, 025552, 065644, 025563, 065655, 034216, 072222,
                                        055557, 055552, 055775, 055255, 055222, 071247, 000024, 000002, 000700, 011244};
  const std::size_t at = characters.find(static_cast<char>(std::toupper(static_cast<unsigned char>(character))));
  return at == characters.npos ? 0 : glyphs[at];
}

struct Sheet {
  std::size_t high, wide, width, height;  // of an image; of the sheet
  std::vector<std::uint8_t> pixels;       // (height, width), grey
  std::vector<std::size_t> shown;         // images by class

  Sheet(const datasets::Dataset& data, const std::string& title)
      : high(data.image_shape()[1]),
        wide(data.image_shape()[2]),
        width(label + columns * (wide + gap)),
        height(head + data.class_names().size() * (high + gap)),
        pixels(width * height, 255),
        shown(data.class_names().size(), 0) {
    write(title, label, 4);
    for (std::size_t row = 0; row < shown.size(); ++row)  // as much of a name as the margin holds
      write(data.class_names()[row].substr(0, label / letter), 2, head + row * (high + gap) + high / 2 - 5);
  }

  // In letters of 6 by 10 pixels; what is beyond the edges is left out.
  void write(const std::string& text, std::size_t left, std::size_t top) {
    for (std::size_t i = 0; i < text.size(); ++i)
      for (std::size_t y = 0; y < 10; ++y)
        for (std::size_t x = 0; x < 6; ++x) {
          const std::size_t column = left + i * letter + x;
          const bool ink = glyph(text[i]) >> (14 - 3 * (y / 2) - x / 2) & 1;
          if (ink && column < width && top + y < height) pixels[(top + y) * width + column] = 60;
        }
  }

  // Each image to the next place in the row of its class, up to the column `end`, dark on light.
  void add(const datasets::Batch& batch, std::size_t end) {
    for (std::size_t i = 0; i < batch.labels.size(); ++i) {
      const auto row = static_cast<std::size_t>(batch.labels(i));
      if (shown[row] == end) continue;
      const std::size_t left = label + shown[row]++ * (wide + gap), top = head + row * (high + gap);
      for (std::size_t y = 0; y < high; ++y)
        for (std::size_t x = 0; x < wide; ++x)
          pixels[(top + y) * width + left + x] =
              static_cast<std::uint8_t>(255 * (1 - batch.images.value()(i, 0, y, x)) + Scalar(0.5));
    }
  }
};

// Augmented: the first image of each class, and beside it what a network in training would see of it, epoch by epoch.
Sheet contact_sheet(const datasets::Dataset& data, const std::string& what, bool augment) {
  Sheet sheet(data, what + (augment ? ", a row a class, its first image and what augmentation makes of it"
                                    : ", a row a class"));
  for (const auto& batch : datasets::DataLoader(data)) sheet.add(batch, augment ? 1 : columns);
  datasets::DataLoader augmented(data, {.augment = datasets::Augmentation{}, .seed = 1});
  for (std::size_t end = 2; augment && end <= columns; ++end)
    for (const auto& batch : augmented) {
      sheet.add(batch, end);
      if (std::ranges::all_of(sheet.shown, [=](std::size_t count) { return count == end; })) break;
    }
  return sheet;
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
    const bool drawn = arguments.size() < 2;
    const auto data = drawn ? datasets::digits(1000) : datasets::mnist(arguments[1]).test;
    std::ofstream file(path, std::ios::binary);
    const Sheet sheet = contact_sheet(data, drawn ? "Drawn digits" : "Test images", augment);
    file << cli::png(sheet.pixels, sheet.width);
    if (!file.flush()) throw std::runtime_error("cannot write " + printable(path.string()));
    std::printf("%s\n", printable(std::filesystem::absolute(path).string()).c_str());
    return 0;
  });
}
