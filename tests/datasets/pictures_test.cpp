// Pictures, folders of them, and CIFAR.
#include <xgrad/datasets/folder.h>
#include <xgrad/datasets/loader.h>

#include <algorithm>
#include <set>

#include "datasets/idx_files.h"
#include "error.h"

#ifdef XGRAD_HAS_PICTURES
#include <png.h>
#include <turbojpeg.h>
#endif

using namespace xgrad;
using namespace xgrad::datasets;
using idx_files::Bytes;
using idx_files::Folder;

namespace {

Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

// Of 3 x 2 pixels: grey, or red, green and blue side by side.
const Bytes grey = {0, 50, 100, 150, 200, 255},
            coloured = {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 40, 50, 60, 255, 255, 255};

Bytes joined(const std::string& header, const Bytes& samples) {
  Bytes all = bytes_of(header);
  all.insert(all.end(), samples.begin(), samples.end());
  return all;
}
Bytes pgm(const Bytes& samples) { return joined("P5\n# a comment\n3 2\n255\n", samples); }

Bytes plane(const Picture& picture, std::size_t channel) {
  const auto size = static_cast<std::ptrdiff_t>(picture.shape[1] * picture.shape[2]);
  const auto begin = picture.pixels.begin() + static_cast<std::ptrdiff_t>(channel) * size;
  return {begin, begin + size};
}

void make_folder(const std::filesystem::path& at, const std::vector<std::string>& files, const Bytes& content) {
  for (const std::string& file : files) {
    std::filesystem::create_directories((at / file).parent_path());
    std::ofstream(at / file, std::ios::binary)
        .write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
  }
}

}  // namespace

TEST_CASE("PGM and PPM are read, and become each other") {
  const Folder folder;
  const auto path = folder.write("a.pgm", pgm(grey)), other = folder.write("b", joined("P6 3 2 255 ", coloured));
  const Picture a = read_picture(path), b = read_picture(other);
  CHECK(a.shape == Shape{1, 2, 3});
  CHECK(a.pixels == grey);
  CHECK(b.shape == Shape{3, 2, 3});
  CHECK(plane(b, 0) == Bytes{255, 0, 0, 10, 40, 255});
  CHECK(plane(b, 1) == Bytes{0, 255, 0, 20, 50, 255});
  CHECK(plane(b, 2) == Bytes{0, 0, 255, 30, 60, 255});
  const Picture as_colour = read_picture(path, {.channels = 3});
  for (std::size_t c = 0; c < 3; ++c) CHECK(plane(as_colour, c) == grey);
  CHECK(read_picture(other, {.channels = 1}).pixels == Bytes{76, 150, 29, 18, 48, 255});  // BT.601's luma
}

#ifdef XGRAD_HAS_PICTURES
namespace {

Bytes png(const Bytes& samples, png_uint_32 format) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION, image.width = 3, image.height = 2, image.format = format;
  png_alloc_size_t size = 0;
  REQUIRE(png_image_write_to_memory(&image, nullptr, &size, 0, samples.data(), 0, nullptr));
  Bytes bytes(size);
  REQUIRE(png_image_write_to_memory(&image, bytes.data(), &size, 0, samples.data(), 0, nullptr));
  bytes.resize(size);
  return bytes;
}

Bytes jpeg(const Bytes& samples, int width, int height, bool colour) {
  const tjhandle encoder = tjInitCompress();
  unsigned char* made = nullptr;
  unsigned long size = 0;
  REQUIRE(tjCompress2(encoder, samples.data(), width, 0, height, colour ? TJPF_RGB : TJPF_GRAY, &made, &size,
                      colour ? TJSAMP_444 : TJSAMP_GRAY, 100, TJFLAG_ACCURATEDCT) == 0);
  Bytes bytes(made, made + size);
  tjFree(made);
  tjDestroy(encoder);
  return bytes;
}

}  // namespace

