#include <unistd.h>
#include <xgrad/datasets/idx.h>

#include <algorithm>
#include <array>
#include <bit>

#include "datasets/idx_files.h"
#include "error.h"

using namespace xgrad;
using namespace xgrad::datasets;
using namespace idx_files;

namespace {

template <class T>
Bytes big_endian(const std::vector<T>& values) {
  Bytes bytes;
  for (T value : values) {
    const auto raw = std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(value);
    if constexpr (std::endian::native == std::endian::little)
      bytes.insert(bytes.end(), raw.rbegin(), raw.rend());
    else
      bytes.insert(bytes.end(), raw.begin(), raw.end());
  }
  return bytes;
}

}  // namespace

TEST_CASE_TEMPLATE("an IDX file gives back its elements", T, std::uint8_t, std::int8_t, std::int16_t, std::int32_t,
                   float, double) {
  const Folder folder;
  const std::vector<std::uint32_t> shapes[] = {{}, {5}, {3, 2}, {2, 1, 3}, {1, 2, 2, 2}, {2, 0, 3}};
  for (const auto& shape : shapes) {
    const Shape expected_shape(shape.begin(), shape.end());
    CAPTURE(to_string(expected_shape));
    std::vector<T> values;
    for (std::size_t i = 0; i < element_count(expected_shape); ++i)
      values.push_back(
          static_cast<T>(i % 2 == 0 ? 121.5 - 3.0 * static_cast<double>(i) : 2.25 * static_cast<double>(i)));
    const Bytes bytes = header(static_cast<std::uint8_t>(IdxTypeOf<T>::value), shape) + big_endian(values);
    for (const Bytes& content : {bytes, gzip(bytes)})
      for (const char* name : {"array", "array.gz"}) {
        const IdxArray array = read_idx(folder.write(name, content));
        CHECK(array.type == IdxTypeOf<T>::value);
        CHECK(array.shape == expected_shape);
        const std::span<const T> elements = array.as<T>();
        CHECK(std::equal(elements.begin(), elements.end(), values.begin(), values.end()));
      }
  }
}

TEST_CASE("a large gzip file is read across all buffers") {
  const Folder folder;
  const Bytes bytes = images(5000);
  const IdxArray array = read_idx(folder.write("images", gzip(bytes)));
  CHECK(array.shape == Shape{5000, 28, 28});
  CHECK(std::equal(array.bytes.begin(), array.bytes.end(), bytes.begin() + 16, bytes.end()));
  check_error<ValueError>([&] { array.as<float>(); }, {"[as]", "uint8", "float32"});
}

