#include <xgrad/core/errors.h>
#include <xgrad/datasets/byte_source.h>
#include <xgrad/datasets/idx.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <limits>

namespace xgrad::datasets {
namespace {

struct TypeFacts {
  IdxType type;
  std::size_t size;
  std::string_view name;
};
constexpr TypeFacts types[] = {{IdxType::uint8, 1, "uint8"},     {IdxType::int8, 1, "int8"},
                               {IdxType::int16, 2, "int16"},     {IdxType::int32, 4, "int32"},
                               {IdxType::float32, 4, "float32"}, {IdxType::float64, 8, "float64"}};

// nullptr for a byte that is no type.
const TypeFacts* find_type(IdxType type) {
  const auto* found =
      std::find_if(std::begin(types), std::end(types), [&](const TypeFacts& t) { return t.type == type; });
  return found == std::end(types) ? nullptr : found;
}
std::size_t element_size(IdxType type) { return find_type(type)->size; }

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (std::uint8_t byte : bytes) {
    if (!text.empty()) text += ' ';
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string hint(std::span<const std::uint8_t, 4> magic) {
  if (magic[0] == 0x1f && magic[1] == 0x8b) return "; this is gzip inside gzip: unpack it once";
  const bool byte_order_mark = magic[0] == 0xef && magic[1] == 0xbb && magic[2] == 0xbf;
  const auto first = std::find_if(magic.begin(), magic.end(), [](std::uint8_t byte) { return !std::isspace(byte); });
  if (byte_order_mark || (first != magic.end() && *first == '<'))
    return "; this looks like a web page: the download may have saved an error page";
  return "";
}

// The two zeros, the type and the rank.
std::array<std::uint8_t, 4> read_magic(ByteSource& source) {
  std::array<std::uint8_t, 4> magic{};
  const std::size_t got = source.read(magic);
  if (got < 4) source.fail(message("expected an IDX header of 4 bytes or more, got ", got, " bytes"));
  if (magic[0] != 0 || magic[1] != 0) source.fail(message("expected 00 00 at offset 0, got ", hex(magic), hint(magic)));
  if (!find_type(IdxType{magic[2]}))
    source.fail(message("expected one of the types 08 09 0b 0c 0d 0e at offset 2, got ", hex({&magic[2], 1})));
  return magic;
}

Shape read_shape(ByteSource& source, std::size_t rank) {
  std::vector<std::uint8_t> sizes(4 * rank);
  const std::size_t got = source.read(sizes);
  if (got < sizes.size())
    source.fail(
        message("expected an IDX header of ", 4 + sizes.size(), " bytes for ", rank, " dimensions, got ", 4 + got));
  Shape shape;
  for (std::size_t d = 0; d < rank; ++d) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size << 8 | sizes[4 * d + i];
    shape.push_back(size);
  }
  return shape;
}

// Those of the elements, refusing what a signed 64-bit size could not count.
std::size_t payload_size(const ByteSource& source, const Shape& shape, IdxType type) {
  std::size_t total = element_size(type);
  for (std::size_t size : shape) {
    if (size != 0 && total > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) / size)
      source.fail(message("expected a size below 2^63 bytes, got the dimensions ", shape, " of ", to_string(type)));
    total *= size;
  }
  return total;
}

std::vector<std::uint8_t> read_payload(ByteSource& source, std::size_t size, std::size_t header) {
  constexpr std::size_t step = 1 << 20, usual_packing = 16;  // images seldom shrink further: no growth beyond `reserve`
  std::vector<std::uint8_t> bytes;
  bytes.reserve(std::min<std::uintmax_t>(size, source.file_size() * usual_packing));
  while (bytes.size() < size) {
    const std::size_t begin = bytes.size(), wanted = std::min(step, size - begin);
    bytes.resize(begin + wanted);
    const std::size_t got = source.read({bytes.data() + begin, wanted});
    if (got < wanted)
      source.fail(
          message("expected ", size, " bytes from offset ", header, ", got ", begin + got, ": the data are cut off"));
  }
  std::uint8_t more = 0;
  if (source.read({&more, 1}) != 0)  // also takes gzip to its checksum
    source.fail(message("expected the end at offset ", header + size, ", got more bytes"));
  return bytes;
}

void from_big_endian(std::vector<std::uint8_t>& bytes, std::size_t element) {
  if constexpr (std::endian::native == std::endian::big) return;
  for (auto at = bytes.begin(); element > 1 && at != bytes.end(); at += static_cast<std::ptrdiff_t>(element))
    std::reverse(at, at + static_cast<std::ptrdiff_t>(element));
}

}  // namespace

std::string_view to_string(IdxType type) { return find_type(type)->name; }

void IdxArray::expect_type(IdxType asked) const {
  if (asked != type)
    throw ValueError(message("[as] expected the type of the file, ", to_string(type), ", got ", to_string(asked)));
}

IdxArray read_idx(const std::filesystem::path& file) {
  ByteSource source(file);
  const std::array<std::uint8_t, 4> magic = read_magic(source);
  IdxArray array{IdxType{magic[2]}, read_shape(source, magic[3]), {}};
  const std::size_t size = payload_size(source, array.shape, array.type);
  array.bytes = read_payload(source, size, 4 + 4 * array.shape.size());
  from_big_endian(array.bytes, element_size(array.type));
  return array;
}

}  // namespace xgrad::datasets
