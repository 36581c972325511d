#include <xgrad/core/elements.h>
#include <xgrad/core/file.h>
#include <xgrad/core/safetensors.h>
#include <xgrad/core/safetensors_format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

namespace xgrad {
namespace {

using namespace safetensors;
using nlohmann::json;

using Fail = std::function<void(const std::string& why)>;

template <class Element>
void convert(const char* bytes, std::size_t count, Scalar* to, const Fail& fail) {
  elements::for_each_number<Element>(bytes, count, [&](auto number) {
    if (std::is_same_v<Element, elements::Truth> && number > 1) fail(message("expected 0 or 1 for BOOL, got ", number));
    *to++ = elements::scalar_of(number, fail);
  });
}

struct Type {
  std::string_view name;
  std::size_t size;
  void (*read)(const char* bytes, std::size_t count, Scalar* to, const Fail& fail);
};
template <class Element>
constexpr Type type_of(std::string_view name) {
  return {name, sizeof(Element), convert<Element>};
}
constexpr Type types[] = {
    type_of<elements::Half>("F16"), type_of<elements::BrainFloat>("BF16"), type_of<float>("F32"),
    type_of<double>("F64"),         type_of<elements::SignedByte>("I8"),   type_of<std::int16_t>("I16"),
    type_of<std::int32_t>("I32"),   type_of<std::int64_t>("I64"),          type_of<std::uint8_t>("U8"),
    type_of<std::uint16_t>("U16"),  type_of<std::uint32_t>("U32"),         type_of<elements::Truth>("BOOL")};

struct Entry {
  std::string name;
  const Type* type = nullptr;
  Shape shape = {};
  std::uint64_t begin = 0, end = 0;
};

// Takes in what the header says as it is read, so that time and memory grow with its length only. The parser calls the
// members that come first; false would end it, and what is wrong throws.
class HeaderReader {
 public:
  HeaderReader(InputFile& file, StateDict& state) : file_(file), state_(state) {}

  bool start_object(std::size_t) {
    if (depth_ == 2) value("object");
    return open();
  }
  bool start_array(std::size_t) {
    if (depth_ == 1 && key_[1] == metadata_key) value("array");
    if (depth_ == 2 && !list()) value("array");
    entry_.is_object = depth_ > 1;
    return open();
  }
  bool end_object() {
    if (--depth_ == 1 && key_[1] != metadata_key) add_entry();
    return true;
  }
  bool end_array() { return end_object(); }
  bool key(std::string& name) {
    if (!names_[depth_].insert(name).second) file_.fail("the header has the name '", printable(name), "' twice");
    key_[depth_] = std::move(name);
    return true;
  }
  bool string(std::string& text) {
    if (depth_ == 2 && key_[1] == metadata_key) return add_text(text), true;
    return value("string", text);
  }
  bool number_unsigned(std::uint64_t number) {
    if (depth_ == 3 && list() != nullptr) {
      file_.claim(sizeof number);
      list()->push_back(number);
      return true;
    }
    return value("number", std::to_string(number));
  }
  bool number_integer(std::int64_t number) { return value("number", std::to_string(number)); }
  bool number_float(double, const std::string& text) { return value("number", text); }
  bool boolean(bool) { return value("boolean"); }
  bool null() { return value("null"); }
  bool binary(const json::binary_t&) { return value("binary"); }
  bool parse_error(std::size_t byte, const std::string&, const json::exception& error) {
    constexpr int number_overflow = 406;
    file_.fail("the header ", error.id == number_overflow ? "has a number out of range" : "is not JSON in UTF-8",
               ", at its byte ", byte);
  }

  // In the order of their elements, without gaps.
  const std::vector<Entry>& sorted_entries(std::uint64_t bytes) {
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    std::uint64_t end = 0;
    for (const Entry& entry : entries_) {
      if (entry.begin != end)
        file_.fail("'", printable(entry.name), "': expected its elements at ", end, ", where those before end, got ",
                   entry.begin);
      end = entry.end;
    }
    if (end != bytes) file_.fail("expected ", end, " bytes of elements, got ", bytes);
    for (const Entry& entry : entries_) file_.claim((entry.end - entry.begin) / entry.type->size * sizeof(Scalar));
    return entries_;
  }
  bool is_our_own() const { return has_format_ || !checksum_.empty(); }
  const std::string& checksum() const { return checksum_; }

