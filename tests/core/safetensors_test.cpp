// The format, byte by byte: files of others, files of ours, and damaged ones.
#include <core/safetensors_files.h>
#include <error.h>
#include <xgrad/core/safetensors.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/normalization.h>
#include <xgrad/nn/sequential.h>

#include <atomic>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

using namespace xgrad;
using namespace safetensors_files;

namespace {

constexpr bool is_double = std::is_same_v<Scalar, double>;

// Equal to the bit, NaN and -0 included.
bool same(const StateDict& a, const StateDict& b) {
  const auto same_bits = [](double x, double y) {
    return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  };
  if (a.tensors.size() != b.tensors.size() || a.scalars.size() != b.scalars.size() || a.texts.size() != b.texts.size())
    return false;
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    const auto& [name, x] = a.tensors[i];
    const auto& [other, y] = b.tensors[i];
    if (name != other || x.shape() != y.shape() ||
        (x.size() > 0 && std::memcmp(x.data(), y.data(), x.size() * sizeof(Scalar)) != 0))
      return false;
  }
  for (std::size_t i = 0; i < a.scalars.size(); ++i)
    if (a.scalars[i].first != b.scalars[i].first || !same_bits(a.scalars[i].second, b.scalars[i].second)) return false;
  return a.texts == b.texts;
}

StateDict sample() {
  const auto nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  StateDict state;
  state.tensors = {{"z", Tensor({{1, -2, Scalar(0.1)}, {Scalar(nan), -0.0, Scalar(-inf)}})},
                   {"a.ünï \"quoted\"\n", Tensor({5})},
                   {"empty", Tensor::from_shape({3, 0})},
                   {"", Tensor(Scalar(1e-38))}};
  state.scalars = {{"a", 0.1}, {"b", -0.0}, {"c", inf}, {"d", -inf}, {"e", nan}, {"f", 5e-324}, {"g", 0x1p53 - 1}};
  state.texts = {{"history", "1 2\n\x01 \"x\" \\"}, {"z", ""}};
  return state;
}

}  // namespace

TEST_CASE("what is saved is loaded: every bit, every name, tensors in their order") {
  const Folder folder;
  const auto path = folder.path() / "state.safetensors";
  for (const StateDict& state : {sample(), StateDict{}}) {
    save_safetensors(path, state);
    CHECK(same(load_safetensors(path), state));
  }
}

TEST_CASE("a file of ours is what the format says") {
  const Folder folder;
  save_safetensors(folder.path() / "x", sample());
  const Bytes bytes = read(folder.path() / "x");
  std::uint64_t size = 0;
  for (std::size_t i = 8; i-- > 0;) size = size << 8 | bytes[i];
  REQUIRE(size % 8 == 0);
  const std::string text(bytes.begin() + 8, bytes.begin() + 8 + static_cast<std::ptrdiff_t>(size));
  const auto header = nlohmann::json::parse(text);
  CHECK(header.size() == 1 + sample().tensors.size());
  CHECK(header["__metadata__"]["history"] == "1 2\n\x01 \"x\" \\");
  CHECK(header["__metadata__"]["scalar:a"] == "0.1");
  const auto& z = header["z"];
  CHECK(z["dtype"] == (is_double ? "F64" : "F32"));
  CHECK(z["shape"] == std::vector<int>{2, 3});
  CHECK(z["data_offsets"] == std::vector<std::size_t>{0, 6 * sizeof(Scalar)});
  Scalar element = 0;
  std::memcpy(&element, bytes.data() + 8 + size + 2 * sizeof element, sizeof element);
  CHECK(element == Scalar(0.1));
  CHECK(bytes.size() == 8 + size + 8 * sizeof(Scalar));
}