TEST_CASE("PNG is read as it is, or as is asked for, and what is transparent is white") {
  const Folder folder;
  const auto one = folder.write("one.png", png(grey, PNG_FORMAT_GRAY)),
             two = folder.write("two", png(coloured, PNG_FORMAT_RGB));
  CHECK(read_picture(one).shape == Shape{1, 2, 3});
  CHECK(read_picture(one).pixels == grey);
  CHECK(plane(read_picture(one, {.channels = 3}), 2) == grey);
  CHECK(read_picture(two).shape == Shape{3, 2, 3});
  CHECK(plane(read_picture(two), 1) == Bytes{0, 255, 0, 20, 50, 255});
  CHECK(read_picture(two, {.channels = 1}).shape == Shape{1, 2, 3});
  Bytes clear(24, 7);
  for (std::size_t i = 0; i < 6; ++i) clear[4 * i + 3] = i < 3 ? 0 : 255;
  CHECK(plane(read_picture(folder.write("clear.png", png(clear, PNG_FORMAT_RGBA))), 0) ==
        Bytes{255, 255, 255, 7, 7, 7});
}

TEST_CASE("JPEG is read within what its compression changes") {
  const Folder folder;
  Bytes slope, red;
  for (std::uint8_t i = 0; i < 64; ++i) slope.push_back(static_cast<std::uint8_t>(100 + i));
  for (int i = 0; i < 64; ++i) red.insert(red.end(), {200, 20, 40});
  const Picture a = read_picture(folder.write("a.jpg", jpeg(slope, 8, 8, false))),
                b = read_picture(folder.write("b.jpg", jpeg(red, 8, 8, true)));
  CHECK(a.shape == Shape{1, 8, 8});
  CHECK(b.shape == Shape{3, 8, 8});
  for (std::size_t i = 0; i < 64; ++i) {
    CHECK(std::abs(int(a.pixels[i]) - int(slope[i])) <= 2);
    for (std::size_t c = 0; c < 3; ++c) CHECK(std::abs(int(plane(b, c)[i]) - int(red[c])) <= 3);
  }
}

TEST_CASE("every truncation of a PNG or JPEG is refused, and a changed bit of a PNG") {
  const Folder folder;
  const auto refused = [&](const Bytes& bytes) {
    CHECK_THROWS_AS(read_picture(folder.write("file", bytes)), DataError);
  };
  const Bytes whole = png(coloured, PNG_FORMAT_RGB), photo = jpeg(coloured, 3, 2, true);
  for (std::size_t left = 0; left < whole.size() - 12; ++left)
    refused(idx_files::without_last(whole, whole.size() - left));
  for (std::size_t left = 0; left < photo.size() - 2; ++left)
    refused(idx_files::without_last(photo, photo.size() - left));
  for (std::size_t place = 20; place < whole.size() - 12; ++place) {
    Bytes changed = whole;
    changed[place] ^= 4;
    try {
      const Picture picture = read_picture(folder.write("file", changed));
      CHECK(picture.pixels == read_picture(folder.write("whole", whole)).pixels);  // of a chunk that says nothing
    } catch (const DataError&) {
    }
  }
  check_error<DataError>([&] { read_picture(folder.write("cut.png", idx_files::without_last(whole, 20))); },
                         {"[pictures] ", "cut.png: no whole PNG: "});
  check_error<DataError>([&] { read_picture(folder.write("cut.jpg", idx_files::without_last(photo, 20))); },
                         {"[pictures] ", "cut.jpg: no whole JPEG: "});
}
#endif

