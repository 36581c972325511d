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

std::unique_ptr<OnnxNetwork> loaded(const std::string& bytes) {
  std::ofstream(scratch_file("refused_read"), std::ios::binary) << bytes;
  return load_onnx(scratch_file("refused_read"));
}

std::string saved(const std::function<std::unique_ptr<nn::Module>()>& make, const Shape& input) {
  seed(3);
  save_onnx(*make(), Variable(default_generator().uniform(input, 0, 1)), scratch_file("refused_written"));
  return bytes_of(scratch_file("refused_written"));
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

proto::TypeProto_Tensor& type(proto::ValueInfoProto* value) { return *value->mutable_type()->mutable_tensor_type(); }
proto::NodeProto& node(proto::ModelProto& model) { return *model.mutable_graph()->mutable_node(0); }
proto::TensorProto& weight(proto::ModelProto& model) { return *model.mutable_graph()->mutable_initializer(0); }

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
  const std::filesystem::path target = scratch_file("refused_refused");
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
  check_error<ValueError>([&] { save_onnx(model, x, target, {.inputs = {"p0"}}); }, {"no parameter has", "'p0'"});
  check_error<ValueError>([&] { save_onnx(model, x, target, {.outputs = {""}}); }, {"another name", "got ''"});
  check_error<ValueError>([&] { save_onnx(model, x, target, {{"a"}, {"a"}}); }, {"another name", "'a' twice"});
  check_error<ValueError>(
      [&] {
        save_onnx(model, x, target, {{"a", "b"}, {"c"}});
      },
      {"names of 1 inputs and 1 outputs, got 2 and 1"});
  const auto both = [](const std::vector<Variable>& in) { return std::vector{in[0] + sum(in[1], 1, true)}; };
  const auto first = [](const std::vector<Variable>& in) { return std::vector{exp(in[0])}; };
  const auto no_output = [](const std::vector<Variable>&) { return std::vector<Variable>(); };
  const OnnxOptions two = {{"a", "b"}, {"c"}};
  const Variable other(ones({2, 4}));
  check_error<ValueError>([&] { save_onnx(model, both, {x, other}, target, two); }, {"of the same batch", "(2, 4)"});
  check_error<ValueError>([&] { save_onnx(model, first, {x, x}, target, two); }, {"depends on", "none for input 1"});
  check_error<ValueError>([&] { save_onnx(model, first, {}, target, two); }, {"example for each input, got none"});
  check_error<ValueError>([&] { save_onnx(model, no_output, {x}, target, two); }, {"from 1 on, got 0 and 0"});
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
      {[](auto& m) { weight(m).set_data_type(proto::TensorProto::STRING); }, {"expected FLOAT", "got the type 8"}},
      {[](auto& m) { weight(m).set_data_type(proto::TensorProto::FLOAT16); }, {"expected 16 bytes for (2, 4), got "}},
      {[](auto& m) { type(m.mutable_graph()->mutable_input(0)).set_elem_type(proto::TensorProto::FLOAT16); },
       {"input 'input'", "numbers of 32 or 64 bits, got FLOAT16"}},
      {[](auto& m) { type(m.mutable_graph()->mutable_output(0)).set_elem_type(proto::TensorProto::BFLOAT16); },
       {"output 'output'", "got BFLOAT16"}},
      {[](auto& m) { m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type(); },
       {"input 'input'", "expected a tensor"}},
      {[](auto& m) { weight(m).set_data_location(proto::TensorProto::EXTERNAL); }, {"in this file", "another one"}},
      {[](auto& m) { weight(m).mutable_segment(); }, {"a segment"}},
      {[](auto& m) { weight(m).set_name("bias"); }, {"initializer 'bias'", "a name of its own"}},
      {[](auto& m) { weight(m).set_name("a..b"); }, {"initializer 'a..b'"}},
      {[](auto& m) { weight(m).set_name("bias.x"), *m.mutable_graph()->add_initializer() = weight(m); }, {"bias"}},
      {[](auto& m) { m.mutable_graph()->add_sparse_initializer(); }, {"a sparse one"}},
      {[](auto& m) { m.mutable_graph()->mutable_input(0)->clear_name(); }, {"expected a name of the input"}},
      {[](auto& m) { m.mutable_graph()->clear_input(); }, {"expected an input, got none"}},
      {[](auto& m) { m.mutable_graph()->clear_output(); }, {"expected an output, got none"}},
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
    check_error<DataError>([&] { loaded(bytes); }, {"[load_onnx]", scratch_file("refused_read").string()});
  }
  check_error<DataError>([&] { load_onnx(scratch_file("refused_absent")); }, {"[load_onnx]"});
  check_error<DataError>([&] { loaded("<html>"); }, {"expected an ONNX model"});
  const std::string whole = saved(layers<nn::Linear>(100, 100), {3, 100});
  std::ofstream(scratch_file("refused_read"), std::ios::binary) << whole;
  check_error<DataError>([&] { load_onnx(scratch_file("refused_read"), {.memory_limit = 50000}); }, {"memory"});
}

