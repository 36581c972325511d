// The format, byte by byte: files as NumPy writes them, and damaged ones.
#include <datasets/idx_files.h>
#include <error.h>
#include <numbers.h>
#include <xgrad/datasets/npy.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>

using namespace xgrad;
using namespace xgrad::datasets;
using namespace idx_files;

namespace {

constexpr bool float_scalar = std::is_same_v<Scalar, float>;

template <class T>
Bytes raw_bytes(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

Bytes npy(const std::string& header, const Bytes& elements = {}, std::uint8_t version = 1) {
  const auto size = static_cast<std::uint32_t>(header.size());
  Bytes length = raw_bytes<std::uint32_t>({size});
  if (version == 1) length.resize(2);
  return from_text("\x93NUMPY") + Bytes{version, 0} + length + from_text(header) + elements;
}

std::string npy_header(const std::string& type, const std::string& shape, const std::string& fortran_order = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + fortran_order + ", 'shape': " + shape + ", }  \n";
}

template <class T>
std::string descr_of() {
  return (sizeof(T) == 1 ? "|" : "<") +
         std::string(std::is_floating_point_v<T> ? "f"
                     : std::is_signed_v<T>       ? "i"
                                                 : "u") +
         std::to_string(sizeof(T));
}

Bytes content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <class A>
bool equal_bits(const A& a, const A& b) {
  return a.shape() == b.shape() &&
         (a.size() == 0 || std::memcmp(a.data(), b.data(), a.size() * sizeof(*a.data())) == 0);
}

}  // namespace

TEST_CASE_TEMPLATE("a .npy file gives back its elements", T, float, double, std::int8_t, std::int16_t, std::int32_t,
                   std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t) {
  const Folder folder;
  const std::pair<std::string, Shape> shapes[] = {
      {"()", {}}, {"(5,)", {5}}, {"(3, 2)", {3, 2}}, {"(2,1,3)", {2, 1, 3}}, {"( 2 , 0, 3 ,)", {2, 0, 3}}};
  for (const auto& [text, shape] : shapes)
    for (const int version : {1, 2, 3}) {
      std::vector<T> values;
      for (std::size_t i = 0; i < element_count(shape); ++i)
        values.push_back(static_cast<T>(std::is_unsigned_v<T> ? 200.0 + double(i) : 120.5 - 40.0 * double(i)));
      const NpyArray array = read_npy(folder.write(
          "array", npy(npy_header(descr_of<T>(), text), raw_bytes(values), static_cast<std::uint8_t>(version))));
      CHECK(array.shape == shape);
      CHECK(array.bytes == raw_bytes(values));
      const Tensor tensor = array.tensor();
      CHECK(tensor.shape() == shape);
      for (std::size_t i = 0; i < values.size(); ++i) CHECK(tensor.data()[i] == static_cast<Scalar>(values[i]));
      if constexpr (std::is_integral_v<T>) {
        const IndexTensor indices = array.indices();
        CHECK(Shape(indices.shape().begin(), indices.shape().end()) == shape);
        for (std::size_t i = 0; i < values.size(); ++i)
          CHECK(indices.data()[i] == static_cast<std::int64_t>(values[i]));
      } else {
        check_error<DataError>([&] { array.indices(); }, {"[indices]", "array", "expected whole numbers", "float"});
      }
    }
}

TEST_CASE("Fortran order, the other order of bytes, bool and float16 are read as what they mean") {
  const Folder folder;
  const auto read = [&](const std::string& header, const Bytes& elements) {
    return read_npy(folder.write("array", npy(header, elements)));
  };
  const NpyArray columns = read(npy_header("<i2", "(2, 3)", "True"), raw_bytes<std::int16_t>({1, 4, 2, 5, 3, 6}));
  CHECK(columns.type == "int16");
  CHECK(columns.indices() == IndexTensor({{1, 2, 3}, {4, 5, 6}}));
  Bytes elements;
  for (std::uint8_t k = 0; k < 4; ++k)
    for (std::uint8_t j = 0; j < 3; ++j)
      for (std::uint8_t i = 0; i < 2; ++i) elements.push_back(static_cast<std::uint8_t>(100 * i + 10 * j + k));
  const IndexTensor cube = read(npy_header("|u1", "(2, 3, 4)", "True"), elements).indices();
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 4; ++k) CHECK(cube(i, j, k) == 100 * i + 10 * j + k);
  CHECK(read(npy_header("<f4", "(0, 3)", "True"), {}).tensor().shape() == Shape{0, 3});
  CHECK(read(npy_header(">i4", "(2,)"), {0, 0, 1, 2, 255, 255, 255, 254}).indices() == IndexTensor({258, -2}));
  CHECK(read(npy_header(">f8", "()"), {0xbf, 0xe0, 0, 0, 0, 0, 0, 0}).tensor()() == Scalar(-0.5));
  CHECK(read(npy_header("|b1", "(3,)"), {1, 0, 1}).indices() == IndexTensor({1, 0, 1}));
  CHECK(read(npy_header("|b1", "(3,)"), {1, 0, 1}).tensor() == Tensor({1, 0, 1}));
  const std::pair<std::uint16_t, double> halves[] = {{0x0000, 0},        {0x3c00, 1},
                                                     {0xc000, -2},       {0x7bff, 65504},
                                                     {0x0001, 0x1p-24},  {0x83ff, -1023 * 0x1p-24},
                                                     {0x0400, 0x1p-14},  {0x3555, 0.333251953125},
                                                     {0x7c00, infinity}, {0xfc00, -infinity}};
  for (const auto& [bits, value] : halves)
    CHECK(read(npy_header("<f2", "()"), raw_bytes<std::uint16_t>({bits})).tensor()() == Scalar(value));
  CHECK(std::signbit(read(npy_header("<f2", "()"), {0, 0x80}).tensor()()));
  CHECK(std::isnan(read(npy_header("<f2", "()"), {1, 0x7e}).tensor()()));
}