TEST_CASE("what is no picture is refused") {
  const Folder folder;
  struct Case {
    Bytes bytes;
    std::string expected;
  };
  for (const Case& c :
       {Case{bytes_of("GIF89a"), "no PNG, JPEG, PGM or PPM: it begins with 'GIF8'"}, Case{{}, "is empty"},
        Case{bytes_of("P5"), "expected the width, the height and 255 after 'P5' or 'P6'"},
        Case{bytes_of("P5 3 x"), "expected the width"}, Case{bytes_of("P5 0 2 255 "), "expected the width"},
        Case{bytes_of("P5 3 2 # no end"), "expected the width"},
        Case{bytes_of("P5 99999999999999999999 2 255 "), "expected the width"},
        Case{joined("P5 3 2 65535 ", grey), "expected samples up to 255, got up to 65535"},
        Case{joined("P5 3 3 255 ", grey), "expected 9 samples for (1, 3, 3), got 6"},
        Case{joined("P6 3 2 255 ", grey), "expected 18 samples for (3, 2, 3), got 6"},
        Case{joined("P5 1 2 255 ", grey), "expected 2 samples for (1, 2, 1), got 6"}})
    check_error<DataError>([&] { read_picture(folder.write("file", c.bytes)); }, {"[pictures] ", "/file", c.expected});
  check_error<DataError>([&] { read_picture(folder.path() / "none"); }, {"[pictures] ", "/none"});
  check_error<DataError>(
      [&] {
        read_picture(folder.write("file", bytes_of("P5 1000000 1000000 255 ")), {.load = {.memory_limit = 1000000}});
      },
      {"[pictures] ", "/file"});
  check_error<ValueError>([&] { read_picture("x", {.channels = 2}); }, {"[pictures] channels must be 1 or 3, got 2"});
  check_error<ValueError>([&] { scaled({{1, 1, 1}, {0}}, 0, 1); }, {"expected a size of 1 x 1 or more, got 0 x 1"});
}

TEST_CASE("a picture is scaled by means where it shrinks, and along straight lines where it grows") {
  const Picture even{{1, 4, 6}, Bytes(24, 77)};
  for (const auto& [height, width] : {std::pair{1, 1}, {2, 3}, {5, 13}, {4, 6}}) {
    const Picture other = scaled(even, std::size_t(height), std::size_t(width));
    CHECK(other.shape == Shape{1, std::size_t(height), std::size_t(width)});
    CHECK(std::ranges::count(other.pixels, 77) == height * width);
  }
  CHECK(scaled({{1, 1, 2}, {0, 100}}, 1, 4).pixels == Bytes{0, 25, 75, 100});
  CHECK(scaled({{1, 2, 1}, {0, 100}}, 4, 1).pixels == Bytes{0, 25, 75, 100});
  CHECK(scaled({{2, 1, 2}, {0, 100, 200, 100}}, 1, 1).pixels == Bytes{50, 150});
  // The triangle over four pixels to each of two: (3, 3, 1) / 7 at the edge, of 0, 70, 140, 210.
  CHECK(scaled({{1, 1, 4}, {0, 70, 140, 210}}, 1, 2).pixels == Bytes{50, 160});
}

TEST_CASE("a folder for each class is a dataset") {
  const Folder folder;
  make_folder(folder.path(),
              {"cat/2.pgm", "cat/10.PGM", "cat/notes.txt", "cat/.hidden.pgm", "bird/x.pgm", ".git/y.pgm"}, pgm(grey));
  make_folder(folder.path(), {"cat/1.pgm"}, pgm(Bytes(6, 9)));
  make_folder(folder.path(), {"README"}, {});
  const Dataset data = picture_folder(folder.path());
  CHECK(data.class_names() == std::vector<std::string>{"bird", "cat"});
  CHECK(std::ranges::equal(data.labels(), std::vector<std::int64_t>{0, 1, 1, 1}));
  CHECK(data.image_shape() == Shape{1, 2, 3});
  CHECK(std::ranges::count(data.images().subspan(6, 6), 9) == 6);  // "1" comes before "10" and "2"
  const Dataset small = picture_folder(folder.path(), {.channels = 3, .size = {{1, 1}}});
  CHECK(small.image_shape() == Shape{3, 1, 1});

  make_folder(folder.path(), {"dog/z.pgm"}, joined("P5 1 1 255 ", {5}));
  check_error<DataError>(
      [&] { picture_folder(folder.path()); },
      {"[pictures] ", "dog/z.pgm: expected a picture of (1, 2, 3), as the first one, got (1, 1, 1)"});
  CHECK(picture_folder(folder.path(), {.size = {{2, 2}}}).size() == 5);
  std::filesystem::remove(folder.path() / "dog/z.pgm");
  check_error<DataError>([&] { picture_folder(folder.path()); }, {"[pictures] ", "dog: a class without pictures"});
  check_error<DataError>([&] { picture_folder(folder.path() / "cat"); },
                         {"expected a folder for each class, got none"});
  check_error<DataError>([&] { picture_folder(folder.path() / "none"); },
                         {"[pictures] ", "none: no folder that can be read"});
}

