#include <xgrad/core/file.h>
#include <xgrad/core/safetensors.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

namespace xgrad {
namespace {

using nlohmann::json;
static_assert(std::endian::native == std::endian::little, "the format has the lowest byte first");

constexpr const char *metadata_key = "__metadata__", *format_key = "xgrad:format", *checksum_key = "xgrad:crc32";
constexpr std::string_view own_keys = "xgrad:", scalar_keys = "scalar:", format = "1";
constexpr std::uint64_t longest_header = 100'000'000, alignment = 8;

template <class From>
void convert(const char* bytes, std::size_t count, Scalar* to) {
  for (std::size_t i = 0; i < count; ++i) {
    From element;
    std::memcpy(&element, bytes + i * sizeof element, sizeof element);
    to[i] = static_cast<Scalar>(element);
  }
}

struct Type {
  std::string_view name;
  std::size_t size;
  void (*read)(const char* bytes, std::size_t count, Scalar* to);
};
constexpr Type types[] = {{"F32", 4, convert<float>}, {"F64", 8, convert<double>}, {"I64", 8, convert<std::int64_t>}};

std::string_view bytes_of(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.data()), tensor.size() * sizeof(Scalar)};
}

unsigned long add_to(unsigned long checksum, std::string_view bytes) {
  if (bytes.empty()) return checksum;  // zlib would begin anew at a null pointer
  return crc32_z(checksum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

// Of the elements, and of the header but for the checksum itself, sorted and without spaces.
std::string checksum_of(unsigned long elements, json header) {
  header[metadata_key].erase(checksum_key);
  return std::to_string(add_to(elements, header.dump()));
}

}  // namespace

void save_safetensors(const std::filesystem::path& path, const StateDict& state) {
  const auto insert = [](json& object, const std::string& name, json value) {
    if (!object.emplace(name, std::move(value)).second)
      throw ValueError(message("[save_safetensors] the name '", name, "' is given twice"));
  };
  json header = {{metadata_key, {{format_key, format}}}};
  json& metadata = header[metadata_key];
  for (const auto& [name, text] : state.texts) {
    if (name.starts_with(own_keys) || name.starts_with(scalar_keys))
      throw ValueError(message("[save_safetensors] the name '", name, "' begins as those of our own"));
    insert(metadata, name, text);
  }
  for (const auto& [name, number] : state.scalars) {
    std::array<char, 32> digits;
    insert(metadata, std::string(scalar_keys) + name,
           std::string(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr));
  }
  std::size_t end = 0;
  unsigned long elements = 0;
  for (const auto& [name, tensor] : state.tensors) {
    const std::string_view bytes = bytes_of(tensor);
    insert(header, name,
           {{"dtype", sizeof(Scalar) == sizeof(float) ? "F32" : "F64"},
            {"shape", std::vector<std::size_t>(tensor.shape().begin(), tensor.shape().end())},
            {"data_offsets", {end, end + bytes.size()}}});
    end += bytes.size();
    elements = add_to(elements, bytes);
  }
  std::string text;
  try {
    metadata[checksum_key] = checksum_of(elements, header);
    text = header.dump();
  } catch (const json::type_error&) {
    throw ValueError("[save_safetensors] expected names and texts in UTF-8");
  }
  text.resize((text.size() + alignment - 1) / alignment * alignment, ' ');
  if (text.size() > longest_header)
    throw ValueError(
        message("[save_safetensors] expected a header of at most ", longest_header, " bytes, got ", text.size()));

  const auto length = std::bit_cast<std::array<char, 8>>(std::uint64_t{text.size()});
  ReplacementFile file(path);
  file.write({length.data(), length.size()});
  file.write(text);
  for (const auto& [name, tensor] : state.tensors) file.write(bytes_of(tensor));
  file.commit();
}

namespace {

struct Entry {
  std::string name;
  const Type* type = nullptr;
  Shape shape = {};
  std::uint64_t begin = 0, end = 0;
};

// Refuses what nlohmann's parser would let pass: deep nesting, a name twice, and text after a zero.
json parse_header(const InputFile& file, const std::string& text) {
  constexpr int deepest = 2;  // the lists of a tensor
  std::array<std::set<std::string>, deepest + 2> names;
  const auto look = [&](int depth, json::parse_event_t event, json& value) {
    const auto level = static_cast<std::size_t>(depth);
    if (event == json::parse_event_t::object_start || event == json::parse_event_t::array_start) {
      if (depth > deepest) file.fail("the header is nested too deep");
      names[level + 1].clear();
    }
    if (event == json::parse_event_t::key && !names[level].insert(value.get<std::string>()).second)
      file.fail("the header has the name '", value.get<std::string>(), "' twice");
    return true;
  };
  if (text.front() != '{') file.fail("expected a header that begins with '{'");
  if (text.find('\0') != text.npos) file.fail("the header is not JSON in UTF-8, at its byte ", text.find('\0') + 1);
  try {
    return json::parse(text, look);
  } catch (const json::parse_error& error) {
    file.fail("the header is not JSON in UTF-8, at its byte ", error.byte);
  }
}

Entry read_entry(const InputFile& file, const std::string& name, const json& value) {
  const auto expect = [&](bool good, const auto&... what) {
    if (!good) file.fail("'", name, "': expected ", what...);
  };
  const auto numbers = [&](const char* key) {
    const json& list = value[key];
    expect(
        list.is_array() && std::all_of(list.begin(), list.end(), [](const json& n) { return n.is_number_unsigned(); }),
        key, " to be whole numbers from 0 on");
    return list.get<std::vector<std::uint64_t>>();
  };
  expect(value.is_object() && value.contains("dtype") && value.contains("shape") && value.contains("data_offsets"),
         "dtype, shape and data_offsets");
  const auto* type =
      std::find_if(std::begin(types), std::end(types), [&](const Type& t) { return value["dtype"] == t.name; });
  expect(type != std::end(types), "the dtype F32, F64 or I64, got ", value["dtype"].dump());
  const std::vector<std::uint64_t> shape = numbers("shape"), offsets = numbers("data_offsets");
  expect(offsets.size() == 2 && offsets[0] <= offsets[1], "a begin and then an end, got data_offsets ",
         value["data_offsets"].dump());
  Entry entry{name, type, Shape(shape.begin(), shape.end()), offsets[0], offsets[1]};
  std::uint64_t bytes = type->size;
  for (const std::uint64_t size : shape)
    expect(!__builtin_mul_overflow(bytes, size, &bytes), "a shape whose bytes can be counted, got ", entry.shape);
  expect(bytes == entry.end - entry.begin, bytes, " bytes for ", entry.shape, " ", type->name, ", got data_offsets ",
         value["data_offsets"].dump());
  return entry;
}

void read_metadata(const InputFile& file, const json& metadata, StateDict& state) {
  if (!metadata.is_object()) file.fail(metadata_key, ": expected texts by name");
  for (const auto& [key, value] : metadata.items()) {
    if (!value.is_string()) file.fail(metadata_key, ": expected texts, got ", value.type_name(), " for '", key, "'");
    const auto& text = value.get_ref<const std::string&>();
    if (key.starts_with(scalar_keys)) {
      double number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size()) file.fail("'", key, "': expected a number");
      state.scalars.emplace_back(key.substr(scalar_keys.size()), number);
    } else if (!key.starts_with(own_keys)) {
      state.texts.emplace_back(key, text);
    } else if (key == format_key && text != format) {
      file.fail("expected the format ", format, ", got ", text, ": a newer version has written it");
    }
  }
}

}  // namespace