TEST_CASE("a file laid out as PyTorch's are is read by name") {
  const Folder folder;
  const auto path = folder.write(
      "model.safetensors", with_header(R"({"__metadata__":{"format":"pt"},)"
                                       R"("1.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
                                       R"("0.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[24,32]},)"
                                       R"("0.bias":{"dtype":"F64","shape":[2],"data_offsets":[8,24]}}   )",
                                       raw<std::int64_t>({7}) + raw<double>({0.5, -1e-3}) + raw<float>({1.5F, -2})));
  const StateDict state = load_safetensors(path);
  REQUIRE(state.tensors.size() == 3);
  CHECK(state.tensors[0].first == "1.num_batches_tracked");
  CHECK(*state.find("1.num_batches_tracked") == Tensor(Scalar(7)));
  CHECK(*state.find("0.bias") == Tensor({0.5, Scalar(-1e-3)}));
  CHECK(*state.find("0.weight") == Tensor({{1.5, -2}}));
  CHECK(state.texts.size() == 1);
  CHECK(state.texts[0].second == "pt");
}

TEST_CASE("a network that PyTorch has saved goes into the same network here, with its running statistics") {
  std::string header = R"({"1.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
                       R"("0.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]})";
  int end = 16;
  for (const char* name : {"0.bias", "1.bias", "1.running_mean", "1.running_var", "1.weight"}) {
    header += message(",\"", name, R"(":{"dtype":"F32","shape":[1],"data_offsets":[)", end, ",", end + 4, "]}");
    end += 4;
  }
  const Folder folder;
  const auto path = folder.write("model.safetensors",
                                 with_header(header + "}", raw<std::int64_t>({9}) + raw<float>({1, 2, 3, 4, 5, 4, 6})));
  nn::Sequential model{nn::Linear(2, 1), nn::BatchNorm1d(1, {.eps = 0})};
  model.load_state_dict(load_safetensors(path));
  model.eval();
  const Variable y = model(Variable(Tensor({{10, 100}})));  // 10 + 200 + 3, less 5, over 2, times 6, plus 4
  CHECK(double(y.item()) == doctest::Approx(628));
}

