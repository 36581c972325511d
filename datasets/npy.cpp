#include <xgrad/core/elements.h>
#include <xgrad/datasets/npy_format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <set>

namespace xgrad::datasets {
namespace {

using npy::Source;

constexpr std::string_view npy_magic = "\x93NUMPY";
constexpr std::size_t longest_npy_header = 1 << 16;  // that of an array of one type takes a hundredth
constexpr std::size_t most_npy_dimensions = 32, npy_alignment = 64;

struct NpyType {
  char kind;
  std::size_t size;
  std::string_view name;
};
constexpr NpyType npy_types[] = {{'f', 2, "float16"}, {'f', 4, "float32"}, {'f', 8, "float64"}, {'i', 1, "int8"},
                                 {'i', 2, "int16"},   {'i', 4, "int32"},   {'i', 8, "int64"},   {'u', 1, "uint8"},
                                 {'u', 2, "uint16"},  {'u', 4, "uint32"},  {'u', 8, "uint64"},  {'b', 1, "bool"}};

// f(number) for each element, in its own type.
template <class F>
void for_each_number(const NpyArray& array, F f) {
  const auto each = [&]<class Element>(Element) {
    elements::for_each_number<Element>(array.bytes.data(), array.bytes.size() / sizeof(Element), f);
  };
  if (array.type == "float16") each(elements::Half());
  if (array.type == "float32") each(float());
  if (array.type == "float64") each(double());
  if (array.type == "int8") each(elements::SignedByte());
  if (array.type == "int16") each(std::int16_t());
  if (array.type == "int32") each(std::int32_t());
  if (array.type == "int64") each(std::int64_t());
  if (array.type == "uint8") each(std::uint8_t());
  if (array.type == "uint16") each(std::uint16_t());
  if (array.type == "uint32") each(std::uint32_t());
  if (array.type == "uint64") each(std::uint64_t());
  if (array.type == "bool") each(elements::Truth());
}

struct NpyHeader {
  const NpyType* type = nullptr;
  bool big_endian = false, fortran_order = false;
  Shape shape = {};
};

// A dictionary as Python prints it, such as {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
class NpyHeaderReader {
 public:
  NpyHeaderReader(const Source& source, std::string_view text) : source_(source), all_(text), rest_(text) {}

  NpyHeader read() {
    std::set<std::string_view> keys;
    expect("{");
    bool more = true;
    for (; more && !take("}"); more = take(",")) {
      const std::string_view key = text();
      if (!keys.insert(key).second) source_.fail("the header has '", printable(key), "' twice");
      expect(":");
      if (key == "descr")
        read_type();
      else if (key == "fortran_order")
        header_.fortran_order = take("True") || (expect("False"), false);
      else if (key == "shape")
        read_shape();
      else
        source_.fail("expected descr, fortran_order and shape in the header, got '", printable(key), "'");
    }
    if (!more) expect("}");
    skip_space();
    if (!rest_.empty()) unexpected("its end");
    if (keys.size() != 3) source_.fail("expected descr, fortran_order and shape in the header, got ", keys.size());
    return header_;
  }

