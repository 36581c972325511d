#include <xgrad/datasets/mnist.h>

#include <algorithm>

#include "datasets/idx_files.h"
#include "error.h"

using namespace xgrad;
using namespace xgrad::datasets;
using namespace idx_files;

namespace {

using Files = std::vector<std::pair<std::string, Bytes>>;

// Three images to learn from and two to test with, in files with this separator and ending.
Files mnist_files(const std::string& separator = "-", const std::string& ending = "") {
  const auto content = [&](const Bytes& bytes) { return ending == ".gz" ? gzip(bytes) : bytes; };
  return {{"train-images" + separator + "idx3-ubyte" + ending, content(images(3))},
          {"train-labels" + separator + "idx1-ubyte" + ending, content(labels({5, 0, 9}))},
          {"t10k-images" + separator + "idx3-ubyte" + ending, content(images(2))},
          {"t10k-labels" + separator + "idx1-ubyte" + ending, content(labels({1, 2}))}};
}

void write(const Folder& folder, const Files& files) {
  for (const auto& [name, bytes] : files) folder.write(name, bytes);
}

}  // namespace

TEST_CASE("a folder of the MNIST layout is read, however its files are spelled") {
  for (const char* separator : {"-", "."})
    for (const char* ending : {"", ".gz"}) {
      const Folder folder;
      write(folder, mnist_files(separator, ending));
      const Split split = mnist(folder.path());
      CHECK(split.train.size() == 3);
      CHECK(split.test.size() == 2);
      CHECK(split.train.image_shape() == Shape{1, 28, 28});
      CHECK(split.train.class_names() == decimal_digits());
      const Bytes pixels = images(3), expected_labels = {5, 0, 9};
      CHECK(std::equal(split.train.images().begin(), split.train.images().end(), pixels.begin() + 16, pixels.end()));
      CHECK(std::equal(split.train.labels().begin(), split.train.labels().end(), expected_labels.begin(),
                       expected_labels.end()));
    }
}

TEST_CASE("Fashion-MNIST and KMNIST have names of their own") {
  const Folder folder;
  write(folder, mnist_files());
  CHECK(fashion_mnist(folder.path()).test.class_names().at(9) == "Ankle boot");
  CHECK(kmnist(folder.path()).train.class_names().at(0) == "o");
  CHECK(mnist(folder.path(), std::vector<std::string>(10, "same")).train.class_names().at(3) == "same");
}

TEST_CASE("colour pictures of four dimensions are read, with their channels first or last") {
  Bytes first, last;  // of channel c, image n, row h and column w
  const auto pixel = [](int n, int c, int h, int w) {
    return static_cast<std::uint8_t>(100 * n + 30 * c + 10 * h + w);
  };
  for (int n = 0; n < 2; ++n)
    for (int c = 0; c < 3; ++c)
      for (int h = 0; h < 2; ++h)
        for (int w = 0; w < 4; ++w) first.push_back(pixel(n, c, h, w));
  for (int n = 0; n < 2; ++n)
    for (int h = 0; h < 2; ++h)
      for (int w = 0; w < 4; ++w)
        for (int c = 0; c < 3; ++c) last.push_back(pixel(n, c, h, w));
  for (const Bytes& file : {header(8, {2, 3, 2, 4}) + first, header(8, {2, 2, 4, 3}) + last})
    for (const char* ending : {"idx4-ubyte", "idx4-ubyte.gz"}) {
      const Folder folder;
      for (const std::string part : {"train", "t10k"}) {
        folder.write(part + "-images-" + ending, std::string(ending).ends_with("gz") ? gzip(file) : file);
        folder.write(part + "-labels-idx1-ubyte", labels({1, 0}));
      }
      const Dataset data = mnist(folder.path()).train;
      CHECK(data.image_shape() == Shape{3, 2, 4});
      CHECK(std::equal(data.images().begin(), data.images().end(), first.begin(), first.end()));
    }
  const Folder folder;
  write(folder, mnist_files());
  folder.write("train-images-idx3-ubyte", header(8, {3, 28, 28, 1}) + Bytes(3 * 784, 7));
  CHECK(mnist(folder.path()).train.image_shape() == Shape{1, 28, 28});
}