TEST_CASE("what is not one whole IDX array is refused") {
  const Bytes good = images(3), packed = gzip(good);
  const Bytes member = gzip(header(0x08, {4}) + Bytes(4, 1));
  const Bytes bomb = gzip(header(0x08, {4}) + Bytes(std::size_t{64} << 20, 0));
  const std::uint32_t huge = 0xffffffff;
  const std::vector<Damaged> files = {
      {"empty", {}, {"empty"}},
      {"gzip of nothing", gzip({}), {"4 bytes", "got 0"}},
      {"1 byte", {0}, {"4 bytes", "got 1"}},
      {"half a magic number of gzip", {0x1f}, {"4 bytes", "got 1"}},
      {"3 bytes", {0, 0, 8}, {"4 bytes", "got 3"}},
      {"4 bytes of 8", {0, 0, 8, 1}, {"8 bytes", "1 dimensions", "got 4"}},
      {"15 bytes of 16", without_last(header(0x08, {1, 2, 3}), 1), {"16 bytes", "3 dimensions", "got 15"}},
      {"wrong magic", from_text("\x89PNG\r\n"), {"00 00", "offset 0", "got 89 50 4e 47"}},
      {"gzip in gzip", gzip(packed), {"1f 8b", "gzip inside gzip"}},
      {"web page", from_text("<!DOCTYPE html><html></html>"), {"web page"}},
      {"web page after a blank line", from_text("\r\n\r<html>"), {"web page"}},
      {"web page with a byte order mark", from_text("\xef\xbb\xbf<html>"), {"web page"}},
      {"web page in gzip", gzip(from_text("<html></html>")), {"web page"}},
      {"numbers from low to high byte", {3, 8, 0, 0, 0, 0, 0, 0}, {"offset 0", "03 08 00 00"}},
      {"type 0x00", header(0x00, {1}) + Bytes{1}, {"offset 2", "got 00"}},
      {"type 0x0a", header(0x0a, {1}) + Bytes{1}, {"offset 2", "got 0a"}},
      {"type 0x0f", header(0x0f, {1}) + Bytes{1}, {"offset 2", "got 0f"}},
      {"rank 255 without sizes", {0, 0, 8, 255}, {"1024 bytes", "255 dimensions", "got 4"}},
      {"sizes of 2^96", header(0x08, {huge, huge, huge}), {"2^63", "(4294967295, 4294967295, 4294967295)"}},
      {"sizes of 2^62 doubles", header(0x0e, {1u << 31, 1u << 31}), {"2^63", "float64"}},
      {"4 GB in 8 bytes", header(0x08, {huge}), {"4294967295 bytes", "offset 8", "got 0"}},
      {"2^62 bytes in 12",
       header(0x08, {1u << 31, 1u << 31}),
       {"4611686018427387904 bytes of memory", "limit of 5000000000"}},
      {"2^62 bytes in gzip",
       gzip(header(0x08, {1u << 31, 1u << 31})),
       {"4611686018427387904 bytes of memory", "limit of 5000000000"}},
      {"truncated by 1", without_last(good, 1), {"2352 bytes", "offset 16", "got 2351"}},
      {"truncated in an element", header(0x0d, {2}) + Bytes(7, 0), {"8 bytes", "offset 8", "got 7"}},
      {"truncated before gzip", gzip(without_last(good, 1)), {"2352 bytes", "got 2351"}},
      {"trailing byte", good + Bytes{0}, {"the end at offset 2368"}},
      {"trailing byte in gzip", gzip(good + Bytes{0}), {"the end at offset 2368"}},
      {"gzip bomb", bomb, {"the end at offset 12"}},
      {"wrong CRC", with_flipped(packed, 8), {"damaged", "incorrect data check"}},
      {"wrong length", with_flipped(packed, 4), {"damaged", "incorrect length check"}},
      {"damaged stream", with_flipped(member, 18), {"damaged", "offset"}},
      {"unknown gzip method", Bytes{0x1f, 0x8b, 9} + Bytes(20, 0), {"damaged", "unknown compression method"}},
      {"gzip header only", Bytes{0x1f, 0x8b}, {"cut off at offset 2"}},
      {"gzip without its checksum", without_last(packed, 8), {"cut off"}},
      {"gzip without its last byte", without_last(packed, 1), {"cut off"}},
      {"half of gzip", without_last(packed, packed.size() / 2), {"cut off"}},
      {"two gzip members of an array each", member + member, {"the end at offset 12"}},
      {"a second gzip member cut off", member + without_last(member, 9), {"the end at offset 12"}},
      {"the second half of an array cut off",
       gzip(Bytes(good.begin(), good.begin() + 20)) + without_last(gzip(Bytes(good.begin() + 20, good.end())), 1),
       {"cut off"}},
      {"a byte after gzip", packed + Bytes{0}, {"the end after the gzip stream", "more"}},
      {"zeros after gzip", packed + Bytes(100000, 0), {"the end after the gzip stream", "more"}},
  };
  check_refused(files, "[read_idx]", "array",
                [](const auto& file) { read_idx(file, {.memory_limit = 5'000'000'000}); });
}

TEST_CASE("gzip members one after the other are one stream, wherever it is cut") {
  const Folder folder;
  const Bytes good = images(1, 5, 5);
  for (std::size_t cut = 0; cut <= good.size(); ++cut) {
    const auto middle = good.begin() + static_cast<std::ptrdiff_t>(cut);
    const auto file = folder.write("array.gz", gzip({good.begin(), middle}) + gzip({middle, good.end()}));
    REQUIRE(read_idx(file).bytes == Bytes(good.begin() + 16, good.end()));
  }
  const Bytes large = images(200);  // members beyond the buffer of the file
  Bytes packed;
  for (std::size_t at = 0; at < large.size(); at += 7)
    packed = packed + gzip({large.begin() + static_cast<std::ptrdiff_t>(at),
                            large.begin() + static_cast<std::ptrdiff_t>(std::min(at + 7, large.size()))});
  CHECK(packed.size() > 3 << 16);
  CHECK(read_idx(folder.write("array.gz", packed)).bytes == Bytes(large.begin() + 16, large.end()));
}

TEST_CASE("an array is read up to the limit of memory, and refused beyond it") {
  const Folder folder;
  for (const Bytes& content : {images(3), gzip(images(3))}) {
    const auto file = folder.write("array", content);
    CHECK(read_idx(file, {.memory_limit = 3 * 784}).bytes.size() == 3 * 784);
    check_error<DataError>([&] { read_idx(file, {.memory_limit = 3 * 784 - 1}); },
                           {"takes 2352 bytes of memory", "the limit of 2351 (LoadOptions::memory_limit)"});
  }
}

TEST_CASE("every truncation of a gzip file is refused") {
  const Folder folder;
  const Bytes packed = gzip(images(1, 5, 5));
  for (std::size_t lost = 1; lost <= packed.size(); ++lost) {
    const std::filesystem::path file = folder.write("array.gz", without_last(packed, lost));
    check_error<DataError>([&] { read_idx(file); }, {file.string()});
  }
}

TEST_CASE("what is no readable file is refused") {
  const Folder folder;
  check_error<DataError>([&] { read_idx(folder.path() / "none"); }, {"none", "no such file"});
  check_error<DataError>([&] { read_idx(folder.path() / "none" / "below"); }, {"none/below", "no such file"});
  check_error<DataError>([&] { read_idx(folder.path()); }, {folder.path().string(), "folder"});
  check_error<DataError>([&] { read_idx("/dev/null"); }, {"/dev/null", "regular file"});
  const std::filesystem::path locked = folder.write("locked", images(1));
  std::filesystem::permissions(locked, std::filesystem::perms::none);
  if (geteuid() != 0)  // root may read everything
    check_error<DataError>([&] { read_idx(locked); }, {"locked", "cannot be opened"});
}
