#include <xgrad/core/errors.h>
#include <xgrad/datasets/folder.h>
#include <xgrad/datasets/mnist.h>
#include <xgrad/datasets/split.h>

#include <sstream>
#include <string_view>
#include <system_error>

namespace xgrad::datasets {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code unreadable;
  return fs::exists(path, unreadable);
}

std::string read_text(const fs::path& path, LoadOptions options) {
  return InputFile("cifar", path, options).read_all();
}

// A name a line; blank lines end the list.
std::vector<std::string> read_names(const fs::path& path, std::size_t expected, LoadOptions options) {
  std::istringstream lines(read_text(path, options));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.size() != expected)
    throw DataError(message("[cifar] ", printable(path.string()), ": expected ", expected, " names, one a line, got ",
                            names.size()));
  return names;
}

// Records of `labels` bytes, of which the last counts, and an image.
Dataset read_records(const fs::path& path, std::size_t labels, const std::vector<std::string>& names,
                     LoadOptions options) {
  const Shape shape = {3, 32, 32};
  const std::string bytes = read_text(path, options);
  const std::size_t pixels = element_count(shape), record = labels + pixels;
  if (bytes.size() % record != 0)
    throw DataError(message("[cifar] ", printable(path.string()), ": expected records of ", record, " bytes, got ",
                            bytes.size(), " bytes"));
  std::vector<std::uint8_t> images, classes;
  images.reserve(bytes.size() / record * pixels);
  for (auto at = bytes.begin(); at != bytes.end(); at += static_cast<std::ptrdiff_t>(record)) {
    classes.push_back(static_cast<std::uint8_t>(at[static_cast<std::ptrdiff_t>(labels) - 1]));
    images.insert(images.end(), at + static_cast<std::ptrdiff_t>(labels), at + static_cast<std::ptrdiff_t>(record));
  }
  try {
    return Dataset(std::move(images), shape, classes, names);
  } catch (const DataError& error) {
    throw DataError(message("[cifar] ", printable(path.string()), ": ", error.what()));
  }
}

}  // namespace

Split cifar(const fs::path& folder, LoadOptions options) {
  if (is_there(folder / "train.bin")) {
    const std::vector<std::string> names = read_names(folder / "fine_label_names.txt", 100, options);
    return {read_records(folder / "train.bin", 2, names, options),
            read_records(folder / "test.bin", 2, names, options)};
  }
  const std::vector<std::string> names = read_names(folder / "batches.meta.txt", 10, options);
  std::vector<Dataset> batches;
  for (const char* number : {"1", "2", "3", "4", "5"})
    batches.push_back(read_records(folder / message("data_batch_", number, ".bin"), 1, names, options));
  return {concatenate(batches), read_records(folder / "test_batch.bin", 1, names, options)};
}

Split read_folder(const fs::path& folder, const PictureOptions& options, std::uint64_t seed) {
  std::error_code unreadable;
  bool has_folders = false;
  for (fs::directory_iterator at(folder, unreadable), end; !unreadable && at != end; at.increment(unreadable)) {
    std::error_code leads_nowhere;  // a link
    has_folders = has_folders || at->is_directory(leads_nowhere);
  }
  if (is_there(folder / "batches.meta.txt") || is_there(folder / "fine_label_names.txt"))
    return cifar(folder, options.load);
  if (!has_folders) return mnist(folder, decimal_digits(), options.load);  // which says what it looks for
  if (!is_there(folder / "train") || !is_there(folder / "test")) {
    const Dataset all = picture_folder(folder, options);
    const std::vector<Dataset> parts = random_split(all, {0.8, 0.2}, seed, all.labels());
    return {parts[0], parts[1]};
  }
  const Dataset train = picture_folder(folder / "train", options);
  PictureOptions same = options;
  same.channels = train.image_shape()[0];
  const Dataset test = picture_folder(folder / "test", same);
  if (test.class_names() != train.class_names() || test.image_shape() != train.image_shape())
    throw DataError(message("[pictures] ", printable(folder.string()),
                            ": expected the same classes and sizes in train and test, got ", train.class_names().size(),
                            " classes of ", train.image_shape(), " and ", test.class_names().size(), " of ",
                            test.image_shape()));
  return {random_split(train, {1}, seed)[0], test};
}

}  // namespace xgrad::datasets
