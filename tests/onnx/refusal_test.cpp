// What cannot be written to ONNX, and files that are no networks.
#include <xgrad/onnx/format.h>

#include <array>
#include <cmath>

#include "../error.h"
#include "models.h"

using namespace xgrad;
using namespace onnx_models;
namespace proto = xgrad::onnx::proto;

namespace {

std::filesystem::path path(const std::string& name) {
  return std::filesystem::temp_directory_path() / message("xgrad_onnx_refused_", sizeof(Scalar), name, ".onnx");
}

std::unique_ptr<nn::Module> loaded(const std::string& bytes) {
  std::ofstream(path("read"), std::ios::binary) << bytes;
  return load_onnx(path("read"));
}

std::string saved(const std::function<std::unique_ptr<nn::Module>()>& make, const Shape& input) {
  seed(3);
  save_onnx(*make(), Variable(default_generator().uniform(input, 0, 1)), path("written"));
  return bytes_of(path("written"));
}

// A saved network: input -> Gemm(weight, bias) -> output, with one thing changed.
std::string changed(const std::function<void(proto::ModelProto&)>& change) {
  proto::ModelProto model;
  model.ParseFromString(saved(layers<nn::Linear>(4, 2), {3, 4}));
  change(model);
  return model.SerializeAsString();
}

struct Case {
  std::function<void(proto::ModelProto&)> change;
  std::initializer_list<std::string> pieces;
};

proto::NodeProto& node(proto::ModelProto& model) { return *model.mutable_graph()->mutable_node(0); }
proto::TensorProto& weight(proto::ModelProto& model) { return *model.mutable_graph()->mutable_initializer(0); }

// Its elements as bits of FLOAT16 in a list, the first of them as given.
void short_list(proto::TensorProto& tensor, int first) {
  tensor.clear_raw_data();
  tensor.set_data_type(proto::TensorProto::FLOAT16);
  for (int i = 0; i < 8; ++i) tensor.add_int32_data(i == 0 ? first : 0x3c00 + i);
}

void set_type(proto::ValueInfoProto& value, int type) {
  value.mutable_type()->mutable_tensor_type()->set_elem_type(type);
}

// With a file that was loaded forward() gives something, or one of the errors that the library promises.
void run(nn::Module& model, const Shape& input) {
  const NoGrad no_grad;
  try {
    model(Variable(ones(input)));
  } catch (const std::invalid_argument&) {
  } catch (const DataError&) {
  } catch (const std::bad_alloc&) {
  }
}

}  // namespace

TEST_CASE("what ONNX does not have is refused, with the operation") {
  struct Refused {
    Computed::Formula formula;
    std::initializer_list<std::string> pieces;
  };
  using Parameters = std::vector<Variable>;
  const Refused cases[] = {
      {[](const Variable& x, const Parameters&) {
         return record("softsign", x.value(), {x}, [](const Variable&, const Variable& g) { return std::vector{g}; });
       },
       {"[save_onnx]", "'softsign' (3, 4)", "expected an operation"}},
      {[](const Variable& x, const Parameters&) { return x - mean(x, 0); }, {"expected constants that are the same"}},
      {[](const Variable& x, const Parameters&) { return x * Variable(x.value()); },
       {"(3, 4)", "outside of the graph"}},
      {[](const Variable& x, const Parameters&) {
         return reshape(x, {x.size() / 4, x.size() / x.shape()[0]}) * static_cast<double>(x.shape()[0]);
       },
       {"expected constants"}},
      {[](const Variable& x, const Parameters&) { return x.shape()[0] % 2 == 0 ? exp(x) : x; },
       {"the same operations", "'exp'"}},
      {[](const Variable& x, const Parameters&) { return slice(x, 0, 0, x.shape()[0] - 1); },
       {"'slice'", "the same ends"}},
      {[](const Variable& x, const Parameters&) {
         return sum(broadcast_to(x, {x.shape()[0] * 2, x.shape()[0], 4}), 0);
       },
       {"one dimension that follows the batch"}},
      {[](const Variable&, const Parameters& p) { return exp(p[0]); }, {"depends on the input"}},
      {[](const Variable& x, const Parameters&) {
         return transpose(normalize(transpose(x), {1, 4, x.shape()[0]}, 1e-5));
       },
       {"the same inner"}},
      {[](const Variable& x, const Parameters&) { return pow(sum(x, 1), static_cast<double>(x.shape()[0])); },
       {"'pow'", "the same exponent"}},
  };
  const std::filesystem::path target = path("refused");
  for (const Refused& refused : cases) {
    Computed model({{2}}, refused.formula);
    check_error<ValueError>([&] { save_onnx(model, Variable(input_of({"", {3, 4}, {}}, 3)), target); }, refused.pieces);
    CHECK(model.training());
  }
  CHECK(!std::filesystem::exists(target));
  Computed model({{2}}, [](const Variable& x, const Parameters& p) { return x * sum(p[0]); });
  const Variable x(ones({3, 4}));
  check_error<ValueError>([&] { save_onnx(model, Variable(zeros({})), target); }, {"example (batch, …)", "()"});
  check_error<ValueError>([&] { save_onnx(model, Variable(zeros({0, 4})), target); }, {"(0, 4)"});
  check_error<ValueError>([&] { save_onnx(model, x, target, {.input = "p0"}); }, {"no parameter has", "'p0'"});
  check_error<ValueError>([&] { save_onnx(model, x, target, {.output = ""}); }, {"two names"});
  check_error<ValueError>([&] { save_onnx(model, x, target, {.input = "a", .output = "a"}); }, {"'a' and 'a'"});
  check_error<DataError>([&] { save_onnx(model, x, "/nowhere/a.onnx"); }, {"/nowhere/a.onnx"});
}