TEST_CASE("damaged files are refused, with what was expected") {
  const Folder folder;
  const auto entry = [](const std::string& rest) { return R"({"x":{)" + rest + "}}"; };
  const auto two = [](const std::string& first, const std::string& second, const std::string& name = "b") {
    return R"({"a":{"dtype":"F32","shape":[2],"data_offsets":)" + first + R"(},")" + name +
           R"(":{"dtype":"F32","shape":[2],"data_offsets":)" + second + "}}";
  };
  const Bytes eight(8), sixteen(16);
  const struct {
    const char* what;
    Bytes bytes;
    std::string said;
  } cases[] = {
      {"2: empty", {}, "the file is empty"},
      {"44: too short for a length", Bytes(7), "expected 8 bytes with the header's length, got 7"},
      {"44: no header", length(0), "got a length of 0"},
      {"44: past the file", length(3) + from_text("{}"), "expected a header of 1 to 2 bytes, got a length of 3"},
      {"44: absurd", length(~0ULL) + from_text("{}"), "got a length of 18446744073709551615"},
      {"45: not JSON", with_header("{x}"), "not JSON in UTF-8, at its byte 2"},
      {"45: cut off", with_header(R"({"x":)"), "not JSON"},
      {"45: more after it", with_header("{}{}"), "not JSON"},
      {"45: a zero after it", with_header(std::string("{}\0{}", 5)), "not JSON in UTF-8, at its byte 3"},
      {"45: begins with a space", with_header(" {}"), "begins with '{'"},
      {"45: a list", with_header("[]"), "begins with '{'"},
      {"45: not UTF-8", with_header("{\"\xff\":1}"), "not JSON in UTF-8"},
      {"45: a surrogate in UTF-8", with_header("{\"\xed\xa0\x80\":1}"), "not JSON in UTF-8"},
      {"45: too deep", with_header(entry(R"("shape":[[1]])")), "nested too deep"},
      {"45: far too deep", with_header("{\"x\":" + std::string(100000, '[')), "nested too deep"},
      {"45: a tensor twice", with_header(two("[0,8]", "[8,16]", "a"), sixteen), "name 'a' twice"},
      {"45: a key twice", with_header(entry(R"("dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8])"), eight),
       "name 'dtype' twice"},
      {"45: metadata twice", with_header(R"({"__metadata__":{},"__metadata__":{}})"), "name '__metadata__' twice"},
      {"45: a text twice", with_header(R"({"__metadata__":{"k":"","k":""}})"), "name 'k' twice"},
      {"45: metadata is a text", with_header(R"({"__metadata__":"x"})"), "__metadata__: expected texts by name"},
      {"45: a number in it", with_header(R"({"__metadata__":{"k":1}})"), "expected texts, got number for 'k'"},
      {"45: no scalar", with_header(R"({"__metadata__":{"scalar:k":"1x"}})"), "'scalar:k': expected a number"},
      {"45: a tensor is a number", with_header(R"({"x":1})"), "'x': expected dtype, shape and data_offsets"},
      {"45: no shape", with_header(entry(R"("dtype":"F32","data_offsets":[0,8])"), eight), "expected dtype, shape"},
      {"45: a shape of texts", with_header(entry(R"("dtype":"F32","shape":["2"],"data_offsets":[0,8])"), eight),
       "shape to be whole numbers"},
      {"45: a negative size", with_header(entry(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), eight),
       "shape to be whole numbers"},
      {"45: half a size", with_header(entry(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), eight),
       "shape to be whole numbers"},
      {"45: a number out of range", with_header(entry(R"("dtype":"F32","shape":[1e999],"data_offsets":[0,0])")),
       "the header has a number out of range, at its byte"},
      {"45: an object as metadata's text", with_header(R"({"__metadata__":{"k":{}}})"), "got object for 'k'"},
      {"45: a list as metadata", with_header(R"({"__metadata__":[]})"), "expected texts by name"},
      {"45: a list as a tensor", with_header(R"({"x":[1,2]})"), "'x': expected dtype, shape and data_offsets"},
      {"45: an object as a shape", with_header(entry(R"("dtype":"F32","shape":{"a":2},"data_offsets":[0,8])"), eight),
       "shape to be whole numbers"},
      {"45: a control character in a name", with_header(R"({"\u001b[2J":1})"), "'\\x1b[2J': expected dtype"},
      {"45: one offset", with_header(entry(R"("dtype":"F32","shape":[2],"data_offsets":[8])"), eight),
       "data_offsets (8,)"},
      {"46: overlap", with_header(two("[0,8]", "[4,12]"), sixteen),
       "'b': expected its elements at 8, where those before end, got 4"},
      {"46: the same place", with_header(two("[0,8]", "[0,8]"), eight), "expected its elements at 8"},
      {"46: a gap", with_header(two("[0,8]", "[12,20]"), Bytes(20)),
       "'b': expected its elements at 8, where those before end, got 12"},
      {"46: a gap at the begin", with_header(two("[8,16]", "[16,24]"), Bytes(24)), "'a': expected its elements at 0"},
      {"46: backwards", with_header(two("[0,8]", "[16,8]"), sixteen),
       "'b': expected a begin and then an end, got data_offsets (16, 8)"},
      {"46: past the end", with_header(two("[0,8]", "[8,16]"), Bytes(15)), "expected 16 bytes of elements, got 15"},
      {"46: far past the end",
       with_header(entry(R"("dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000])")),
       "expected 4000000000000 bytes of elements, got 0"},
      {"46: bytes left over", with_header(two("[0,8]", "[8,16]"), Bytes(17)), "expected 16 bytes of elements, got 17"},
      {"46: not the shape's size", with_header(entry(R"("dtype":"F64","shape":[2],"data_offsets":[0,8])"), eight),
       "'x': expected 16 bytes for (2,) F64, got data_offsets (0, 8)"},
      {"47: unknown dtype", with_header(entry(R"("dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8])"), eight),
       "'x': expected a dtype of F16, BF16, F32, F64, I8 to I64, U8 to U32 or BOOL, got F8_E4M3"},
      {"47: no text", with_header(entry(R"("dtype":32,"shape":[2],"data_offsets":[0,8])"), eight), "or BOOL, got 32"},
      {"48: sizes overflow",
       with_header(entry(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])")),
       "'x': expected a shape whose bytes can be counted, got (4294967296, 4294967296)"},
      {"48: bytes overflow", with_header(entry(R"("dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0])")),
       "a shape whose bytes can be counted"},
      {"48: a number past 2^64",
       with_header(entry(R"("dtype":"F32","shape":[18446744073709551617],"data_offsets":[0,4])"), Bytes(4)),
       "shape to be whole numbers"},
      {"43: a newer format", with_header(R"({"__metadata__":{"xgrad:format":"2"}})"), "expected the format 1, got 2"},
      {"49: another checksum", with_header(R"({"__metadata__":{"xgrad:crc32":"1"}})"), "checksum"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.what);
    const auto path = folder.write("damaged.safetensors", c.bytes);
    check_error<DataError>([&] { load_safetensors(path); }, {"[load_safetensors] ", "damaged.safetensors: ", c.said});
  }
  check_error<DataError>([&] { load_safetensors(folder.path()); }, {"expected a file, got a folder"});
  check_error<DataError>([&] { load_safetensors(folder.path() / "none"); }, {"none: no such file"});
}

