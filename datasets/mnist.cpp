#include <xgrad/core/errors.h>
#include <xgrad/datasets/idx.h>
#include <xgrad/datasets/mnist.h>

#include <system_error>

namespace xgrad::datasets {
namespace {

namespace fs = std::filesystem;

struct MnistFolder {
  std::string name;  // as datasets/download.sh knows it
  fs::path folder;
  std::vector<std::string> class_names;
  LoadOptions options;
};

[[noreturn]] void fail_missing(const MnistFolder& source, const std::string& what) {
  throw DataError(message("[mnist] ", what, "; to fetch the files: datasets/download.sh ", source.name, " ",
                          printable(source.folder.string())));
}

// stem is "train-images", say, and ending "idx3-ubyte".
fs::path find_file(const MnistFolder& source, const std::string& stem, const std::string& ending) {
  for (const char* separator : {"-", "."})
    for (const char* packing : {"", ".gz"}) {
      std::error_code unreadable;
      const fs::path file = source.folder / (stem + separator + ending + packing);
      if (fs::exists(file, unreadable)) return file;
    }
  const std::string name = stem + "-" + ending;
  fail_missing(source, "no file " + printable((source.folder / name).string()) + " or " + name + ".gz");
}

IdxArray read_bytes(const fs::path& file, LoadOptions options, const char* what, std::size_t rank,
                    std::size_t rank_of_the_other) {
  IdxArray array = read_idx(file, options);
  if (array.type == IdxType::uint8 && array.shape.size() == rank) return array;
  const bool swapped = array.type == IdxType::uint8 && array.shape.size() == rank_of_the_other;
  throw DataError(message("[mnist] ", printable(file.string()), ": expected ", what, ", uint8 of ", rank,
                          " dimensions, got ", to_string(array.type), " of ", array.shape.size(),
                          swapped ? "; are the files of images and labels swapped?" : ""));
}

Dataset read_part(const MnistFolder& source, const std::string& part) {
  const fs::path images_file = find_file(source, part + "-images", "idx3-ubyte");
  const fs::path labels_file = find_file(source, part + "-labels", "idx1-ubyte");
  IdxArray images = read_bytes(images_file, source.options, "images", 3, 1),
           labels = read_bytes(labels_file, source.options, "labels", 1, 3);
  try {
    return Dataset(std::move(images.bytes), {1, images.shape[1], images.shape[2]}, labels.bytes, source.class_names);
  } catch (const DataError& error) {
    throw DataError(message("[mnist] ", printable(images_file.string()), " with ", printable(labels_file.string()),
                            ": ", error.what()));
  }
}

Split read_split(const MnistFolder& source) {
  std::error_code unreadable;
  if (!fs::is_directory(source.folder, unreadable))
    fail_missing(source, "no folder " + printable(source.folder.string()));
  Split split{read_part(source, "train"), read_part(source, "t10k")};
  if (split.train.image_shape() != split.test.image_shape())
    throw DataError(message("[mnist] ", printable(source.folder.string()), ": expected images of one shape, got ",
                            split.train.image_shape(), " for training and ", split.test.image_shape(), " for testing"));
  return split;
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

}  // namespace xgrad::datasets
