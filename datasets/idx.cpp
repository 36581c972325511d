#include <xgrad/core/file.h>
#include <xgrad/datasets/idx.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>

namespace xgrad::datasets {
namespace {

// A file from its begin to its end, unpacked on the way where it is gzip (RFC 1952), one member after the other. zlib's
// own gzread accepts plain files and whatever follows them: the stream is driven by hand.
class Source : public InputFile {
 public:
  Source(const std::filesystem::path& file, LoadOptions options) : InputFile("read_idx", file, options) {
    gzip_.next_in = packed_.data();
    fetch();
    is_gzip_ = begins_member();
    constexpr int gzip_only = 16;  // added to the size of the window: see inflateInit2 in zlib.h
    if (is_gzip_ && inflateInit2(&gzip_, MAX_WBITS + gzip_only) != Z_OK) throw std::bad_alloc();
  }
  ~Source() { inflateEnd(&gzip_); }  // does nothing where there was no inflateInit2

  // Fills `to` and returns how many bytes there were: fewer than asked for only at the end.
  std::size_t read(std::span<std::uint8_t> to) {
    if (!is_gzip_) {
      const std::size_t here = std::min<std::size_t>(to.size(), gzip_.avail_in);
      std::copy_n(gzip_.next_in, here, to.data());
      gzip_.next_in += here, gzip_.avail_in -= static_cast<uInt>(here);
      return here + InputFile::read(to.data() + here, to.size() - here);
    }
    gzip_.next_out = to.data();
    gzip_.avail_out = static_cast<uInt>(to.size());
    while (gzip_.avail_out > 0 && !ended_) {
      if (gzip_.avail_in == 0) fetch();
      if (gzip_.avail_in == 0) fail("the gzip stream is cut off at offset ", offset(), " of the file");
      const int result = inflate(&gzip_, Z_NO_FLUSH);
      if (result == Z_MEM_ERROR) throw std::bad_alloc();
      if (result == Z_STREAM_END)
        next_member();
      else if (result != Z_OK && result != Z_BUF_ERROR)  // Z_BUF_ERROR: more input or room is needed
        fail("the gzip stream is damaged at offset ", offset(),
             " of the file: ", gzip_.msg ? gzip_.msg : "it needs a dictionary");
    }
    return to.size() - gzip_.avail_out;
  }

 private:
  // More of the file, behind what is left.
  void fetch() {
    std::copy_n(gzip_.next_in, gzip_.avail_in, packed_.data());
    const std::size_t got = InputFile::read(packed_.data() + gzip_.avail_in, packed_.size() - gzip_.avail_in);
    gzip_.next_in = packed_.data();
    gzip_.avail_in += static_cast<uInt>(got);
    fetched_ += got;
  }

  bool begins_member() const { return gzip_.avail_in >= 2 && gzip_.next_in[0] == 0x1f && gzip_.next_in[1] == 0x8b; }

  void next_member() {
    if (gzip_.avail_in < 2) fetch();
    ended_ = gzip_.avail_in == 0;
    if (ended_) return;
    if (!begins_member()) fail("expected the end after the gzip stream, got more at offset ", offset(), " of ", size());
    inflateReset(&gzip_);
  }

  std::uintmax_t offset() const { return fetched_ - gzip_.avail_in; }  // in the file, of what comes next

  bool is_gzip_ = false, ended_ = false;
  std::uintmax_t fetched_ = 0;
  std::array<std::uint8_t, 1 << 16> packed_;
  z_stream gzip_{};
};

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
  const auto* found = std::ranges::find(types, type, &TypeFacts::type);
  return found == std::end(types) ? nullptr : found;
}

std::string hex(std::uint8_t byte) { return {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]}; }

