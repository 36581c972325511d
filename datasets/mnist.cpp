#include <xgrad/core/errors.h>
#include <xgrad/datasets/idx.h>
#include <xgrad/datasets/mnist.h>

#include <algorithm>
#include <sstream>
#include <system_error>

namespace xgrad::datasets {
namespace {

namespace fs = std::filesystem;

struct MnistFolder {
  std::string name;  // as datasets/download.sh knows it; "emnist" is not one
  fs::path folder;
  std::vector<std::string> class_names;
  LoadOptions options;
  std::string prefix = {}, test = "t10k";  // of the files' names
  std::vector<std::int64_t> labels = {};   // of each class in the files, where it is not the number of the class
};

[[noreturn]] void fail_missing(const MnistFolder& source, const std::string& what) {
  throw DataError(message("[mnist] ", what,
                          source.name == "emnist"
                              ? "; the files are in gzip.zip of nist.gov/itl/products-and-services/emnist-dataset"
                              : message("; to fetch the files: datasets/download.sh ", source.name, " ",
                                        printable(source.folder.string()))));
}

// stem is "train-images", say, and an ending "idx3-ubyte".
fs::path find_file(const MnistFolder& source, const std::string& stem, const std::vector<std::string>& endings) {
  for (const std::string& ending : endings)
    for (const char* separator : {"-", "."})
      for (const char* packing : {"", ".gz"}) {
        std::error_code unreadable;
        const fs::path file = source.folder / (source.prefix + stem + separator + ending + packing);
        if (fs::exists(file, unreadable)) return file;
      }
  const std::string name = source.prefix + stem + "-" + endings[0];
  fail_missing(source, "no file " + printable((source.folder / name).string()) + " or " + name + ".gz");
}

// Each image as columns x rows, of rows x columns.
void exchange_axes(std::vector<std::uint8_t>& images, std::size_t rows, std::size_t columns) {
  const std::size_t size = rows * columns;
  std::vector<std::uint8_t> one(size);
  for (std::size_t begin = 0; size > 0 && begin < images.size(); begin += size) {
    for (std::size_t i = 0; i < size; ++i) one[i % columns * rows + i / columns] = images[begin + i];
    std::copy(one.begin(), one.end(), images.begin() + static_cast<std::ptrdiff_t>(begin));
  }
}

IdxArray read_bytes(const fs::path& file, LoadOptions options, const char* what, const std::vector<std::size_t>& ranks,
                    std::size_t rank_of_the_other) {
  IdxArray array = read_idx(file, options);
  if (array.type == IdxType::uint8 && std::find(ranks.begin(), ranks.end(), array.shape.size()) != ranks.end())
    return array;
  const bool swapped = array.type == IdxType::uint8 && array.shape.size() == rank_of_the_other;
  throw DataError(message("[mnist] ", printable(file.string()), ": expected ", what, ", uint8 of ", ranks[0],
                          ranks.size() > 1 ? message(" or ", ranks[1]) : "", " dimensions, got ", to_string(array.type),
                          " of ", array.shape.size(), swapped ? "; are the files of images and labels swapped?" : ""));
}

// The images in the order of a Dataset, and (channels, height, width).
Shape image_shape(IdxArray& images, const fs::path& file, bool exchanged) {
  const Shape& shape = images.shape;
  if (shape.size() == 3) {
    if (exchanged) exchange_axes(images.bytes, shape[1], shape[2]);
    return exchanged ? Shape{1, shape[2], shape[1]} : Shape{1, shape[1], shape[2]};
  }
  const auto are_channels = [](std::size_t size) { return size == 1 || size == 3; };
  if (are_channels(shape[1]) == are_channels(shape[3]))
    throw DataError(message("[mnist] ", printable(file.string()),
                            ": expected 1 or 3 channels, as the second size or as the last, got ", shape));
  if (are_channels(shape[1])) return {shape[1], shape[2], shape[3]};
  exchange_axes(images.bytes, shape[1] * shape[2], shape[3]);
  return {shape[3], shape[1], shape[2]};
}

std::vector<std::int64_t> class_numbers(const IdxArray& labels, const fs::path& file, const MnistFolder& source) {
  if (source.labels.empty()) return {labels.bytes.begin(), labels.bytes.end()};
  std::vector<std::int64_t> numbers;
  for (const std::uint8_t label : labels.bytes) {
    const auto found = std::find(source.labels.begin(), source.labels.end(), label);
    if (found == source.labels.end())
      throw DataError(message("[mnist] ", printable(file.string()), ": the label ", label, " of image ", numbers.size(),
                              " is none of the mapping's"));
    numbers.push_back(found - source.labels.begin());
  }
  return numbers;
}

Dataset read_part(const MnistFolder& source, const std::string& part) {
  const fs::path images_file = find_file(source, part + "-images", {"idx3-ubyte", "idx4-ubyte"});
  const fs::path labels_file = find_file(source, part + "-labels", {"idx1-ubyte"});
  IdxArray images = read_bytes(images_file, source.options, "images", {3, 4}, 1),
           labels = read_bytes(labels_file, source.options, "labels", {1}, 3);
  const Shape shape = image_shape(images, images_file, source.name == "emnist");
  const std::vector<std::int64_t> numbers = class_numbers(labels, labels_file, source);
  try {
    return Dataset(std::move(images.bytes), shape, numbers, source.class_names);
  } catch (const DataError& error) {
    throw DataError(message("[mnist] ", printable(images_file.string()), " with ", printable(labels_file.string()),
                            ": ", error.what()));
  }
}

Split read_split(const MnistFolder& source) {
  std::error_code unreadable;
  if (!fs::is_directory(source.folder, unreadable))
    fail_missing(source, "no folder " + printable(source.folder.string()));
  Split split{read_part(source, "train"), read_part(source, source.test)};
  if (split.train.image_shape() != split.test.image_shape())
    throw DataError(message("[mnist] ", printable(source.folder.string()), ": expected images of one shape, got ",
                            split.train.image_shape(), " for training and ", split.test.image_shape(), " for testing"));
  return split;
}

// Each line is a label and one code point or several, such as "1 65 97".
void read_mapping(MnistFolder& source) {
  const fs::path path = source.folder / (source.prefix + "mapping.txt");
  if (std::error_code unreadable; !fs::exists(path, unreadable))
    fail_missing(source, "no file " + printable(path.string()));
  InputFile file("mnist", path, source.options);
  std::istringstream lines(file.read_all());
  for (std::string line; std::getline(lines, line);) {
    std::istringstream numbers(line);
    std::int64_t label = -1, code = 0;
    std::string name;
    bool good = numbers >> label && label >= 0 && label <= 255 &&
                std::find(source.labels.begin(), source.labels.end(), label) == source.labels.end();
    for (; numbers >> code; name += static_cast<char>(code)) good = good && code > 32 && code < 127;  // visible ASCII
    if (!good || name.empty() || !numbers.eof())
      file.fail("expected a label of its own and the codes of its characters, got '", printable(line), "'");
    source.labels.push_back(label);
    source.class_names.push_back(name);
  }
}

}  // namespace

Split mnist(const fs::path& folder, const std::vector<std::string>& class_names, LoadOptions options) {
  return read_split({"mnist", folder, class_names, options});
}

Split fashion_mnist(const fs::path& folder, LoadOptions options) {
  const std::vector<std::string> class_names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                                "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  return read_split({"fashion-mnist", folder, class_names, options});
}

Split kmnist(const fs::path& folder, LoadOptions options) {
  return read_split({"kmnist", folder, {"o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"}, options});
}

Split emnist(const fs::path& folder, const std::string& part, LoadOptions options) {
  MnistFolder source{"emnist", folder, {}, options, message("emnist-", part, "-"), "test"};
  read_mapping(source);
  return read_split(source);
}

}  // namespace xgrad::datasets