 private:
  bool open() {
    constexpr std::size_t deepest = 3;  // the lists of a tensor
    if (depth_ == deepest) file_.fail("the header is nested too deep");
    names_[++depth_].clear();
    if (depth_ == 2) entry_ = {.is_object = entry_.is_object};
    if (depth_ == 3 && list() != nullptr) entry_.has_list[list() == &entry_.offsets] = true;
    return true;
  }

  // The list of the tensor that is being read, or nullptr.
  std::vector<std::uint64_t>* list() {
    if (key_[1] == metadata_key) return nullptr;
    return key_[2] == "shape" ? &entry_.shape : key_[2] == "data_offsets" ? &entry_.offsets : nullptr;
  }

  // Whatever has no place of its own.
  bool value(const char* kind, const std::string& text = "") {
    if (key_[1] == metadata_key) {
      if (depth_ == 1) file_.fail(metadata_key, ": expected texts by name");
      file_.fail(metadata_key, ": expected texts, got ", kind, " for '", printable(key_[2]), "'");
    }
    if (depth_ == 1) fail_entry("dtype, shape and data_offsets");
    if (list() != nullptr) fail_entry(key_[2], " to be whole numbers from 0 on");
    if (depth_ == 2 && key_[2] == "dtype") {
      const auto* found = std::find_if(std::begin(types), std::end(types), [&](const Type& type) {
        return kind == std::string_view("string") && type.name == text;
      });
      if (found == std::end(types))
        fail_entry("a dtype of F16, BF16, F32, F64, I8 to I64, U8 to U32 or BOOL, got ",
                   text.empty() ? kind : printable(text));
      entry_.type = found;
    }
    return true;
  }

  void add_text(const std::string& text) {
    const std::string& key = key_[2];
    if (key.starts_with(scalar_keys)) {
      double number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size())
        file_.fail("'", printable(key), "': expected a number");
      state_.scalars.emplace_back(key.substr(scalar_keys.size()), number);
    } else if (!key.starts_with(own_keys)) {
      state_.texts.emplace_back(key, text);
    } else if (key == checksum_key) {
      checksum_ = text;
    } else if (key == format_key) {
      has_format_ = true;
      if (text != format)
        file_.fail("expected the format ", format, ", got ", printable(text), ": a newer version has written it");
    }
  }

  void add_entry() {
    if (!entry_.is_object || entry_.type == nullptr || !entry_.has_list[0] || !entry_.has_list[1])
      fail_entry("dtype, shape and data_offsets");
    const auto& offsets = entry_.offsets;
    const std::string got = to_string(Shape(offsets.begin(), offsets.end()));
    if (offsets.size() != 2 || offsets[0] > offsets[1]) fail_entry("a begin and then an end, got data_offsets ", got);
    const Shape shape(entry_.shape.begin(), entry_.shape.end());
    std::uint64_t bytes = entry_.type->size;
    for (const std::uint64_t size : entry_.shape)
      if (__builtin_mul_overflow(bytes, size, &bytes)) fail_entry("a shape whose bytes can be counted, got ", shape);
    if (bytes != offsets[1] - offsets[0])
      fail_entry(bytes, " bytes for ", shape, " ", entry_.type->name, ", got data_offsets ", got);
    entries_.push_back({std::move(key_[1]), entry_.type, shape, offsets[0], offsets[1]});
    file_.claim(sizeof(Entry) + sizeof(std::pair<std::string, Tensor>));
  }

  template <class... Parts>
  [[noreturn]] void fail_entry(const Parts&... expected) const {
    file_.fail("'", printable(key_[1]), "': expected ", expected...);
  }

