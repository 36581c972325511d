// The types of elements: what becomes a Scalar, what is written in two bytes, and what is refused.
#include <core/safetensors_files.h>
#include <error.h>
#include <numbers.h>
#include <xgrad/core/safetensors.h>

#include <cmath>
#include <limits>

using namespace xgrad;
using namespace safetensors_files;

namespace {

// One tensor, "x", as another program would write it.
Bytes tensor_file(const std::string& dtype, std::size_t count, const Bytes& elements) {
  return with_header(
      message(R"({"x":{"dtype":")", dtype, R"(","shape":[)", count, R"(],"data_offsets":[0,)", elements.size(), "]}}"),
      elements);
}

struct ShortType {
  std::string dtype;
  SavedType type;
  int fraction_bits;

  int infinity() const { return 0x7fff >> fraction_bits << fraction_bits; }
  // From the definition of the format, for the bits of a number from 0 on.
  double number(int bits) const {
    const int one = 1 << fraction_bits, exponent = bits / one, bias = 0x7fff / one / 2;
    if (bits > infinity()) return not_a_number;
    if (bits == infinity()) return std::numeric_limits<double>::infinity();
    return exponent == 0 ? std::exp2(1 - bias) * (bits % one) / one
                         : std::exp2(exponent - bias) * (one + bits % one) / one;
  }
};
const ShortType short_types[] = {{"F16", SavedType::f16, 10}, {"BF16", SavedType::bf16, 7}};

std::vector<std::uint16_t> saved_bits(const Folder& folder, const Tensor& x, const ShortType& type) {
  const auto path = folder.path() / "saved";
  save_safetensors(path, {.tensors = {{"x", x}}}, {.type = type.type});
  const Bytes file = read(path);
  std::vector<std::uint16_t> bits(x.size());
  REQUIRE(file.size() % 8 == bits.size() * 2 % 8);
  std::memcpy(bits.data(), file.data() + file.size() - bits.size() * 2, bits.size() * 2);
  return bits;
}

}  // namespace

TEST_CASE("all 65,536 values of F16 and of BF16 are read exactly, and are the same bits when they are saved") {
  const Folder folder;
  std::vector<std::uint16_t> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  for (const ShortType& type : short_types) {
    CAPTURE(type.dtype);
    const StateDict state = load_safetensors(folder.write("x", tensor_file(type.dtype, all.size(), raw(all))));
    const Tensor& x = *state.find("x");
    const std::vector<std::uint16_t> again = saved_bits(folder, x, type);
    int wrong = 0, changed = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const int magnitude = all[i] & 0x7fff;
      const double expected = type.number(magnitude), got = double(x(i));
      const bool is_nan = std::isnan(expected);
      wrong += is_nan ? !std::isnan(got) : std::abs(got) != expected || std::signbit(got) != (i >= 0x8000);
      changed += is_nan ? (again[i] & 0x7fff) <= type.infinity() : again[i] != all[i];
    }
    CHECK(wrong == 0);
    CHECK(changed == 0);
    const StateDict loaded = load_safetensors(folder.path() / "saved");
    CHECK(loaded.tensors.size() == 1);
    CHECK(loaded.find("x")->size() == all.size());
  }
}

