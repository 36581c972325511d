// Files in the format of checkpoints, from anybody: what loads is saved, and loads again as the same.
#include <xgrad/core/random.h>
#include <xgrad/core/safetensors.h>

#include <bit>
#include <limits>

#include "fuzz.h"

using namespace xgrad;

void fuzz::run(Bytes bytes) {
  const std::filesystem::path file = write("file", as_text(bytes)), copy = path_of("copy");
  StateDict loaded;
  if (!succeeds<DataError>([&] { loaded = load_safetensors(file, little_memory); })) return;
  save_safetensors(copy, loaded);
  expect(same(load_safetensors(copy), loaded), "the same state from a copy");
  for (const SavedType type : {SavedType::f16, SavedType::bf16}) {  // what was rounded once is rounded to itself
    if (!succeeds<ValueError>([&] { save_safetensors(copy, loaded, {.type = type}); })) continue;
    const StateDict rounded = load_safetensors(copy);
    save_safetensors(copy, rounded, {.type = type});
    expect(same(load_safetensors(copy), rounded), "the same state from a copy in 16 bits");
  }
}

namespace {

std::string saved(const StateDict& state) {
  save_safetensors(fuzz::path_of("seed"), state);
  return fuzz::read(fuzz::path_of("seed"));
}

// What another program would write: without our keys, so that no checksum stands in the way.
std::string foreign(const std::string& header, std::size_t bytes) {
  const auto length = std::bit_cast<std::array<char, 8>>(std::uint64_t{header.size()});
  std::string content(length.data(), length.size());
  content += header;
  for (std::size_t i = 0; i < bytes; ++i) content += static_cast<char>(i * 37);
  return content;
}

}  // namespace

std::vector<std::string> fuzz::seeds() {
  Generator generator(1);
  const StateDict parts[] = {
      {},
      {.tensors = {{"weight", generator.normal({2, 3})}, {"bias", zeros({})}, {"none", zeros({0, 4})}}},
      {.scalars = {{"step", 7}, {"rate", 1e-300}, {"worst", std::numeric_limits<double>::quiet_NaN()}},
       .texts = {{"note", "\xc3\xa4\n\"quoted\""}, {"", ""}}},
      generator.state_dict()};
  std::vector<std::string> all = {""};
  for (const StateDict& part : parts) all.push_back(saved(part));
  const auto tensor = [](const std::string& type, const std::string& shape, std::size_t begin, std::size_t end) {
    return message(R"({"dtype":")", type, R"(","shape":)", shape, R"(,"data_offsets":[)", begin, ",", end, "]}");
  };
  all.push_back(foreign("{}", 0));
  all.push_back(foreign(R"({"a":)" + tensor("F32", "[2,1]", 0, 8) + "}", 8));
  all.push_back(
      foreign(R"({"b":)" + tensor("F64", "[]", 8, 16) + R"(,"a":)" + tensor("I64", "[1]", 0, 8) + "}   ", 16));
  all.push_back(
      foreign(R"({"__metadata__":{"scalar:x":"1e5","text":"\u00e9"},"a":)" + tensor("F32", "[0]", 0, 0) + "}", 0));
  for (const char* type : {"F16", "BF16", "I16", "U16"})
    all.push_back(foreign(R"({"a":)" + tensor(type, "[3]", 0, 6) + "}", 6));
  for (const char* type : {"I8", "U8", "BOOL"}) all.push_back(foreign(R"({"a":)" + tensor(type, "[1]", 0, 1) + "}", 1));
  for (const char* type : {"I32", "U32"}) all.push_back(foreign(R"({"a":)" + tensor(type, "[1]", 0, 4) + "}", 4));
  all.push_back(foreign(R"({"__metadata__":{"xgrad:format":"2"},"a":[null,true,1e9,-1,"x"]})", 0));
  return all;
}