TEST_CASE("EMNIST is read upright, with its classes from 0 on") {
  const Folder folder;
  const Bytes pictures = header(8, {2, 2, 3}) + Bytes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const std::string prefix = "emnist-letters-";
  folder.write(prefix + "mapping.txt", from_text("1 65 97\n2 66\n7 53 \r\n"));
  for (const std::string part : {"train", "test"}) {
    folder.write(prefix + part + "-images-idx3-ubyte.gz", gzip(pictures));
    folder.write(prefix + part + "-labels-idx1-ubyte", labels({7, 1}));
  }
  const Split split = emnist(folder.path(), "letters");
  const Bytes upright = {0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11};
  for (const Dataset& data : {split.train, split.test}) {
    CHECK(data.image_shape() == Shape{1, 3, 2});
    CHECK(std::equal(data.images().begin(), data.images().end(), upright.begin(), upright.end()));
    CHECK(std::vector(data.labels().begin(), data.labels().end()) == std::vector<std::int64_t>{2, 0});
    CHECK(data.class_names() == std::vector<std::string>{"Aa", "B", "5"});
  }
  check_error<DataError>([&] { emnist(folder.path(), "digits"); },
                         {"emnist-digits-mapping.txt", "gzip.zip of nist.gov"});
  check_error<DataError>([&] { emnist(folder.path() / "none", "letters"); }, {"none"});
  folder.write(prefix + "test-labels-idx1-ubyte", labels({7, 2, 3}));
  check_error<DataError>([&] { emnist(folder.path(), "letters"); },
                         {"test-labels", "the label 3 of image 2", "mapping"});
  std::filesystem::remove(folder.path() / (prefix + "test-images-idx3-ubyte.gz"));
  check_error<DataError>([&] { emnist(folder.path(), "letters"); }, {"no file", prefix + "test-images-idx3-ubyte"});
  for (const char* bad :
       {"1", "1 65\n1 66", "x 65", "1 x", "1 65 x", "-1 65", "256 65", "1 7", "1 300", "1 65\n\n2 66"}) {
    CAPTURE(bad);
    folder.write(prefix + "mapping.txt", from_text(bad));
    check_error<DataError>([&] { emnist(folder.path(), "letters"); }, {prefix + "mapping.txt", "a label of its own"});
  }
}

