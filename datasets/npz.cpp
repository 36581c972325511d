#include <xgrad/core/errors.h>
#include <xgrad/datasets/npy_format.h>
#include <xgrad/datasets/npz.h>
#include <zip.h>

#include <array>
#include <list>
#include <memory>
#include <set>

namespace xgrad::datasets {
namespace {

constexpr std::string_view npz_ending = ".npy";
constexpr zip_uint16_t first_date = 1 << 5 | 1;  // 1980-01-01, the earliest that the format has

struct ZipError : zip_error_t {
  ZipError() : zip_error_t{} { zip_error_init(this); }
  ~ZipError() { zip_error_fini(this); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
};
using ZipSource = std::unique_ptr<zip_source_t, decltype(&zip_source_free)>;
using Zip = std::unique_ptr<zip_t, decltype(&zip_discard)>;
using ZipMember = std::unique_ptr<zip_file_t, decltype(&zip_fclose)>;

// All of these are calls of a library in C that says by 0 or -1, or by a null pointer, that it failed.
void check_zip(bool done, const char* reason) {
  if (!done) throw DataError(message("[write_npz] no archive can be made: ", reason));
}

// UTF-8 without a zero byte, where C's texts end.
bool can_be_name(std::string_view name) {
  while (!name.empty()) {
    const std::size_t bytes = character_bytes(name);
    if (bytes == 0 || name[0] == '\0') return false;
    name.remove_prefix(bytes);
  }
  return true;
}

// Takes the source for its own.
Zip opened(ZipSource source, int flags, ZipError& error) {
  Zip zip(source ? zip_open_from_source(source.get(), flags, &error) : nullptr, zip_discard);
  if (zip) static_cast<void>(source.release());
  return zip;
}

NpyArray read_member(InputFile& file, const std::string& path, zip_t* zip, zip_uint64_t index,
                     const std::string& name) {
  const std::string member = message("'", printable(name), "': ");
  const ZipMember opened(zip_fopen_index(zip, index, 0), zip_fclose);
  if (!opened) file.fail(member, printable(zip_strerror(zip)));
  return npy::read_array({file, message(path, ": '", printable(name), "'"), member, [&](void* to, std::size_t bytes) {
                            const zip_int64_t got = zip_fread(opened.get(), to, bytes);
                            if (got < 0) file.fail(member, printable(zip_file_strerror(opened.get())));
                            return static_cast<std::size_t>(got);
                          }});
}

}  // namespace

std::vector<std::pair<std::string, NpyArray>> read_npz(const std::filesystem::path& path, LoadOptions options) {
  InputFile file("read_npz", path, options);
  const std::string packed = file.read_all();
  ZipError error;
  const Zip zip = opened({zip_source_buffer_create(packed.data(), packed.size(), 0, &error), zip_source_free},
                         ZIP_RDONLY | ZIP_CHECKCONS, error);
  if (!zip) file.fail("no whole zip archive: ", printable(zip_error_strerror(&error)));
  std::set<std::string> names;
  std::vector<std::pair<std::string, NpyArray>> arrays;
  const auto count = static_cast<zip_uint64_t>(zip_get_num_entries(zip.get(), 0));
  for (zip_uint64_t i = 0; i < count; ++i) {
    const char* const member = zip_get_name(zip.get(), i, 0);
    std::string name = member ? member : "";
    if (!name.ends_with(npz_ending)) file.fail("expected members NAME.npy, got '", printable(name), "'");
    name.resize(name.size() - npz_ending.size());
    if (!names.insert(name).second) file.fail("the name '", printable(name), "' comes twice");
    arrays.emplace_back(name, read_member(file, printable(path.string()), zip.get(), i, name));
  }
  return arrays;
}

void write_npz(const std::filesystem::path& path, const std::vector<std::pair<std::string, Tensor>>& arrays) {
  if (arrays.empty()) throw ValueError("[write_npz] expected one array or more, got none");
  std::set<std::string> names;
  std::list<std::string> headers;  // each stays where it is, for the archive reads it when it is closed
  ZipError error;
  const ZipSource content(zip_source_buffer_create(nullptr, 0, 0, &error), zip_source_free);
  check_zip(content != nullptr, zip_error_strerror(&error));
  zip_source_keep(content.get());  // once more, for the archive, which lets go of it
  Zip zip = opened({content.get(), zip_source_free}, ZIP_CREATE | ZIP_TRUNCATE, error);
  check_zip(zip != nullptr, zip_error_strerror(&error));
  for (const auto& [name, array] : arrays) {
    if (!names.insert(name).second)
      throw ValueError(message("[write_npz] the name '", printable(name), "' is given twice"));
    if (!can_be_name(name))
      throw ValueError(message("[write_npz] expected names in UTF-8 without a zero byte, got '", printable(name), "'"));
    const std::string_view parts[] = {headers.emplace_back(npy::header_of(array.shape(), npy::scalar_type)),
                                      npy::bytes_of(array)};
    std::array<zip_buffer_fragment_t, 2> pieces{};
    for (std::size_t i = 0; i < 2; ++i)
      pieces[i] = {reinterpret_cast<zip_uint8_t*>(const_cast<char*>(parts[i].data())), parts[i].size()};
    ZipSource member(zip_source_buffer_fragment_create(pieces.data(), pieces.size(), 0, &error), zip_source_free);
    check_zip(member != nullptr, zip_error_strerror(&error));
    const zip_int64_t index =
        zip_file_add(zip.get(), message(name, npz_ending).c_str(), member.get(), ZIP_FL_ENC_UTF_8);
    check_zip(index >= 0, zip_strerror(zip.get()));
    static_cast<void>(member.release());
    const auto at = static_cast<zip_uint64_t>(index);
    check_zip(zip_set_file_compression(zip.get(), at, ZIP_CM_STORE, 0) == 0, zip_strerror(zip.get()));
    check_zip(zip_file_set_dostime(zip.get(), at, 0, first_date, 0) == 0, zip_strerror(zip.get()));
  }
  check_zip(zip_close(zip.get()) == 0, zip_strerror(zip.get()));
  static_cast<void>(zip.release());
  check_zip(zip_source_open(content.get()) == 0, zip_error_strerror(zip_source_error(content.get())));

  ReplacementFile file(path);
  std::array<char, 1 << 16> piece;
  zip_int64_t got = 0;
  while ((got = zip_source_read(content.get(), piece.data(), piece.size())) > 0)
    file.write({piece.data(), static_cast<std::size_t>(got)});
  check_zip(got == 0, zip_error_strerror(zip_source_error(content.get())));
  zip_source_close(content.get());
  file.commit();
}

}  // namespace xgrad::datasets
