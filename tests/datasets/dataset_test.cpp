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
       {images_name, "3 dimensions, got uint8 of 2"}},
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