StateDict load_safetensors(const std::filesystem::path& path) {
  InputFile file("load_safetensors", path);
  const auto read = [&file](char* to, std::size_t bytes) {
    if (file.read(to, bytes) != bytes) file.fail("the file is cut off");
  };
  std::array<char, 8> length_bytes;
  if (file.size() < length_bytes.size()) file.fail("expected 8 bytes with the header's length, got ", file.size());
  read(length_bytes.data(), length_bytes.size());
  const auto length = std::bit_cast<std::uint64_t>(length_bytes);
  const std::uint64_t rest = file.size() - length_bytes.size();
  if (length == 0 || length > std::min(rest, longest_header))
    file.fail("expected a header of 1 to ", std::min(rest, longest_header), " bytes, got a length of ", length);
  std::string text(length, '\0');
  read(text.data(), text.size());
  const json header = parse_header(file, text);

  StateDict state;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items())
    if (name == metadata_key)
      read_metadata(file, value, state);
    else
      entries.push_back(read_entry(file, name, value));
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != end)
      file.fail("'", entry.name, "': expected its elements at ", end, ", where those before end, got ", entry.begin);
    end = entry.end;
  }
  if (end != rest - length) file.fail("expected ", end, " bytes of elements, got ", rest - length);

  unsigned long elements = 0;
  std::vector<char> bytes;
  for (Entry& entry : entries) {
    bytes.resize(entry.end - entry.begin);
    read(bytes.data(), bytes.size());
    elements = add_to(elements, {bytes.data(), bytes.size()});
    Tensor& tensor = state.tensors.emplace_back(std::move(entry.name), Tensor::from_shape(entry.shape)).second;
    entry.type->read(bytes.data(), tensor.size(), tensor.data());
  }
  const json metadata = header.value(metadata_key, json::object());
  if ((metadata.contains(format_key) || metadata.contains(checksum_key)) &&
      metadata.value(checksum_key, std::string()) != checksum_of(elements, header))
    file.fail("its checksum is not that of its content: it is damaged");
  return state;
}

void save_checkpoint(const std::filesystem::path& path, std::vector<std::pair<std::string, StateDict>> parts) {
  StateDict all;
  for (auto& [name, part] : parts) all.add(name + ".", std::move(part));
  save_safetensors(path, all);
}

}  // namespace xgrad