TEST_CASE("between any two numbers of F16 and of BF16, the nearer one is saved, and of two the even one") {
  const Folder folder;
  for (const ShortType& type : short_types) {
    CAPTURE(type.dtype);
    const auto last = static_cast<std::size_t>(type.infinity() - 1);  // the greatest finite one
    Tensor between = uninitialized({2, last, 3});
    for (std::size_t i = 0; i < last; ++i) {
      const auto low = Scalar(type.number(int(i))), high = Scalar(type.number(int(i) + 1));
      const Scalar middle = low + (high - low) / 2;
      REQUIRE((low < middle && middle < high));
      for (const std::size_t negative : {std::size_t{0}, std::size_t{1}}) {
        const Scalar sign = negative ? -1 : 1;
        between(negative, i, 0) = sign * std::nextafter(middle, low);
        between(negative, i, 1) = sign * middle;
        between(negative, i, 2) = sign * std::nextafter(middle, high);
      }
    }
    const std::vector<std::uint16_t> bits = saved_bits(folder, between, type);
    int wrong = 0;
    for (std::size_t i = 0; i < bits.size(); ++i) {
      const std::size_t negative = i / (last * 3), low = i / 3 % last, above = i % 3;
      const std::size_t expected = above == 0 ? low : above == 2 ? low + 1 : low + low % 2;
      wrong += bits[i] != (expected | negative << 15);
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("a state in two bytes an element is half the size of F32, with scalars and texts as they are") {
  const Folder folder;
  const StateDict state{
      .tensors = {{"w", full({100'000}, Scalar(1.5))}, {"none", zeros({0, 3})}, {"one", Tensor(Scalar(-2))}},
      .scalars = {{"rate", 0.1}},
      .texts = {{"note", "as it is"}}};
  for (const ShortType& type : short_types) {
    const auto path = folder.path() / "x";
    save_safetensors(path, state, {.type = type.type});
    CHECK(std::filesystem::file_size(path) / 1000 == 200);
    const StateDict loaded = load_safetensors(path);
    CHECK(loaded.tensors == state.tensors);
    CHECK(loaded.scalars == state.scalars);
    CHECK(loaded.texts == state.texts);
    const Bytes whole = read(path);
    check_error<DataError>([&] { load_safetensors(folder.write("y", with_flipped(whole, 1))); }, {"checksum"});
  }
}

TEST_CASE("elements of every type become numbers") {
  const Folder folder;
  const struct {
    std::string dtype;
    Bytes elements;
    Tensor expected;
  } cases[] = {
      {"F16", raw<std::uint16_t>({0x3c00, 0xc000, 0x0001}), {1, -2, 0x1p-24}},
      {"BF16", raw<std::uint16_t>({0x3f80, 0xc000, 0x7f00}), {1, -2, 0x1p127}},
      {"F32", raw<float>({0.5F, -3, 0x1p100F}), {0.5, -3, 0x1p100}},
      {"F64", raw<double>({0.5, -3, 0x1p100}), {0.5, -3, 0x1p100}},
      {"I8", raw<std::int8_t>({-128, -1, 127}), {-128, -1, 127}},
      {"I16", raw<std::int16_t>({-32768, -1, 32767}), {-32768, -1, 32767}},
      {"I32", raw<std::int32_t>({INT32_MIN, -1, 1 << 24}), {-0x1p31, -1, 0x1p24}},
      {"I64", raw<std::int64_t>({INT64_MIN, -1, std::int64_t{1} << 62}), {-0x1p63, -1, 0x1p62}},
      {"U8", raw<std::uint8_t>({0, 1, 255}), {0, 1, 255}},
      {"U16", raw<std::uint16_t>({0, 1, 65535}), {0, 1, 65535}},
      {"U32", raw<std::uint32_t>({0, 1, 1U << 31}), {0, 1, 0x1p31}},
      {"BOOL", raw<std::uint8_t>({0, 1, 1}), {0, 1, 1}},
  };
  for (const auto& c : cases) {
    CAPTURE(c.dtype);
    const StateDict state = load_safetensors(folder.write("x", tensor_file(c.dtype, 3, c.elements)));
    CHECK(*state.find("x") == c.expected);
  }
  const StateDict state = load_safetensors(folder.write("x", tensor_file("F64", 1, raw<double>({0.1}))));
  CHECK(*state.find("x") == Tensor({Scalar(0.1)}));  // rounded, in float
}

TEST_CASE("elements that Scalar cannot hold, and other types, are refused with the tensor's name") {
  const Folder folder;
  const std::string types = "expected a dtype of F16, BF16, F32, F64, I8 to I64, U8 to U32 or BOOL, got ";
  const struct {
    std::string dtype;
    std::size_t count;
    Bytes elements;
    std::string said;
    bool fits_double = false;
  } cases[] = {
      {"I32", 2, raw<std::int32_t>({1, 16777217}), "16777217 is no number that float holds", true},
      {"U32", 1, raw<std::uint32_t>({UINT32_MAX}), "4294967295 is no number that float holds", true},
      {"F64", 1, raw<double>({-1e300}), "-1e+300 is no number that float holds", true},
      {"I64", 1, raw<std::int64_t>({(std::int64_t{1} << 53) + 1}), "9007199254740993 is no number that "},
      {"I64", 1, raw<std::int64_t>({INT64_MAX}), "9223372036854775807 is no number that "},
      {"BOOL", 3, Bytes{0, 1, 2}, "expected 0 or 1 for BOOL, got 2"},
      {"F16", 2, Bytes(3), "expected 4 bytes for (2,) F16, got data_offsets (0, 3)"},
      {"BF16", 1, Bytes(4), "expected 2 bytes for (1,) BF16, got data_offsets (0, 4)"},
      {"U64", 1, Bytes(8), types + "U64"},
      {"C64", 1, Bytes(8), types + "C64"},
      {"F8_E5M2", 1, Bytes(1), types + "F8_E5M2"},
      {"f16", 1, Bytes(2), types + "f16"},
      {"F1", 1, Bytes(2), types + "F1"},
      {"", 1, Bytes(2), types},
  };
  for (const auto& c : cases) {
    CAPTURE(c.said);
    const auto path = folder.write("other.safetensors", tensor_file(c.dtype, c.count, c.elements));
    if (sizeof(Scalar) == sizeof(double) && c.fits_double)
      CHECK_NOTHROW(load_safetensors(path));
    else
      check_error<DataError>([&] { load_safetensors(path); },
                             {"[load_safetensors] ", "other.safetensors: 'x': ", c.said});
  }
}

TEST_CASE("a finite number beyond the range of F16 or BF16 is refused with the tensor's name, and nothing is written") {
  const Folder folder;
  const Scalar infinite = std::numeric_limits<Scalar>::infinity();
  const struct {
    SavedType type;
    Scalar number;
    std::string said;
  } cases[] = {{SavedType::f16, 65520, "'net.w': 65520 is beyond the range of F16"},
               {SavedType::f16, -0x1p100, "e+30 is beyond the range of F16"},
               {SavedType::bf16, std::numeric_limits<Scalar>::max(), "is beyond the range of BF16"},
               {SavedType::bf16, 0x1.ffp127, "is beyond the range of BF16"}};
  for (const auto& c : cases)
    check_error<ValueError>(
        [&] {
          save_safetensors(folder.path() / "x", {.tensors = {{"net.w", Tensor({1, infinite, c.number})}}},
                           {.type = c.type});
        },
        {"[save_safetensors] 'net.w': ", c.said});
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK(saved_bits(folder, Tensor({std::nextafter(Scalar(65520), Scalar(0))}), short_types[0]).front() == 0x7bff);
  CHECK(saved_bits(folder, Tensor({std::nextafter(Scalar(0x1.ffp127), Scalar(0))}), short_types[1]).front() == 0x7f7f);
}