 private:
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n"), rest_.size())); }
  bool take(std::string_view expected) {
    skip_space();
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  void expect(std::string_view expected) {
    if (!take(expected)) unexpected(message("'", expected, "'"));
  }
  [[noreturn]] void unexpected(std::string_view expected) const {
    source_.fail("expected ", expected, " at byte ", all_.size() - rest_.size(), " of the header, got '",
                 printable(rest_.substr(0, 1)), "'");
  }

  std::string_view text() {
    skip_space();
    const std::size_t end =
        rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"') ? rest_.npos : rest_.find(rest_[0], 1);
    if (end == rest_.npos) unexpected("a text in quotation marks");
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }

  void read_type() {
    if (take("[")) source_.fail("expected elements of one type, got records of several");
    const std::string_view descr = text();
    const char order = descr.empty() ? ' ' : descr[0];
    for (const NpyType& type : npy_types)
      if ((order == '<' || order == '>' || (order == '|' && type.size == 1)) &&
          descr.substr(1) == message(std::string(1, type.kind), type.size))
        header_.type = &type;
    header_.big_endian = order == '>';
    if (header_.type) return;
    constexpr std::pair<char, const char*> others[] = {{'O', "objects of Python, which are not unpickled"},
                                                       {'U', "texts"},
                                                       {'S', "texts"},
                                                       {'c', "complex numbers"},
                                                       {'M', "times"},
                                                       {'m', "times"},
                                                       {'V', "records"}};
    std::string hint;
    for (const auto& [kind, name] : others)
      if (descr.size() > 1 && descr[1] == kind) hint = message(" (", name, ")");
    source_.fail("expected whole or real numbers of up to 8 bytes, or bool, got the type '", printable(descr), "'",
                 hint);
  }

  void read_shape() {
    expect("(");
    bool more = true;
    for (; more && !take(")"); more = take(",")) {
      skip_space();
      std::size_t size = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      if (error != std::errc()) unexpected("a size below 2^64");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      header_.shape.push_back(size);
    }
    if (!more) expect(")");
  }

  const Source& source_;
  std::string_view all_, rest_;
  NpyHeader header_;
};

NpyHeader read_npy_header(const Source& source) {
  const auto read = [&source](void* to, std::size_t bytes) {
    if (source.get(to, bytes) != bytes) source.fail("the header is cut off");
  };
  std::array<std::uint8_t, 8> begin{};  // the magic and the version
  if (source.get(begin.data(), begin.size()) != begin.size() ||
      !std::equal(npy_magic.begin(), npy_magic.end(), reinterpret_cast<const char*>(begin.data())))
    source.fail("expected 93 and NUMPY at its begin: this is no .npy");
  const int major = begin[6], minor = begin[7];
  if (major < 1 || major > 3 || minor != 0)
    source.fail("expected the version 1.0, 2.0 or 3.0 of the format, got ", major, ".", minor);
  std::array<std::uint8_t, 4> length{};
  read(length.data(), major == 1 ? 2 : 4);
  const auto size = std::bit_cast<std::uint32_t>(length);
  if (size > longest_npy_header)
    source.fail("expected a header of at most ", longest_npy_header, " bytes, got a length of ", size);
  std::string text(size, '\0');
  read(text.data(), size);
  return NpyHeaderReader(source, text).read();
}

std::vector<std::uint8_t> read_npy_elements(const Source& source, const NpyHeader& header) {
  std::size_t size = header.type->size, most = sizeof(double);
  bool overflows = false;
  for (const std::size_t one : header.shape) {  // also what a tensor counts where another size is 0
    overflows = __builtin_mul_overflow(most, std::max<std::size_t>(one, 1), &most) || overflows;
    size *= one;
  }
  if (overflows || most > PTRDIFF_MAX)
    source.fail("expected a shape whose bytes can be counted, got ", header.shape, " of ", header.type->name);
  source.file.claim(size);
  constexpr std::size_t step = 1 << 20, usual_packing = 16;
  std::vector<std::uint8_t> bytes;
  bytes.reserve(std::min<std::uintmax_t>(size, source.file.size() * usual_packing));
  while (bytes.size() < size) {
    const std::size_t begin = bytes.size(), wanted = std::min(step, size - begin);
    bytes.resize(begin + wanted);
    if (const std::size_t got = source.get(bytes.data() + begin, wanted); got < wanted)
      source.fail("expected ", size, " bytes of elements, ", header.shape, " of ", header.type->name, ", got ",
                  begin + got, ": it is cut off");
  }
  char more = 0;
  if (source.get(&more, 1) != 0) source.fail("expected the end after ", size, " bytes of elements, got more");
  return bytes;
}

// Of elements whose first index changes fastest.
std::vector<std::uint8_t> to_row_major(const std::vector<std::uint8_t>& from, const Shape& shape, std::size_t element) {
  std::vector<std::size_t> strides, at(shape.size());
  for (std::size_t stride = element; const std::size_t size : shape) strides.push_back(stride), stride *= size;
  std::vector<std::uint8_t> to(from.size());
  for (std::size_t next = 0, source = 0; next < to.size(); next += element) {
    std::copy_n(from.data() + source, element, to.data() + next);
    for (std::size_t axis = shape.size(); axis-- > 0; at[axis] = 0) {
      source += strides[axis];
      if (++at[axis] < shape[axis]) break;
      source -= strides[axis] * shape[axis];
    }
  }
  return to;
}

template <class A>
void write_array(const std::filesystem::path& path, const A& array, std::string_view type) {
  const std::string header = npy::header_of(Shape(array.shape().begin(), array.shape().end()), type);
  ReplacementFile file(path);
  file.write(header);
  file.write(npy::bytes_of(array));
  file.commit();
}

}  // namespace

Tensor NpyArray::tensor() const {
  Tensor result = uninitialized(shape, "tensor");
  Scalar* to = result.data();
  const auto fail = [&](const std::string& why) { throw DataError(message("[tensor] ", source, ": ", why)); };
  for_each_number(*this, [&](auto number) { *to++ = elements::scalar_of(number, fail); });
  return result;
}

IndexTensor NpyArray::indices() const {
  if (type.starts_with("float")) throw DataError(message("[indices] ", source, ": expected whole numbers, got ", type));
  element_count(shape, "indices");
  IndexTensor result = IndexTensor::from_shape({shape.begin(), shape.end()});
  std::int64_t* to = result.data();
  for_each_number(*this, [&]<class T>(T number) {
    if constexpr (std::is_same_v<T, std::uint64_t>)
      if (number > INT64_MAX) throw DataError(message("[indices] ", source, ": ", number, " is 2^63 or more"));
    *to++ = static_cast<std::int64_t>(number);
  });
  return result;
}

NpyArray read_npy(const std::filesystem::path& path, LoadOptions options) {
  InputFile file("read_npy", path, options);
  return npy::read_array(
      {file, printable(path.string()), "", [&file](void* to, std::size_t bytes) { return file.read(to, bytes); }});
}

void write_npy(const std::filesystem::path& file, const Tensor& array) { write_array(file, array, npy::scalar_type); }
void write_npy(const std::filesystem::path& file, const IndexTensor& array) { write_array(file, array, "<i8"); }

NpyArray npy::read_array(const Source& source) {
  const NpyHeader header = read_npy_header(source);
  NpyArray array{source.name, header.type->name, header.shape, read_npy_elements(source, header)};
  const std::size_t element = header.type->size;
  if (header.fortran_order && header.shape.size() > 1) {
    source.file.claim(array.bytes.size());
    array.bytes = to_row_major(array.bytes, array.shape, element);
  }
  if (header.big_endian)
    for (auto at = array.bytes.begin(); at != array.bytes.end(); at += static_cast<std::ptrdiff_t>(element))
      std::reverse(at, at + static_cast<std::ptrdiff_t>(element));
  if (array.type == "bool" && std::any_of(array.bytes.begin(), array.bytes.end(), [](auto byte) { return byte > 1; }))
    source.fail("expected 0 or 1 for each bool, got something else");
  return array;
}

std::string npy::header_of(const Shape& shape, std::string_view type) {
  if (shape.size() > most_npy_dimensions)
    throw ValueError(message("[write_npy] expected at most ", most_npy_dimensions, " dimensions, got ", shape.size()));
  std::string text = message("{'descr': '", type, "', 'fortran_order': False, 'shape': ", shape, ", }");
  const std::size_t before = npy_magic.size() + 4, after = text.size() + 1;  // the version and the length; a line's end
  text.resize((before + after + npy_alignment - 1) / npy_alignment * npy_alignment - before - 1, ' ');
  text += '\n';
  const auto length = std::bit_cast<std::array<char, 2>>(static_cast<std::uint16_t>(text.size()));
  return message(npy_magic, std::string_view("\1\0", 2), std::string_view(length.data(), 2), text);
}

}  // namespace xgrad::datasets