TEST_CASE("44: a header of more than 100 MB is refused unread") {
  const Folder folder;
  const auto path = folder.write("long.safetensors", length(100'000'001) + from_text("{}"));
  std::filesystem::resize_file(path, 200'000'000);  // of zeros that take no room on the disk
  check_error<DataError>([&] { load_safetensors(path); },
                         {"expected a header of 1 to 100000000 bytes, got a length of 100000001"});
}

TEST_CASE("49: no flipped bit and no missing end goes unnoticed") {
  const Folder folder;
  StateDict state;
  state.tensors = {{"w", Tensor({1, 2, 3})}};
  state.scalars = {{"step", 12}};
  state.texts = {{"engine", "123 456"}};
  save_safetensors(folder.path() / "x", state);
  const Bytes whole = read(folder.path() / "x");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    CAPTURE(at);
    for (int bit = 0; bit < 8; ++bit) {
      Bytes damaged = whole;
      damaged[at] ^= static_cast<std::uint8_t>(1 << bit);
      CHECK_THROWS_AS(load_safetensors(folder.write("damaged", damaged)), DataError);
    }
    CHECK_THROWS_AS(load_safetensors(folder.write("damaged", idx_files::without_last(whole, at + 1))), DataError);
  }
}

TEST_CASE("what cannot be saved is refused, and nothing is written") {
  const Folder folder;
  const struct {
    StateDict state;
    const char* said;
  } cases[] = {
      {{.tensors = {{"a", Tensor({1})}, {"a", Tensor({2})}}}, "the name 'a' is given twice"},
      {{.tensors = {{"__metadata__", Tensor({1})}}}, "the name '__metadata__' is given twice"},
      {{.scalars = {{"a", 1}, {"a", 1}}}, "the name 'scalar:a' is given twice"},
      {{.texts = {{"a", "1"}, {"a", "1"}}}, "the name 'a' is given twice"},
      {{.texts = {{"scalar:a", "1"}}}, "'scalar:a' begins as those of our own"},
      {{.texts = {{"xgrad:a", "1"}}}, "'xgrad:a' begins as those of our own"},
      {{.texts = {{"a", "\xff"}}}, "UTF-8"},
      {{.tensors = {{"\xc3", Tensor({1})}}}, "UTF-8"},
  };
  for (const auto& c : cases)
    check_error<ValueError>([&] { save_safetensors(folder.path() / "x", c.state); }, {"[save_safetensors] ", c.said});
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a checkpoint is one of ours, with its checksum") {
  const Folder folder;
  const auto foreign = folder.write("x", with_header("{}"));
  CHECK(same(load_safetensors(foreign), {}));
  check_error<DataError>([&] { load_checkpoint(foreign); },
                         {"[load_checkpoint] ", "x: expected a checkpoint of xgrad with its checksum"});
}

