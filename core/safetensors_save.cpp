#include <xgrad/core/file.h>
#include <xgrad/core/safetensors.h>
#include <xgrad/core/safetensors_format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace xgrad {
namespace {

using namespace safetensors;
using nlohmann::json;

constexpr std::size_t alignment = 8;

std::string_view name_of(SavedType type) {
  if (type == SavedType::scalar) return sizeof(Scalar) == sizeof(float) ? "F32" : "F64";
  return type == SavedType::f16 ? "F16" : "BF16";
}
std::size_t size_of(SavedType type) { return type == SavedType::scalar ? sizeof(Scalar) : sizeof(elements::Half); }

template <class Element, class F>
void for_each_piece_of(const std::string& name, const Tensor& tensor, SavedType type, const F& f) {
  std::vector<Element> rounded;
  for (std::size_t done = 0; done < tensor.size(); done += rounded.size()) {
    rounded.clear();
    for (std::size_t i = done; i < std::min(done + elements_at_once, tensor.size()); ++i) {
      const auto nearest = Element::nearest(tensor.data()[i]);
      if (!nearest)
        throw ValueError(message("[save_safetensors] '", printable(name), "': ", tensor.data()[i],
                                 " is beyond the range of ", name_of(type)));
      rounded.push_back(*nearest);
    }
    f(std::string_view(reinterpret_cast<const char*>(rounded.data()), rounded.size() * sizeof(Element)));
  }
}

// f(bytes) for the elements of all tensors as the file has them, in pieces.
template <class F>
void for_each_piece(const StateDict& state, SavedType type, const F& f) {
  for (const auto& [name, tensor] : state.tensors) {
    if (type == SavedType::scalar)
      f(std::string_view(reinterpret_cast<const char*>(tensor.data()), tensor.size() * sizeof(Scalar)));
    else if (type == SavedType::f16)
      for_each_piece_of<elements::Half>(name, tensor, type, f);
    else
      for_each_piece_of<elements::BrainFloat>(name, tensor, type, f);
  }
}

// Written piece by piece: a tree of the whole header would take many times its memory.
class Header {
 public:
  void begin(std::string_view key) {
    text_ += message(comma_, quotation(key), ":{");
    comma_ = "";
  }
  void add(std::string_view key, std::string_view value) {
    text_ += message(comma_, quotation(key), ":", value);
    comma_ = ",";
  }
  void end() {
    text_ += "}";
    comma_ = ",";
  }

  // ValueError for what is not UTF-8.
  static std::string quotation(std::string_view text) {
    try {
      return json(text).dump();
    } catch (const json::type_error&) {
      throw ValueError("[save_safetensors] expected names and texts in UTF-8");
    }
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string_view comma_;
};

void check_names(const StateDict& state) {
  std::set<std::string> tensors = {metadata_key}, texts;
  const auto insert = [](std::set<std::string>& names, const std::string& name) {
    if (!names.insert(name).second)
      throw ValueError(message("[save_safetensors] the name '", printable(name), "' is given twice"));
  };
  for (const auto& [name, text] : state.texts) {
    if (name.starts_with(own_keys) || name.starts_with(scalar_keys))
      throw ValueError(message("[save_safetensors] the name '", printable(name), "' begins as those of our own"));
    insert(texts, name);
  }
  for (const auto& [name, number] : state.scalars) insert(texts, std::string(scalar_keys) + name);
  for (const auto& [name, tensor] : state.tensors) insert(tensors, name);
}

std::string header_of(const StateDict& state, SavedType type) {
  Header header;
  header.begin(metadata_key);
  header.add(format_key, Header::quotation(format));
  for (const auto& [name, number] : state.scalars) {
    std::array<char, 34> digits = {'"'};
    char* end = std::to_chars(digits.data() + 1, digits.data() + digits.size() - 1, number).ptr;
    *end++ = '"';
    header.add(std::string(scalar_keys) + name, {digits.data(), end});
  }
  for (const auto& [name, text] : state.texts) header.add(name, Header::quotation(text));
  header.end();
  std::size_t end = 0;
  for (const auto& [name, tensor] : state.tensors) {
    header.begin(name);
    header.add("dtype", Header::quotation(name_of(type)));
    std::string sizes;
    for (const std::size_t size : tensor.shape()) sizes += message(sizes.empty() ? "" : ",", size);
    header.add("shape", message("[", sizes, "]"));
    const std::size_t begin = std::exchange(end, end + tensor.size() * size_of(type));
    header.add("data_offsets", message("[", begin, ",", end, "]"));
    header.end();
  }
  return message("{", header.text(), "}");
}

}  // namespace

void save_safetensors(const std::filesystem::path& path, const StateDict& state, SaveOptions options) {
  check_names(state);
  std::string header = header_of(state, options.type);
  unsigned long checksum = 0;
  for_each_piece(state, options.type, [&](std::string_view bytes) { checksum = add_to(checksum, bytes); });
  checksum = add_to(checksum, header);
  header.insert(header.find('{', 1) + 1, member(std::to_string(checksum)));
  header.resize((header.size() + alignment - 1) / alignment * alignment, ' ');
  if (header.size() > longest_header)
    throw ValueError(
        message("[save_safetensors] expected a header of at most ", longest_header, " bytes, got ", header.size()));

  const auto length = std::bit_cast<std::array<char, 8>>(std::uint64_t{header.size()});
  ReplacementFile file(path);
  file.write({length.data(), length.size()});
  file.write(header);
  for_each_piece(state, options.type, [&](std::string_view bytes) { file.write(bytes); });
  file.commit();
}

void save_checkpoint(const std::filesystem::path& path, std::vector<std::pair<std::string, StateDict>> parts) {
  StateDict all;
  for (auto& [name, part] : parts) all.add(name + ".", std::move(part));
  save_safetensors(path, all);
}

}  // namespace xgrad