std::string hint(std::span<const std::uint8_t, 4> magic) {
  if (magic[0] == 0x1f && magic[1] == 0x8b) return "; this is gzip inside gzip: unpack it once";
  const bool byte_order_mark = magic[0] == 0xef && magic[1] == 0xbb && magic[2] == 0xbf;
  const auto first = std::find_if(magic.begin(), magic.end(), [](std::uint8_t byte) { return !std::isspace(byte); });
  if (byte_order_mark || (first != magic.end() && *first == '<'))
    return "; this looks like a web page: the download may have saved an error page";
  return "";
}

// The type and the shape; the elements are still to come.
IdxArray read_header(Source& source) {
  std::array<std::uint8_t, 4> magic{};  // two zeros, the type and the rank
  std::size_t got = source.read(magic);
  if (got < 4) source.fail("expected an IDX header of 4 bytes or more, got ", got, " bytes");
  if (magic[0] != 0 || magic[1] != 0)
    source.fail("expected 00 00 at offset 0, got ", hex(magic[0]), " ", hex(magic[1]), " ", hex(magic[2]), " ",
                hex(magic[3]), hint(magic));
  if (!find_type(IdxType{magic[2]}))
    source.fail("expected one of the types 08 09 0b 0c 0d 0e at offset 2, got ", hex(magic[2]));

  const std::size_t rank = magic[3], header = 4 + 4 * rank;
  std::vector<std::uint8_t> sizes(4 * rank);
  got = 4 + source.read(sizes);
  if (got < header) source.fail("expected an IDX header of ", header, " bytes for ", rank, " dimensions, got ", got);
  IdxArray array{IdxType{magic[2]}, Shape(rank, 0), {}};
  for (std::size_t i = 0; i < sizes.size(); ++i) array.shape[i / 4] = array.shape[i / 4] << 8 | sizes[i];
  return array;
}

std::vector<std::uint8_t> read_elements(Source& source, const IdxArray& array) {
  auto total = static_cast<std::ptrdiff_t>(find_type(array.type)->size);
  for (std::size_t size : array.shape)
    if (__builtin_mul_overflow(total, size, &total))
      source.fail("expected a size below 2^63 bytes, got the dimensions ", array.shape, " of ", to_string(array.type));
  source.claim(static_cast<std::uintmax_t>(total));
  const auto size = static_cast<std::size_t>(total), header = 4 + 4 * array.shape.size();
  constexpr std::size_t step = 1 << 20, usual_packing = 16;  // images seldom shrink further: no growth beyond `reserve`
  std::vector<std::uint8_t> bytes;
  bytes.reserve(std::min<std::uintmax_t>(size, source.size() * usual_packing));
  while (bytes.size() < size) {
    const std::size_t begin = bytes.size(), wanted = std::min(step, size - begin);
    bytes.resize(begin + wanted);
    const std::size_t got = source.read({bytes.data() + begin, wanted});
    if (got < wanted)
      source.fail("expected ", size, " bytes from offset ", header, ", got ", begin + got, ": the data are cut off");
  }
  std::uint8_t more = 0;
  if (source.read({&more, 1}) != 0)  // also takes gzip to its checksum
    source.fail("expected the end at offset ", header + size, ", got more bytes");
  return bytes;
}

}  // namespace

std::string_view to_string(IdxType type) { return find_type(type)->name; }

void IdxArray::expect_type(IdxType asked) const {
  if (asked != type)
    throw ValueError(message("[as] expected the type of the file, ", to_string(type), ", got ", to_string(asked)));
}

IdxArray read_idx(const std::filesystem::path& file, LoadOptions options) {
  Source source(file, options);
  IdxArray array = read_header(source);
  array.bytes = read_elements(source, array);
  const std::size_t element = find_type(array.type)->size;
  if (element > 1 && std::endian::native == std::endian::little)
    for (auto at = array.bytes.begin(); at != array.bytes.end(); at += static_cast<std::ptrdiff_t>(element))
      std::reverse(at, at + static_cast<std::ptrdiff_t>(element));
  return array;
}

}  // namespace xgrad::datasets