  InputFile& file_;
  StateDict& state_;
  std::size_t depth_ = 0;                                 // of the header 1, of a tensor or the metadata 2
  std::array<std::unordered_set<std::string>, 4> names_;  // seen at each depth
  std::array<std::string, 4> key_;                        // of what is read now
  struct {
    bool is_object = true;
    const Type* type = nullptr;
    std::array<bool, 2> has_list = {};
    std::vector<std::uint64_t> shape = {}, offsets = {};
  } entry_;
  std::vector<Entry> entries_;
  std::string checksum_;
  bool has_format_ = false;
};

// Reads a tensor into its place, and returns the checksum with its bytes.
unsigned long read_elements(InputFile& file, const Entry& entry, Tensor& tensor, unsigned long checksum) {
  const auto read = [&](char* to, std::size_t bytes) {
    if (file.read(to, bytes) != bytes) file.fail("the file is cut off");
    checksum = add_to(checksum, {to, bytes});
  };
  if (entry.type->read == convert<Scalar>) {
    read(reinterpret_cast<char*>(tensor.data()), tensor.size() * sizeof(Scalar));
    return checksum;
  }
  const Fail fail = [&](const std::string& why) { file.fail("'", printable(entry.name), "': ", why); };
  std::vector<char> bytes(std::min(elements_at_once, tensor.size()) * entry.type->size);
  for (std::size_t done = 0, count; done < tensor.size(); done += count) {
    count = std::min(elements_at_once, tensor.size() - done);
    read(bytes.data(), count * entry.type->size);
    entry.type->read(bytes.data(), count, tensor.data() + done, fail);
  }
  return checksum;
}

StateDict load(InputFile& file, bool must_be_our_own) {
  std::array<char, 8> length_bytes;
  if (file.size() < length_bytes.size()) file.fail("expected 8 bytes with the header's length, got ", file.size());
  const auto read = [&file](char* to, std::size_t bytes) {
    if (file.read(to, bytes) != bytes) file.fail("the file is cut off");
  };
  read(length_bytes.data(), length_bytes.size());
  const auto length = std::bit_cast<std::uint64_t>(length_bytes);
  const std::uint64_t rest = file.size() - length_bytes.size();
  if (length == 0 || length > std::min(rest, longest_header))
    file.fail("expected a header of 1 to ", std::min(rest, longest_header), " bytes, got a length of ", length);
  file.claim(2 * length);  // its text, and the names and texts that are taken out of it
  std::string text(length, '\0');
  read(text.data(), text.size());
  if (text.front() != '{') file.fail("expected a header that begins with '{'");
  if (text.find('\0') != text.npos) file.fail("the header is not JSON in UTF-8, at its byte ", text.find('\0') + 1);

  StateDict state;
  HeaderReader header(file, state);
  json::sax_parse(text, &header);
  if (must_be_our_own && !header.is_our_own())
    file.fail("expected a checkpoint of xgrad with its checksum; load_safetensors() reads the files of other programs");
  unsigned long checksum = 0;
  for (const Entry& entry : header.sorted_entries(rest - length)) {
    Tensor& tensor = state.tensors.emplace_back(entry.name, uninitialized(entry.shape)).second;
    checksum = read_elements(file, entry, tensor, checksum);
  }
  if (!header.is_our_own()) return state;
  const std::string own = member(header.checksum());
  const std::size_t at = text.find(own);
  const std::string_view all = std::string_view(text).substr(0, text.find_last_not_of(' ') + 1);
  if (at != text.npos) checksum = add_to(add_to(checksum, all.substr(0, at)), all.substr(at + own.size()));
  if (at == text.npos || std::to_string(checksum) != header.checksum())
    file.fail("its checksum is not that of its content: it is damaged");
  return state;
}

}  // namespace

StateDict load_safetensors(const std::filesystem::path& path, LoadOptions options) {
  InputFile file("load_safetensors", path, options);
  return load(file, false);
}

StateDict load_checkpoint(const std::filesystem::path& path, LoadOptions options) {
  InputFile file("load_checkpoint", path, options);
  return load(file, true);
}

}  // namespace xgrad