TEST_CASE("a folder with something wrong is refused") {
  struct Case {
    const char* name;
    Files replaced;
    std::vector<std::string> words;
  };
  const std::string images_name = "train-images-idx3-ubyte", labels_name = "train-labels-idx1-ubyte";
  const Case cases[] = {
      {"fewer labels", {{labels_name, labels({1, 2})}}, {images_name, labels_name, "3 images and 2 labels"}},
      {"more labels", {{labels_name, labels({1, 2, 3, 4})}}, {"3 images and 4 labels"}},
      {"swapped", {{images_name, labels({1, 2, 3})}, {labels_name, images(3)}}, {images_name, "swapped"}},
      {"two images files", {{labels_name, images(3)}}, {labels_name, "swapped"}},
      {"a label without a class", {{labels_name, labels({1, 10, 2})}}, {labels_name, "below 10", "got 10 for image 1"}},
      {"no samples", {{images_name, images(0)}, {labels_name, labels({})}}, {images_name, "got none"}},
      {"images of 0 x 0", {{images_name, images(3, 0, 0)}}, {images_name, "(1, 0, 0)"}},
      {"images of 0 x 28", {{images_name, images(3, 0, 28)}}, {images_name, "(1, 0, 28)"}},
      {"images of rank 2",
       {{images_name, header(8, {3, 2}) + Bytes(6, 0)}},
       {images_name, "3 or 4 dimensions, got uint8 of 2"}},
      {"images of rank 5",
       {{images_name, header(8, {3, 1, 1, 1, 1}) + Bytes(3, 0)}},
       {images_name, "3 or 4 dimensions, got uint8 of 5"}},
      {"four sizes without channels",
       {{images_name, header(8, {3, 2, 2, 2}) + Bytes(24, 0)}},
       {images_name, "1 or 3 channels, as the second size or as the last, got (3, 2, 2, 2)"}},
      {"channels in two places",
       {{images_name, header(8, {3, 1, 2, 3}) + Bytes(18, 0)}},
       {images_name, "1 or 3 channels", "(3, 1, 2, 3)"}},
      {"labels of rank 0", {{labels_name, header(8, {}) + Bytes{1}}}, {labels_name, "1 dimensions, got uint8 of 0"}},
      {"images of floats", {{images_name, header(13, {3, 1, 1}) + Bytes(12, 0)}}, {images_name, "got float32 of 3"}},
      {"labels of int8", {{labels_name, header(9, {3}) + Bytes(3, 0)}}, {labels_name, "got int8 of 1"}},
      {"test images of another size", {{"t10k-images-idx3-ubyte", images(2, 14, 14)}}, {"(1, 28, 28)", "(1, 14, 14)"}},
      {"truncated", {{images_name, without_last(images(3), 1)}}, {images_name, "got 2351"}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Folder folder;
    write(folder, mnist_files());
    write(folder, c.replaced);
    for (const std::string& word : c.words) check_error<DataError>([&] { mnist(folder.path()); }, {word});
  }
}

TEST_CASE("what is missing is named, with the command that fetches it") {
  check_error<DataError>([] { mnist("/nowhere"); }, {"no folder /nowhere", "datasets/download.sh mnist /nowhere"});
  check_error<DataError>([] { fashion_mnist("/nowhere"); }, {"datasets/download.sh fashion-mnist /nowhere"});
  for (const auto& [missing, bytes] : mnist_files()) {
    const Folder folder;
    write(folder, mnist_files());
    std::filesystem::remove(folder.path() / missing);
    check_error<DataError>([&] { mnist(folder.path()); }, {(folder.path() / missing).string(),
                                                           "datasets/download.sh mnist " + folder.path().string()});
  }
}

TEST_CASE("a Dataset refuses parts that do not fit together") {
  const auto make = [](std::size_t bytes, const Shape& shape, const Bytes& labels, std::size_t classes = 10) {
    return Dataset(Bytes(bytes, 0), shape, labels, std::vector<std::string>(classes, "name"));
  };
  check_error<DataError>([&] { make(0, {1, 2, 2}, {}); }, {"[dataset]", "got none"});
  check_error<DataError>([&] { make(4, {2, 2}, {0}); }, {"(2, 2)"});
  check_error<DataError>([&] { make(0, {1, 2, 0}, {0}); }, {"(1, 2, 0)"});
  check_error<DataError>([&] { make(7, {1, 2, 2}, {0}); }, {"4 bytes", "7 bytes"});
  check_error<DataError>([&] { make(8, {1, 2, 2}, {0}); }, {"2 images and 1 labels"});
  check_error<DataError>([&] { make(4, {1, 2, 2}, {3}, 3); }, {"below 3", "got 3 for image 0"});
  CHECK(make(4, {1, 2, 2}, {2}, 3).size() == 1);
}

TEST_CASE("a copy and a slice of a Dataset share its contents") {
  const Dataset all({0, 1, 2, 3, 4, 5, 6, 7}, {1, 1, 2}, {3, 2, 1, 0});
  const Dataset copy = all, middle = all.slice(1, 4), last = middle.slice(2, 3);
  CHECK(copy.images().data() == all.images().data());
  CHECK(middle.images().data() == all.images().data() + 2);
  CHECK(middle.images().size() == 6);
  CHECK(middle.labels().front() == 2);
  CHECK(middle.size() == 3);
  CHECK(last.images().front() == 6);
  CHECK(last.labels().size() == 1);
  check_error<ValueError>([&] { middle.slice(0, 4); }, {"[slice]", "3", "4"});
  check_error<ValueError>([&] { all.slice(2, 2); }, {"2 and 2"});
}