TEST_CASE("what is written is what NumPy writes, and is read with the same bits") {
  const Folder folder;
  const auto path = folder.path() / "array.npy";
  write_npy(path, IndexTensor({{1, 2, 3}, {4, 5, -6}}));
  std::string header = "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }";
  header.resize(117, ' ');  // a file begins with a multiple of 64 bytes before its elements
  CHECK(content_of(path) == npy(header + "\n", raw_bytes<std::int64_t>({1, 2, 3, 4, 5, -6})));
  CHECK(read_npy(path).indices() == IndexTensor({{1, 2, 3}, {4, 5, -6}}));

  Tensor special({0, -0.0, 1, Scalar(infinity), -Scalar(infinity), Scalar(not_a_number),
                  std::numeric_limits<Scalar>::denorm_min(), std::numeric_limits<Scalar>::lowest()});
  Shape deep(32, 1);
  deep[31] = 3;
  for (const Tensor& tensor :
       {special, zeros({}), zeros({0}), zeros({2, 0, 3}), full(deep, 2), full({2, 3, 1, 2}, 3)}) {
    write_npy(path, tensor);
    const NpyArray array = read_npy(path);
    CHECK(array.type == (float_scalar ? "float32" : "float64"));
    CHECK(equal_bits(array.tensor(), tensor));
  }
  check_error<ValueError>([&] { write_npy(path, zeros(Shape(33, 1))); },
                          {"[write_npy]", "at most 32 dimensions, got 33"});
  check_error<DataError>([&] { write_npy(folder.path() / "none" / "a.npy", special); }, {"none"});
}