TEST_CASE(
    "a file that is no network of the library's operators is refused, with the node, what was expected and what came") {
  const Case cases[] = {
      {[](auto& m) { node(m).set_op_type("Einsum"); }, {"node 'Gemm_1' (Einsum)", "an operator that the library has"}},
      {[](auto& m) { node(m).set_domain("com.acme"); }, {"'Gemm' of 'com.acme'"}},
      {[](auto& m) { m.mutable_opset_import(0)->set_version(12); }, {"an opset from 13 to 23, got 12"}},
      {[](auto& m) { m.clear_opset_import(); }, {"opset", "got none"}},
      {[](auto& m) { m.clear_graph(); }, {"expected a graph"}},
      {[](auto& m) { node(m).set_input(0, "absent"); }, {"'Gemm_1' (Gemm)", "nothing makes 'absent'"}},
      {[](auto& m) { node(m).set_input(0, "output"); }, {"nothing makes 'output' before it", "cycle"}},
      {[](auto& m) { node(m).clear_output(); }, {"expected an output, got none"}},
      {[](auto& m) { node(m).set_output(0, "input"); }, {"'input' is made twice"}},
      {[](auto& m) { *node(m).add_attribute() = node(m).attribute(0); }, {"'transB' is given twice"}},
      {[](auto& m) { node(m).mutable_attribute(0)->set_type(proto::AttributeProto::GRAPH); },
       {"attribute 'transB'", "type 5"}},
      {[](auto& m) { weight(m).set_dims(0, 3); }, {"initializer 'weight'", "expected ", "for (3, 4), got "}},
      {[](auto& m) { weight(m).set_dims(0, -1); }, {"initializer 'weight'", "the size -1"}},
      {[](auto& m) { weight(m).set_dims(0, std::int64_t{1} << 62); }, {"got fewer bytes"}},
      {[](auto& m) { weight(m).set_data_type(proto::TensorProto::UINT64); }, {"expected FLOAT", "got the type 13"}},
      {[](auto& m) { weight(m).set_data_type(proto::TensorProto::FLOAT16); },
       {"'weight'", "expected 16 bytes for (2, 4)"}},
      {[](auto& m) { short_list(weight(m), 65536); }, {"'weight'", "expected 16 bits for an element, got 65536"}},
      {[](auto& m) { short_list(weight(m), -1); }, {"'weight'", "expected 16 bits for an element, got -1"}},
      {[](auto& m) { set_type(*m.mutable_graph()->mutable_input(0), proto::TensorProto::FLOAT16); },
       {"input 'input'", "numbers of 32 or 64 bits, got FLOAT16"}},
      {[](auto& m) { set_type(*m.mutable_graph()->mutable_output(0), proto::TensorProto::BFLOAT16); },
       {"output 'output'", "numbers of 32 or 64 bits, got BFLOAT16"}},
      {[](auto& m) {
         auto& attribute = *node(m).add_attribute();
         attribute.set_name("value"), attribute.set_type(attribute.TENSOR);
         attribute.mutable_t()->set_data_type(proto::TensorProto::FLOAT16);
       },
       {"node 'Gemm_1' (Gemm): attribute 'value'", "numbers of 32 or 64 bits, got FLOAT16"}},
      {[](auto& m) { weight(m).set_data_location(proto::TensorProto::EXTERNAL); }, {"in this file", "another one"}},
      {[](auto& m) { weight(m).mutable_segment(); }, {"a segment"}},
      {[](auto& m) { weight(m).set_name("bias"); }, {"initializer 'bias'", "a name of its own"}},
      {[](auto& m) { weight(m).set_name("a..b"); }, {"initializer 'a..b'"}},
      {[](auto& m) { weight(m).set_name("bias.x"), *m.mutable_graph()->add_initializer() = weight(m); }, {"bias"}},
      {[](auto& m) { m.mutable_graph()->add_sparse_initializer(); }, {"a sparse one"}},
      {[](auto& m) {
         *m.mutable_graph()->add_input() = m.graph().input(0), m.mutable_graph()->mutable_input(1)->set_name("b");
       },
       {"one input, got 'input' and 'b'"}},
      {[](auto& m) { m.mutable_graph()->clear_input(); }, {"expected an input, got none"}},
      {[](auto& m) { m.mutable_graph()->clear_output(); }, {"expected one output, got 0"}},
      {[](auto& m) { m.mutable_graph()->mutable_output(0)->set_name("x"); }, {"the output", "nothing makes 'x'"}},
      {[](auto& m) {
         auto& numbers = *m.mutable_graph()->add_initializer();
         numbers.set_name("n"), numbers.set_data_type(proto::TensorProto::INT64), numbers.add_dims(1);
         numbers.add_int64_data((std::int64_t{1} << 60) + 1);
       },
       {"initializer 'n'", "holds exactly"}},
  };
  for (const Case& refused : cases) {
    const std::string bytes = changed(refused.change);
    check_error<DataError>([&] { loaded(bytes); }, refused.pieces);
    check_error<DataError>([&] { loaded(bytes); }, {"[load_onnx]", path("read").string()});
  }
  check_error<DataError>([&] { load_onnx(path("absent")); }, {"[load_onnx]"});
  check_error<DataError>([&] { loaded("<html>"); }, {"expected an ONNX model"});
  const std::string whole = saved(layers<nn::Linear>(100, 100), {3, 100});
  std::ofstream(path("read"), std::ios::binary) << whole;
  check_error<DataError>([&] { load_onnx(path("read"), {.memory_limit = 50000}); }, {"memory"});
}

