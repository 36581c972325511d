// Arrays in IDX files, plain and gzip. The bytes are read as they come, and again packed by us: changed at random, a
// packed file would never have the right checksum, and nothing behind that would be tried.
#include <xgrad/core/errors.h>
#include <xgrad/datasets/idx.h>
#include <zlib.h>

#include <optional>

#include "fuzz.h"

using namespace xgrad;
using datasets::IdxArray;

namespace {

std::string packed(std::string_view content) {
  z_stream stream{};
  fuzz::expect(deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "a packer");
  std::string result(deflateBound(&stream, content.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  fuzz::expect(deflate(&stream, Z_FINISH) == Z_STREAM_END, "room for what is packed");
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

std::optional<IdxArray> read_array(std::string_view content) {
  const std::filesystem::path file = fuzz::write("file", content);
  std::optional<IdxArray> array;
  fuzz::succeeds<DataError>([&] { array = datasets::read_idx(file, fuzz::little_memory); });
  return array;
}

template <class T>
bool holds(const IdxArray& array) {
  bool right = false;
  const auto count = [&] { right = array.as<T>().size() == element_count(array.shape); };
  const bool of_this_type = array.type == datasets::IdxTypeOf<T>::value;
  return fuzz::succeeds<ValueError>(count) == of_this_type && right == of_this_type;
}

}  // namespace

void fuzz::run(Bytes bytes) {
  const std::string_view content = as_text(bytes);
  const std::optional<IdxArray> array = read_array(content);
  if (array)
    expect(holds<std::uint8_t>(*array) && holds<std::int8_t>(*array) && holds<std::int16_t>(*array) &&
               holds<std::int32_t>(*array) && holds<float>(*array) && holds<double>(*array),
           "as many elements as the shape says, of the type that it says");
  if (content.starts_with("\x1f\x8b")) return;
  const std::size_t half = content.size() / 2;
  for (const std::string& file : {packed(content), packed(content.substr(0, half)) + packed(content.substr(half))}) {
    const std::optional<IdxArray> unpacked = read_array(file);
    expect(array.has_value() == unpacked.has_value(), "a packed file to be read where the plain one is");
    if (array)
      expect(array->type == unpacked->type && array->shape == unpacked->shape && array->bytes == unpacked->bytes,
             "a packed file to be read as the plain one");
  }
}

std::vector<std::string> fuzz::seeds() {
  const auto header = [](std::size_t type, std::initializer_list<std::size_t> shape) {
    std::string bytes = std::string(2, '\0') + byte(type) + byte(shape.size());
    for (const std::size_t size : shape)
      for (const int shift : {24, 16, 8, 0}) bytes += byte(size >> shift & 255);
    return bytes;
  };
  std::vector<std::string> all = {"<html>",
                                  header(0x8, {}) + "a",
                                  header(0x8, {2, 3}) + "abcdef",
                                  "",
                                  header(0x9, {1}) + "a",
                                  header(0xB, {2}) + "abcd",
                                  "\x1f\x8b",
                                  header(0xC, {1, 1}) + "abcd",
                                  header(0xD, {0, 4294967295}),
                                  header(0xE, {1, 1, 1}) + "abcdefgh",
                                  header(0x8, {4294967295, 4294967295}) + "a"};
  for (std::size_t i = all.size(); i-- > 0;) all.push_back(packed(all[i]));
  all.push_back(packed(all[1].substr(0, 3)) + packed(all[1].substr(3)));  // two members
  all.push_back(packed(all[2]) + "more");
  return all;
}