TEST_CASE("what is not one whole .npy array is refused") {
  const Bytes four = raw_bytes<float>({1, 2, 3, 4}), good = npy(npy_header("<f4", "(4,)"), four);
  const std::string huge = "18446744073709551615", types = "expected whole or real numbers of up to 8 bytes, or bool";
  const std::vector<Damaged> files = {
      {"empty", {}, {"empty"}},
      {"another format", from_text("PK\3\4 and more"), {"93 and NUMPY", "no .npy"}},
      {"a magic that is cut off", from_text("\x93NUM"), {"93 and NUMPY"}},
      {"a version that is cut off", from_text("\x93NUMPY\1"), {"93 and NUMPY"}},
      {"version 0.0", npy("", {}, 0), {"the version 1.0, 2.0 or 3.0", "got 0.0"}},
      {"version 4.0", npy("", {}, 4), {"got 4.0"}},
      {"a length that is cut off", from_text("\x93NUMPY") + Bytes{2, 0, 1, 0}, {"the header is cut off"}},
      {"a header that is cut off", without_last(npy(npy_header("<f4", "(4,)")), 1), {"the header is cut off"}},
      {"a header of 4 GB", from_text("\x93NUMPY") + Bytes{2, 0, 255, 255, 255, 255}, {"at most 65536", "4294967295"}},
      {"no header", npy(""), {"expected '{' at byte 0"}},
      {"a list", npy("[1]"), {"expected '{' at byte 0", "got '['"}},
      {"an open dictionary", npy("{'descr': '<f4'"), {"expected '}' at byte 15"}},
      {"an open text", npy("{'descr"), {"a text in quotation marks at byte 1"}},
      {"no colon", npy("{'descr', '<f4'}"), {"expected ':' at byte 8"}},
      {"a missing key", npy("{'descr': '<f4', 'shape': ()}"), {"descr, fortran_order and shape", "got 2"}},
      {"a key of its own", npy("{'more': 1}"), {"descr, fortran_order and shape", "got 'more'"}},
      {"a key twice", npy("{'shape': (), 'shape': ()}"), {"'shape' twice"}},
      {"an order that is no bool", npy(npy_header("<f4", "()", "1")), {"expected 'False'", "got '1'"}},
      {"more after the header", npy(npy_header("<f4", "()") + "x"), {"expected its end", "got 'x'"}},
      {"a shape that is no tuple", npy(npy_header("<f4", "4")), {"expected '('", "got '4'"}},
      {"a negative size", npy(npy_header("<f4", "(-4,)")), {"a size below 2^64", "got '-'"}},
      {"a size of 2^64", npy(npy_header("<f4", "(18446744073709551616,)")), {"a size below 2^64"}},
      {"an open tuple", npy("{'shape': (4"), {"expected ')'"}},
      {"a size that overflows", npy(npy_header("<f4", "(" + huge + ",)")), {"bytes can be counted", huge}},
      {"sizes of 2^64 bytes", npy(npy_header("<f8", "(4294967296, 536870912)")), {"bytes can be counted", "float64"}},
      {"none of 2^128", npy(npy_header("|u1", "(0, " + huge + ", " + huge + ")")), {"bytes can be counted"}},
      {"terabytes",
       npy(npy_header("<f8", "(1099511627776,)")),
       {"8796093022208 bytes of memory", "limit of 5000000000"}},
      {"gigabytes in 8 bytes", npy(npy_header("|u1", "(4000000000,)"), Bytes(8)), {"4000000000 bytes", "got 8"}},
      {"elements that are cut off", without_last(good, 1), {"expected 16 bytes", "(4,) of float32", "got 15"}},
      {"trailing bytes", good + Bytes{0}, {"the end after 16 bytes of elements"}},
      {"objects", npy(npy_header("|O", "(1,)"), Bytes(8)), {types, "'|O'", "objects of Python"}},
      {"texts", npy(npy_header("<U3", "(1,)"), Bytes(12)), {types, "'<U3'", "texts"}},
      {"bytes of text", npy(npy_header("|S3", "(1,)"), Bytes(3)), {types, "'|S3'", "texts"}},
      {"complex numbers", npy(npy_header("<c8", "(1,)"), Bytes(8)), {types, "'<c8'", "complex"}},
      {"times", npy(npy_header("<M8[ns]", "(1,)"), Bytes(8)), {types, "times"}},
      {"raw bytes", npy(npy_header("|V4", "(1,)"), Bytes(4)), {types, "records"}},
      {"records",
       npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }"),
       {"got records of several"}},
      {"float128", npy(npy_header("<f16", "(1,)"), Bytes(16)), {types, "'<f16'"}},
      {"no order of bytes", npy(npy_header("|f4", "(1,)"), Bytes(4)), {types, "'|f4'"}},
      {"no type", npy(npy_header("", "(1,)"), Bytes(4)), {types, "''"}},
      {"a bool of 2", npy(npy_header("|b1", "(2,)"), {1, 2}), {"0 or 1 for each bool"}},
      {"an escape sequence", npy(npy_header("\x1b[31m", "()")), {"\\x1b[31m"}},
  };
  check_refused(files, "[read_npy]", "array.npy",
                [](const auto& file) { read_npy(file, {.memory_limit = 5'000'000'000}); });
}

TEST_CASE("numbers that would lose their meaning are refused") {
  const Folder folder;
  const auto read = [&]<class T>(T number) {
    return read_npy(folder.write("array", npy(npy_header(descr_of<T>(), "()"), raw_bytes<T>({number}))));
  };
  constexpr int digits = std::numeric_limits<Scalar>::digits;
  const std::int64_t whole = std::int64_t{1} << digits;
  for (const std::int64_t number : {whole, -whole, 4 * whole, INT64_MIN, std::int64_t{1} << 62})
    CHECK(static_cast<double>(read(number).tensor()()) == static_cast<double>(number));
  for (const std::int64_t number : {whole + 1, -whole - 1, 4 * whole - 1, INT64_MAX, INT64_MIN + 1}) {
    check_error<DataError>([&] { read(number).tensor(); },
                           {"[tensor]", "array", std::to_string(number) + " is no number"});
    CHECK(read(number).indices()() == number);
  }
  CHECK(read(std::uint64_t{1} << 63).tensor()() == Scalar(0x1p63));
  check_error<DataError>([&] { read(UINT64_MAX).tensor(); }, {"18446744073709551615 is no number"});
  check_error<DataError>([&] { read(std::uint64_t{1} << 63).indices(); }, {"[indices]", "9223372036854775808 is 2^63"});
  CHECK(std::isinf(read(infinity).tensor()()));
  CHECK(std::isnan(read(not_a_number).tensor()()));
  if (float_scalar) check_error<DataError>([&] { read(1e300).tensor(); }, {"[tensor]", "1e+300", "float"});
}

TEST_CASE("a .npy array is read up to the limit of memory, and refused beyond it") {
  const Folder folder;
  const auto rows = folder.write("rows", npy(npy_header("|u1", "(30, 10)"), Bytes(300)));
  CHECK(read_npy(rows, {.memory_limit = 300}).bytes.size() == 300);
  check_error<DataError>([&] { read_npy(rows, {.memory_limit = 299}); }, {"takes 300 bytes", "the limit of 299"});
  const auto columns = folder.write("columns", npy(npy_header("|u1", "(30, 10)", "True"), Bytes(300)));
  CHECK(read_npy(columns, {.memory_limit = 600}).bytes.size() == 300);
  check_error<DataError>([&] { read_npy(columns, {.memory_limit = 599}); }, {"takes 300 bytes", "beside 300"});
}

TEST_CASE("every truncation of a .npy file is refused, and a changed byte is refused or another array") {
  const Folder folder;
  const Bytes good = npy(npy_header("<f4", "(2, 2)"), raw_bytes<float>({1, 2, 3, 4}));
  for (std::size_t lost = 1; lost <= good.size(); ++lost)
    check_error<DataError>([&] { read_npy(folder.write("array", without_last(good, lost))); }, {});
  for (std::size_t place = 1; place <= good.size(); ++place)
    for (const int change : {1, 2, 8, 32, 128, 255}) {
      Bytes changed = good;
      changed[good.size() - place] = static_cast<std::uint8_t>(changed[good.size() - place] ^ change);
      try {
        const NpyArray array = read_npy(folder.write("array", changed));
        CHECK(array.bytes.size() == 16);
        CHECK(array.tensor().size() <= 16);
      } catch (const DataError&) {
      }
    }
}

// For numpy_check.py: reads what NumPy has written, and writes it for NumPy.
TEST_CASE("NumPy's files") {
  const char* const folder = std::getenv("XGRAD_NUMPY_FOLDER");
  if (!folder) return;
  const std::filesystem::path from = std::filesystem::path(folder) / "numpy",
                              to = std::filesystem::path(folder) / "ours";
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    const NpyArray array = read_npy(entry.path());
    if (array.type.starts_with("float"))
      write_npy(to / entry.path().filename(), array.tensor());
    else
      write_npy(to / entry.path().filename(), array.indices());
  }
}
