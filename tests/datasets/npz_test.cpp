// Archives of arrays: round trips, and damaged ones.
#include <datasets/idx_files.h>
#include <error.h>
#include <xgrad/datasets/npz.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/normalization.h>
#include <xgrad/nn/sequential.h>
#include <zip.h>

#include <algorithm>
#include <cstdlib>

using namespace xgrad;
using namespace xgrad::datasets;
using namespace idx_files;

namespace {

using NamedArrays = std::vector<std::pair<std::string, Tensor>>;

// An archive that somebody else has made, packed.
std::filesystem::path zipped(const Folder& folder, const std::vector<std::pair<std::string, Bytes>>& members) {
  const auto path = folder.path() / "made.npz";
  zip_t* const zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  REQUIRE(zip != nullptr);
  for (const auto& [name, bytes] : members)
    REQUIRE(zip_file_add(zip, name.c_str(), zip_source_buffer(zip, bytes.data(), bytes.size(), 0), 0) >= 0);
  REQUIRE(zip_close(zip) == 0);
  return path;
}

Bytes bytes_in(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Bytes npy_of(const std::string& type, const std::string& shape, const Bytes& elements) {
  const std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
  return from_text("\x93NUMPY") + Bytes{1, 0, static_cast<std::uint8_t>(header.size()), 0} + from_text(header) +
         elements;
}

NamedArrays tensors_in(const std::filesystem::path& path) {
  NamedArrays all;
  for (const auto& [name, array] : read_npz(path)) all.emplace_back(name, array.tensor());
  return all;
}

}  // namespace

TEST_CASE("a network goes out to a .npz archive and in again") {
  const Folder folder;
  const auto path = folder.path() / "model.npz", again = folder.path() / "again.npz";
  nn::Sequential model{nn::Linear(3, 4), nn::BatchNorm1d(4), nn::Linear(4, 2)},
      other{nn::Linear(3, 4), nn::BatchNorm1d(4), nn::Linear(4, 2)};
  write_npz(path, model.state_dict().tensors);
  other.load_state_dict({.tensors = tensors_in(path)});
  CHECK(other.state_dict().tensors == model.state_dict().tensors);
  write_npz(again, other.state_dict().tensors);
  CHECK(bytes_in(again) == bytes_in(path));
  const NamedArrays arrays = {{"", zeros({})}, {"0.weight", full({2, 0}, 1)}, {"a/\xc3\xa4", full({70000}, 3)}};
  write_npz(path, arrays);
  CHECK(tensors_in(path) == arrays);
}

TEST_CASE("packed arrays of all types are read") {
  const Folder folder;
  const auto arrays = read_npz(zipped(folder, {{"labels.npy", npy_of("|u1", "(1000,)", Bytes(1000, 7))},
                                               {"x.npy", npy_of(">i2", "(2,)", {1, 2, 255, 255})}}));
  REQUIRE(arrays.size() == 2);
  CHECK(arrays[0].first == "labels");
  CHECK(arrays[0].second.type == "uint8");
  CHECK(arrays[0].second.bytes == Bytes(1000, 7));
  CHECK(arrays[1].second.indices() == IndexTensor({258, -1}));
}

TEST_CASE("a damaged archive is refused, with the file and the array") {
  const Bytes one = npy_of("|u1", "(1,)", {1});
  const auto with_byte = [](Bytes bytes, std::size_t place, std::uint8_t value) {
    bytes.at(place) = value;
    return bytes;
  };
  const Folder folder;
  const Bytes good = bytes_in(zipped(folder, {{"a.npy", one}, {"b.npy", one}}));
  Bytes twice = good;
  const Bytes name = from_text("b.npy");
  for (auto at = twice.begin(); (at = std::search(at, twice.end(), name.begin(), name.end())) != twice.end();)
    *at = 'a';
  const Bytes zeros_packed = bytes_in(zipped(folder, {{"z.npy", npy_of("|u1", "(50000000,)", Bytes(50'000'000))}}));
  const std::vector<Damaged> files = {
      {"no archive", from_text("\x93NUMPY and more than a zip archive's end would take"), {"no whole zip archive"}},
      {"an array", one, {"no whole zip archive"}},
      {"no .npy", bytes_in(zipped(folder, {{"a.txt", one}})), {"expected members NAME.npy, got 'a.txt'"}},
      {"a folder", bytes_in(zipped(folder, {{"a.npy/", {}}})), {"expected members NAME.npy, got 'a.npy/'"}},
      {"a name twice", twice, {"a"}},
      {"objects",
       bytes_in(zipped(folder, {{"o.npy", npy_of("|O", "(1,)", Bytes(8))}})),
       {"'o': ", "objects of Python"}},
      {"an empty array", bytes_in(zipped(folder, {{"e.npy", {}}})), {"'e': expected 93 and NUMPY"}},
      {"terabytes",
       bytes_in(zipped(folder, {{"t.npy", npy_of("<f8", "(1099511627776,)", Bytes(8))}})),
       {"8796093022208 bytes of memory"}},
      {"elements that are cut off",
       bytes_in(zipped(folder, {{"c.npy", npy_of("<f8", "(3,)", Bytes(20))}})),
       {"'c': expected 24 bytes", "got 20"}},
      {"trailing bytes", bytes_in(zipped(folder, {{"m.npy", one + Bytes{1}}})), {"'m': expected the end"}},
      {"much in little", zeros_packed, {"50000000 bytes of memory"}},
      {"an escape sequence, which the format's own code page shows as an arrow",
       bytes_in(zipped(folder, {{"\x1b[1m.npy", npy_of("|O", "()", {})}})),
       {"'\xe2\x86\x90[1m'"}},
  };
  check_refused(files, "[read_npz]", "array.npz",
                [](const auto& file) { read_npz(file, {.memory_limit = 20'000'000}); });
  CHECK(read_npz(folder.write("array.npz", zeros_packed)).at(0).second.bytes.size() == 50'000'000);

  // A size that the archive claims and does not have, a damaged element, and the end of the file.
  const auto path = folder.path() / "stored.npz";
  write_npz(path, {{"x", full({3}, 2)}});
  const Bytes stored = bytes_in(path);
  const auto element = static_cast<std::size_t>(
                           std::search(stored.begin(), stored.end(), name.begin() + 1, name.end()) - stored.begin()) +
                       140;
  check_error<DataError>([&] { read_npz(folder.write("changed.npz", with_byte(stored, element, 0x55))); },
                         {"'x': ", "CRC"});
  for (std::size_t lost = 1; lost <= stored.size(); ++lost)
    check_error<DataError>([&] { read_npz(folder.write("cut.npz", without_last(stored, lost))); }, {});
  for (std::size_t place = 0; place < stored.size(); ++place)
    for (const int change : {1, 16, 128, 255}) {
      Bytes changed = stored;
      changed[place] = static_cast<std::uint8_t>(changed[place] ^ change);
      try {
        const auto arrays = read_npz(folder.write("changed.npz", changed), {.memory_limit = 1 << 20});
        for (const auto& [array_name, array] : arrays) CHECK(array.tensor() == full({3}, 2));
      } catch (const DataError&) {
      }
    }
}

TEST_CASE("arrays that cannot be written are refused, and leave no file") {
  const Folder folder;
  const auto path = folder.path() / "a.npz";
  const Tensor x = full({1}, 1);
  check_error<ValueError>([&] { write_npz(path, {}); }, {"[write_npz]", "one array or more, got none"});
  check_error<ValueError>([&] { write_npz(path, {{"x", x}, {"x", x}}); }, {"'x' is given twice"});
  check_error<ValueError>([&] { write_npz(path, {{"\xff", x}}); }, {"names in UTF-8 without a zero byte", "\\xff"});
  check_error<ValueError>([&] { write_npz(path, {{std::string("a\0b", 3), x}}); }, {"without a zero byte"});
  check_error<ValueError>([&] { write_npz(path, {{"x", zeros(Shape(33, 1))}}); }, {"at most 32 dimensions"});
  CHECK(std::filesystem::is_empty(folder.path()));
  check_error<DataError>([&] { write_npz(folder.path() / "none" / "a.npz", {{"x", x}}); }, {"none"});
}

// For numpy_check.py, as in npy_test.cpp.
TEST_CASE("NumPy's archives") {
  const char* const folder = std::getenv("XGRAD_NUMPY_FOLDER");
  if (!folder) return;
  for (const char* name : {"plain.npz", "packed.npz"})
    write_npz(std::filesystem::path(folder) / ("ours_" + std::string(name)),
              tensors_in(std::filesystem::path(folder) / name));
}
