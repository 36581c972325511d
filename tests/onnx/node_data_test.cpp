// The tests that ONNX itself publishes, from Debian's libonnx-testdata or from the folder in XGRAD_ONNX_TESTS: single
// nodes, and what PyTorch made of its layers; a network, its inputs and its outputs each. What the library does not
// have it must refuse.
#include <doctest/doctest.h>
#include <xgrad/onnx/format.h>
#include <xgrad/onnx/onnx.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>

#include "models.h"

using namespace xgrad;
namespace proto = xgrad::onnx::proto;

namespace {

std::vector<Tensor> tensors(const std::filesystem::path& folder, const std::string& name) {
  std::vector<Tensor> result;
  for (std::size_t i = 0; std::filesystem::exists(folder / message(name, i, ".pb")); ++i) {
    const std::filesystem::path path = folder / message(name, i, ".pb");
    if (std::filesystem::file_size(path) == 0) throw DataError("no tensor, or none given");
    InputFile file("read", path);
    proto::TensorProto tensor;
    if (!tensor.ParseFromString(file.read_all())) file.fail("expected a tensor");
    result.push_back(xgrad::onnx::read_tensor(file, tensor, name));
  }
  return result;
}

// As near as ONNX asks for.
bool agree(const Tensor& got, const Tensor& expected) {
  if (got.shape() != expected.shape()) return false;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto a = static_cast<double>(got.data()[i]), e = static_cast<double>(expected.data()[i]);
    if (a != e && !(std::isnan(a) && std::isnan(e)) && !(std::abs(a - e) <= 1e-7 + 1e-3 * std::abs(e))) return false;
  }
  return true;
}

// A test has the opset in which its operator came last: from there on, the operator is the same in each that it reads.
std::unique_ptr<OnnxNetwork> network_of(const std::filesystem::path& folder) {
  proto::ModelProto model;
  model.ParseFromString(InputFile("read", folder / "model.onnx").read_all());
  for (auto& set : *model.mutable_opset_import())
    if (set.domain().empty()) set.set_version(std::max<std::int64_t>(set.version(), xgrad::onnx::first_opset));
  const std::filesystem::path path = onnx_models::scratch_file("node.onnx");
  std::ofstream(path, std::ios::binary) << model.SerializeAsString();
  return load_onnx(path);
}

// Throws where the library has no such network, or no such numbers.
bool right(const std::filesystem::path& folder) {
  const std::unique_ptr<OnnxNetwork> network = network_of(folder);
  const std::filesystem::path data = folder / "test_data_set_0";
  std::vector<Variable> inputs;
  for (Tensor& input : tensors(data, "input_")) inputs.emplace_back(std::move(input));
  const std::vector<Tensor> expected = tensors(data, "output_");
  const std::vector<Variable> got = network->run(inputs);
  return std::equal(got.begin(), got.end(), expected.begin(), expected.end(),
                    [](const Variable& a, const Tensor& b) { return agree(a.value(), b); });
}

}  // namespace

TEST_CASE("the tests of nodes that ONNX publishes agree, or are refused") {
  const char* const given = std::getenv("XGRAD_ONNX_TESTS");
  const std::filesystem::path all = given ? given : "/usr/share/libonnx-testdata/data";
  if (!std::filesystem::is_directory(all)) {
    MESSAGE(all.string(), " is not there, and nothing is compared: apt-get install libonnx-testdata");
    return;
  }
  const NoGrad no_grad;
  // What training drops is drawn at random. What a Clip or a Slice of old has as attributes are inputs since opset 13.
  const std::set<std::string> left_out = {"test_training_dropout", "test_training_dropout_default",
                                          "test_operator_clip", "test_operator_index"};
  std::size_t agreeing = 0;
  for (const char* const kind : {"node", "pytorch-converted", "pytorch-operator", "simple"}) {
    if (!std::filesystem::is_directory(all / kind)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(all / kind)) {
      const std::string name = entry.path().filename().string();
      try {
        if (left_out.contains(name)) continue;
        const bool same = right(entry.path());
        CHECK_MESSAGE(same, name);
        agreeing += same;
      } catch (const DataError&) {
      } catch (const std::invalid_argument&) {
      }
    }
  }
  MESSAGE(agreeing, " agree");
  // Of those in Debian 12. Float refuses some numbers that double holds.
  if (!given) CHECK(agreeing == (sizeof(Scalar) == sizeof(float) ? 635 : 651));
}