TEST_CASE("what a folder holds is seen from its files") {
  const Folder folder;
  std::vector<std::string> files;
  for (int i = 0; i < 20; ++i)
    files.push_back("a/" + std::to_string(i) + ".pgm"), files.push_back("b/" + std::to_string(i) + ".pgm");
  SUBCASE("classes alone: a fifth of each is for testing") {
    make_folder(folder.path(), files, pgm(grey));
    const Split split = read_folder(folder.path());
    CHECK(split.train.size() == 32);
    CHECK(split.test.size() == 8);
    CHECK(std::ranges::count(split.test.labels(), 1) == 4);
    CHECK_FALSE(std::ranges::is_sorted(split.train.labels()));
  }
  SUBCASE("folders train and test") {
    make_folder(folder.path() / "train", files, pgm(grey));
    make_folder(folder.path() / "test", {"a/1.pgm", "b/2.pgm"}, pgm(grey));
    const Split split = read_folder(folder.path());
    CHECK(split.train.size() == 40);
    CHECK_FALSE(std::ranges::is_sorted(split.train.labels()));
    CHECK(std::ranges::equal(split.test.labels(), std::vector<std::int64_t>{0, 1}));
    make_folder(folder.path() / "test", {"c/1.pgm"}, pgm(grey));
    check_error<DataError>([&] { read_folder(folder.path()); }, {"the same classes and sizes in train and test"});
  }
  SUBCASE("CIFAR-10, and CIFAR-100") {
    const auto records = [](std::size_t labels, std::uint8_t label) {
      Bytes bytes;
      for (std::size_t i = 0; i < 3; ++i) {
        if (labels == 2) bytes.push_back(99);
        bytes.push_back(static_cast<std::uint8_t>(label + i));
        bytes.insert(bytes.end(), 3072, static_cast<std::uint8_t>(i));
      }
      return bytes;
    };
    std::string names, fine;
    for (int i = 0; i < 10; ++i) names += "name" + std::to_string(i) + "\r\n";
    for (int i = 0; i < 100; ++i) fine += "fine" + std::to_string(i) + "\n";
    folder.write("batches.meta.txt", bytes_of(names + "\n"));
    for (const char* number : {"1", "2", "3", "4", "5"})
      folder.write(std::string("data_batch_") + number + ".bin",
                   records(1, static_cast<std::uint8_t>(number[0] - '0')));
    folder.write("test_batch.bin", records(1, 0));
    Split split = read_folder(folder.path());
    CHECK(split.train.size() == 15);
    CHECK(split.train.image_shape() == Shape{3, 32, 32});
    CHECK(split.train.labels()[14] == 7);
    CHECK(split.train.images()[14 * 3072] == 2);
    CHECK(split.test.class_names()[9] == "name9");
    folder.write("test_batch.bin", Bytes(3072));
    check_error<DataError>([&] { cifar(folder.path()); },
                           {"[cifar] ", "test_batch.bin: expected records of 3073 bytes, got 3072"});
    folder.write("test_batch.bin", records(1, 8));
    check_error<DataError>([&] { cifar(folder.path()); },
                           {"[cifar] ", "test_batch.bin", "labels below 10", "got 10 for image 2"});
    folder.write("batches.meta.txt", bytes_of("one\n"));
    check_error<DataError>([&] { cifar(folder.path()); }, {"batches.meta.txt: expected 10 names, one a line, got 1"});

    folder.write("fine_label_names.txt", bytes_of(fine));
    folder.write("train.bin", records(2, 40)), folder.write("test.bin", records(2, 97));
    split = cifar(folder.path());
    CHECK(std::ranges::equal(split.test.labels(), std::vector<std::int64_t>{97, 98, 99}));
    CHECK(split.test.class_names()[40] == "fine40");
  }
  SUBCASE("nothing that is known") {
    check_error<DataError>([&] { read_folder(folder.path()); }, {"[mnist] no file "});
  }
}