TEST_CASE("what is read takes no more memory than the limit") {
  const Folder folder;
  const auto path = folder.path() / "x";
  save_safetensors(path, {.tensors = {{"w", ones({1000})}}});
  CHECK(load_safetensors(path, {.memory_limit = 1000 * sizeof(Scalar) + 1000}).tensors.size() == 1);
  check_error<DataError>([&] { load_safetensors(path, {.memory_limit = 1000 * sizeof(Scalar)}); },
                         {"bytes of memory", "more than the limit of", "(LoadOptions::memory_limit)"});
  check_error<DataError>([&] { load_safetensors(path, {.memory_limit = 10}); }, {"limit of 10 "});
}

TEST_CASE("a reader of a file that a writer replaces, with files of other sizes, has one of them") {
  const Folder folder;
  const auto path = folder.path() / "x";
  const auto save = [&](std::size_t size) { save_safetensors(path, {.tensors = {{"w", ones({size})}}}); };
  save(1);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (std::size_t i = 0; i < 300; ++i) save(1 + i % 7 * 100);
    done = true;
  });
  while (!done) CHECK_NOTHROW(load_safetensors(path));
  writer.join();
}

TEST_CASE("a file of many tensors is read in the order of their elements") {
  const Folder folder;
  StateDict state;
  for (std::size_t i = 0; i < 20000; ++i) state.tensors.emplace_back(message("layer.", i), Tensor({Scalar(i)}));
  save_safetensors(folder.path() / "x", state);
  CHECK(same(load_safetensors(folder.path() / "x"), state));
}

TEST_CASE("parts come back from below their prefixes") {
  const Folder folder;
  const StateDict a{.tensors = {{"w", Tensor({1})}}, .scalars = {{"n", 1}}, .texts = {{"t", "a"}}};
  const StateDict b{.tensors = {{"w", Tensor({2, 3})}}, .scalars = {{"n", 2}}, .texts = {{"t", "b"}}};
  save_checkpoint(folder.path() / "x", {{"one", a}, {"one.two", b}, {"on", {}}});
  const StateDict all = load_checkpoint(folder.path() / "x");
  CHECK(same(all.below("one.two."), b));
  CHECK(all.below("one.").tensors.size() == 2);
  CHECK(same(all.below("on."), {}));
  CHECK(all.find("one.two.w")->size() == 2);
}

TEST_CASE("what does not fit is listed, all of it") {
  const StateDict state{.tensors = {{"w", Tensor({1})}, {"v", Tensor({1})}},
                        .scalars = {{"n", 0.5}, {"n", 1}, {"m", -1}, {"o", 3}},
                        .texts = {{"note", "of another program"}}};
  StateReader reader("owner", state);
  CHECK(reader.tensor("w", {2}) == nullptr);
  CHECK(reader.tensor("u", {2}) == nullptr);
  CHECK(reader.count("n") == 0);
  CHECK(reader.count("m") == 0);
  CHECK(reader.text("t").empty());
  CHECK_THROWS_WITH_AS(
      reader.finish(),
      "[owner] the state does not fit:\n  repeated: n\n  misshaped: w: expected (2,), got (1,)\n"
      "  missing: u (2,)\n  n: expected a count, got 0.5\n  m: expected a count, got -1\n  missing: t\n"
      "  unexpected: v (1,)\n  unexpected: o = 3",
      DataError);
}