TEST_CASE("initializers of 16 bits, as bytes or in a list, are parameters with the values that they have") {
  for (const bool brain : {false, true})
    for (const bool raw : {false, true}) {
      const std::string bytes = changed([&](proto::ModelProto& model) {
        proto::TensorProto& tensor = weight(model);
        short_list(tensor, 0xc000);
        if (brain) tensor.set_data_type(proto::TensorProto::BFLOAT16);
        if (!raw) return;
        for (const int bits : tensor.int32_data()) {
          const auto element = static_cast<std::uint16_t>(bits);
          tensor.mutable_raw_data()->append(reinterpret_cast<const char*>(&element), sizeof element);
        }
        tensor.clear_int32_data();
      });
      const std::unique_ptr<nn::Module> model = loaded(bytes);
      Tensor expected = uninitialized({2, 4});
      for (std::size_t i = 0; i < 8; ++i)  // 1 and some last places; in BF16 0x3c00 is 2^-7
        expected.data()[i] = Scalar(brain ? 0x1p-7 * (1 + double(i) / 128) : 1 + double(i) / 1024);
      expected.data()[0] = -2;
      CHECK(model->parameters().front().first == "weight");
      CHECK(model->parameters().front().second.value() == expected);
      const Variable x(ones({3, 4})), bias = model->parameters()[1].second;
      CHECK((*model)(x).value() == linear(x, Variable(expected), bias).value());
    }
}

TEST_CASE("a loaded network refuses what its operators cannot do, with the node") {
  const std::unique_ptr<nn::Module> model = loaded(changed([](auto&) {}));
  check_error<ShapeError>([&] { (*model)(Variable(ones({3, 5}))); }, {"[load_onnx]", "(batch, 4)", "(3, 5)"});
  check_error<ShapeError>([&] { (*model)(Variable(ones({4}))); }, {"(batch, 4)", "(4,)"});
  const auto unshaped = loaded(changed([](auto& m) { m.mutable_graph()->mutable_input(0)->clear_type(); }));
  check_error<ShapeError>([&] { (*unshaped)(Variable(ones({3, 5}))); }, {"node 'Gemm_1' (Gemm)", "(3, 5)"});
  const auto without = loaded(changed([](auto& m) { node(m).set_op_type("Concat"); }));
  check_error<ValueError>([&] { (*without)(Variable(ones({3, 4}))); }, {"(Concat)", "attribute 'axis'", "got none"});
  const auto fewer = loaded(changed([](auto& m) { node(m).add_output("second"); }));
  check_error<DataError>([&] { (*fewer)(Variable(ones({3, 4}))); }, {"at most 1 outputs, got 2"});
}

TEST_CASE("every truncation and every changed byte of a network is refused, or is another network") {
  const std::pair<std::function<std::unique_ptr<nn::Module>()>, Shape> networks[] = {
      {sequence(layers<nn::Conv2d>(1, 2, 3, nn::Conv2dOptions{.padding = 1}), layers<nn::BatchNorm2d>(2),
                layers<nn::MaxPool2d>(2), layers<nn::Flatten>(), layers<nn::LayerNorm>(2)),
       {2, 1, 2, 2}},
      {layers<nn::GRUCell>(2, 2), {2, 2}},
  };
  for (const auto& [make, input] : networks) {
    const std::string whole = saved(make, input);
    for (std::size_t length = 0; length < whole.size(); ++length)
      CHECK_THROWS_AS(loaded(whole.substr(0, length)), DataError);
    for (std::size_t at = 0; at < whole.size(); ++at)
      for (const int mask : {1, 0x80}) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ mask);
        try {
          const std::unique_ptr<nn::Module> model = loaded(damaged);
          if (mask == 1) run(*model, input);  // other masks ask for more memory than a test should take
        } catch (const DataError&) {
        }
      }
  }
}