TEST_CASE("a loaded network refuses what its operators cannot do, with the node") {
  const std::unique_ptr<nn::Module> model = loaded(changed([](auto&) {}));
  check_error<ShapeError>([&] { (*model)(Variable(ones({3, 5}))); }, {"[load_onnx]", "(batch, 4)", "(3, 5)"});
  check_error<ShapeError>([&] { (*model)(Variable(ones({4}))); }, {"(batch, 4)", "(4,)"});
  const auto unshaped = loaded(changed([](auto& m) { m.mutable_graph()->mutable_input(0)->clear_type(); }));
  check_error<ShapeError>([&] { (*unshaped)(Variable(ones({3, 5}))); }, {"node 'Gemm_1' (Gemm)", "(3, 5)"});
  const auto without = loaded(changed([](auto& m) { node(m).set_op_type("Concat"); }));
  check_error<ValueError>([&] { (*without)(Variable(ones({3, 4}))); }, {"(Concat)", "attribute 'axis'", "got none"});
  const auto half = loaded(changed([](auto& m) {
    node(m).set_op_type("Cast"), node(m).mutable_attribute(0)->set_name("to");
    node(m).mutable_attribute(0)->set_i(proto::TensorProto::FLOAT16);
  }));
  check_error<ValueError>([&] { (*half)(Variable(ones({3, 4}))); }, {"(Cast)", "32 or 64 bits, got 16"});
  const auto two = loaded(changed([](auto& m) {
    *m.mutable_graph()->add_input() = m.graph().input(0), m.mutable_graph()->mutable_input(1)->set_name("b");
  }));
  check_error<ValueError>([&] { (*two)(Variable(ones({3, 4}))); }, {"a call of run(), for 2 inputs and 1 outputs"});
  check_error<ValueError>([&] { two->run({Variable(ones({3, 4}))}); }, {"expected 2 inputs, got 1"});
  check_error<ShapeError>([&] { two->run({Variable(ones({3, 4})), Variable(ones({3, 2}))}); }, {"'b'", "(3, 2)"});
  const auto fewer = loaded(changed([](auto& m) { node(m).add_output("second"); }));
  check_error<DataError>([&] { (*fewer)(Variable(ones({3, 4}))); }, {"at most 1 outputs, got 2"});
}

TEST_CASE("initializers of 16 bits become parameters of the same numbers") {
  const std::pair<int, std::vector<std::uint16_t>> cases[] = {
      {proto::TensorProto::FLOAT16, {0x3C00, 0xC000, 0x0001, 0x7BFF, 0x8000, 0x3555, 0, 0x3800}},
      {proto::TensorProto::BFLOAT16, {0x3F80, 0xC000, 0x3380, 0x477F, 0x8000, 0x3EAB, 0, 0x3F00}}};
  const Tensor expected[] = {{{1, -2, Scalar(0x1p-24), 65504}, {-0.0, Scalar(0x1.554p-2), 0, 0.5}},
                             {{1, -2, Scalar(0x1p-24), 65280}, {-0.0, Scalar(0x1.56p-2), 0, 0.5}}};
  for (const std::size_t i : {0u, 1u})
    for (const bool raw : {true, false}) {
      const auto model = loaded(changed([&](auto& m) {
        const auto& [element_type, bits] = cases[i];
        weight(m).set_data_type(element_type), weight(m).clear_raw_data();
        if (raw) weight(m).set_raw_data(bits.data(), 2 * bits.size());
        for (std::size_t k = 0; !raw && k < bits.size(); ++k) weight(m).add_int32_data(bits[k]);
      }));
      REQUIRE(model->parameters().at(0).first == "weight");
      CHECK(model->parameters()[0].second.value() == expected[i]);
    }
}

TEST_CASE("elements of 16 bits in a list have no other bits") {
  for (const int bits : {-1, 65536})
    check_error<DataError>(
        [&] {
          loaded(changed([&](auto& m) {
            weight(m).set_data_type(proto::TensorProto::FLOAT16), weight(m).clear_raw_data();
            for (int k = 0; k < 8; ++k) weight(m).add_int32_data(bits);
          }));
        },
        {"initializer 'weight'", "expected 16 bits for an element, got " + std::to_string(bits)});
}

TEST_CASE("the quotient of whole numbers is whole") {
  for (const bool whole : {true, false}) {
    const auto model = loaded(changed([&](proto::ModelProto& m) {
      proto::TensorProto& numbers = *m.mutable_graph()->add_initializer();
      numbers.set_name("numbers"), numbers.add_dims(3);
      numbers.set_data_type(whole ? proto::TensorProto::INT64 : proto::TensorProto::FLOAT);
      for (const int number : {7, -7, 2})
        whole ? numbers.add_int64_data(number) : numbers.add_float_data(static_cast<float>(number));
      proto::NodeProto quotient;  // of the sum of the numbers with themselves: what whole numbers make is whole
      quotient.set_op_type("Div"), quotient.add_output("output");
      quotient.add_input("numbers"), quotient.add_input("sum");
      node(m).set_op_type("Add"), node(m).clear_attribute(), node(m).set_output(0, "sum");
      node(m).clear_input(), node(m).add_input("numbers"), node(m).add_input("numbers");
      *m.mutable_graph()->add_node() = quotient;
    }));
    CHECK((*model)(Variable(ones({3, 4}))).value() == full({3}, whole ? Scalar(0) : Scalar(0.5)));
  }
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
