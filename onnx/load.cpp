#include <xgrad/onnx/format.h>
#include <xgrad/onnx/onnx.h>
#include <xgrad/onnx/operators.h>
#include <xgrad/onnx/trace.h>

#include <algorithm>
#include <limits>
#include <new>
#include <set>

namespace xgrad {

Variable OnnxNetwork::forward(const Variable& x) {
  if (inputs().size() != 1 || outputs().size() != 1)
    throw ValueError(message("[load_onnx] expected a call of run(), for ", inputs().size(), " inputs and ",
                             outputs().size(), " outputs, got one of forward()"));
  return run({x})[0];
}

#ifndef XGRAD_HAS_ONNX

std::unique_ptr<OnnxNetwork> load_onnx(const std::filesystem::path& path, LoadOptions options) {
  InputFile("load_onnx", path, options).fail(onnx::missing);
}

#else

namespace onnx {
namespace {

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

// Modules that only have names: parameter "fc1.weight" is "weight" of the part "fc1".
struct Part : OnnxNetwork {
  std::vector<Variable> run(const std::vector<Variable>&) const override {
    throw ValueError("[load_onnx] expected a call of the network, got one of a part of it");
  }
  const std::vector<std::string>& inputs() const override { return input_names; }
  const std::vector<std::string>& outputs() const override { return output_names; }

  // ValueError where the name cannot be a parameter's.
  Variable place(const std::string& name, Tensor value, bool trained, std::size_t depth = 0) {
    if (depth > 100) throw ValueError("[module] expected names of at most 100 parts");
    const std::size_t dot = name.find('.');
    if (dot == name.npos) return trained ? param(name, std::move(value)) : buffer(name, std::move(value));
    const std::string first = name.substr(0, dot), rest = name.substr(dot + 1);
    for (const auto& [child_name, child] : children())
      if (child_name == first) return static_cast<Part&>(*child).place(rest, std::move(value), trained, depth + 1);
    return add<Part>(first).place(rest, std::move(value), trained, depth + 1);
  }

  std::vector<std::string> input_names, output_names;
};

struct Input {
  std::size_t place;
  std::string expected = {};                            // its shape, in errors
  std::optional<std::vector<std::size_t> > sizes = {};  // where the file says them; none for a free one

  bool fits(const Shape& shape) const {
    bool same = !sizes || sizes->size() == shape.size();
    for (std::size_t d = 0; same && sizes && d < shape.size(); ++d)
      same = (*sizes)[d] == none || (*sizes)[d] == shape[d];
    return same;
  }
};

struct Operation {
  std::string title;  // in errors
  const Operator* run;
  std::map<std::string, Attribute> attributes;
  std::vector<std::size_t> inputs, outputs;  // places of values; none for one that is left out
};

// Its values have places, in which parameters and constants are already.
struct Network : Part {
  std::vector<Variable> run(const std::vector<Variable>& given) const override {
    if (given.size() != from.size())
      throw ValueError(message(title, ": expected ", from.size(), " inputs, got ", given.size()));
    std::vector<Variable> all = values;
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (!from[i].fits(given[i].shape()))
        throw ShapeError(message(title, ": expected '", printable(input_names[i]), "' to be an input of ",
                                 from[i].expected, ", got ", given[i].shape()));
      all[from[i].place] = given[i];
    }
    for (const Operation& operation : operations) {
      Node node{{}, operation.attributes, operation.outputs.size()};
      for (const std::size_t place : operation.inputs) node.inputs.push_back(place == none ? Variable() : all[place]);
      const Outputs made = apply(operation, node);
      if (made.size() < operation.outputs.size())
        throw DataError(
            message(operation.title, ": expected at most ", made.size(), " outputs, got ", operation.outputs.size()));
      for (std::size_t i = 0; i < operation.outputs.size(); ++i)
        if (operation.outputs[i] != none) all[operation.outputs[i]] = made[i];
    }
    std::vector<Variable> result;
    for (const std::size_t place : to) result.push_back(all[place]);
    return result;
  }

  static Outputs apply(const Operation& operation, const Node& node) {
    const auto named = [&](const std::exception& error) { return message(operation.title, ": ", error.what()); };
    try {
      return (*operation.run)(node);
    } catch (const ShapeError& error) {
      throw ShapeError(named(error));
    } catch (const ValueError& error) {
      throw ValueError(named(error));
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      throw DataError(named(error));
    }
  }

  std::string title;
  std::vector<Variable> values;
  std::vector<Operation> operations;
  std::vector<Input> from;
  std::vector<std::size_t> to;
};

class Loader {
 public:
  explicit Loader(InputFile& file, std::string shown) : file_(file) { network_->title = std::move(shown); }

  std::unique_ptr<OnnxNetwork> load() {
    const std::string bytes = file_.read_all();
    file_.claim(2 * file_.size());  // the message that they become
    proto::ModelProto model;
    if (!model.ParseFromString(bytes)) file_.fail("expected an ONNX model: it is damaged, or no such file");
    if (!model.has_graph()) file_.fail("expected a graph, got none: the file is cut off, or no ONNX model");
    check_opset(model);
    const proto::GraphProto& graph = model.graph();
    if (graph.sparse_initializer_size() > 0) file_.fail("expected dense initializers, got a sparse one");
    for (const proto::NodeProto& node : graph.node())  // the mean and the variance
      for (int i = 3; node.op_type() == "BatchNormalization" && i < std::min(node.input_size(), 5); ++i)
        statistics_.insert(node.input(i));
    for (const proto::TensorProto& tensor : graph.initializer()) add_initializer(tensor);
    add_inputs(graph);
    for (const proto::NodeProto& node : graph.node())
      for (const std::string& output : node.output()) made_later_.insert(output);
    for (const proto::NodeProto& node : graph.node()) add_node(node);
    if (graph.output_size() == 0) file_.fail("expected an output, got none");
    for (const proto::ValueInfoProto& output : graph.output()) {
      check_type(output, message("output ", quoted(output.name())));
      network_->to.push_back(place(output.name(), "the output"));
      network_->output_names.push_back(output.name());
    }
    return std::move(network_);
  }

 private:
  void check_opset(const proto::ModelProto& model) const {
    for (const proto::OperatorSetIdProto& set : model.opset_import())
      if (is_own(set.domain())) {
        if (set.version() >= first_opset && set.version() <= last_opset) return;
        file_.fail("expected an opset from ", first_opset, " to ", last_opset, ", got ", set.version());
      }
    file_.fail("expected an opset from ", first_opset, " to ", last_opset, ", got none: the file is cut off");
  }

  static bool is_own(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

  static std::string quoted(const std::string& name) { return message("'", printable(name), "'"); }

  static bool is_whole(std::int64_t type) {
    using Type = proto::TensorProto;
    const auto others = {Type::UNDEFINED, Type::FLOAT, Type::DOUBLE, Type::FLOAT16, Type::BFLOAT16};
    return std::count(others.begin(), others.end(), type) == 0;
  }

  // Whether a node makes whole numbers: from whole numbers, unless it says a type.
  bool makes_whole(const proto::NodeProto& node) const {
    const std::string& op = node.op_type();
    if (op == "Shape" || op == "Size" || op == "ArgMax" || op == "ArgMin" || op == "NonZero") return true;
    for (const proto::AttributeProto& attribute : node.attribute()) {
      if (attribute.name() == "to") return is_whole(attribute.i());
      if (attribute.name() == "value") return is_whole(attribute.t().data_type());
      if (attribute.name() == "value_int" || attribute.name() == "value_ints") return true;
    }
    return op != "ConstantOfShape" && node.input_size() > 0 &&
           std::all_of(node.input().begin(), node.input().end(), [&](auto& input) { return whole_.contains(input); });
  }

  std::size_t add_value(const std::string& name, Variable value) {
    if (name.empty()) return none;
    if (!places_.emplace(name, network_->values.size()).second) file_.fail(quoted(name), " is made twice");
    network_->values.push_back(std::move(value));
    return network_->values.size() - 1;
  }

  std::size_t place(const std::string& name, const std::string& reader) const {
    if (const auto found = places_.find(name); found != places_.end()) return found->second;
    file_.fail(reader, ": nothing makes ", quoted(name),
               made_later_.contains(name) ? " before it: the nodes are out of order, or in a cycle" : "");
  }

  void add_initializer(const proto::TensorProto& tensor) {
    const std::string what = message("initializer ", quoted(tensor.name()));
    Tensor value = read_tensor(file_, tensor, what);
    const bool floating = !is_whole(tensor.data_type());
    if (!floating) whole_.insert(tensor.name());
    if (tensor.name().empty() || places_.contains(tensor.name())) file_.fail(what, ": expected a name of its own");
    try {
      add_value(tensor.name(),
                floating ? network_->place(tensor.name(), std::move(value), !statistics_.contains(tensor.name()))
                         : Variable(std::move(value)));
    } catch (const ValueError& error) {
      file_.fail(what, ": ", printable(error.what()));
    }
  }

  // All numbers are Scalars, so that nothing would be rounded to 16 bits.
  void check_type(const proto::ValueInfoProto& value, const std::string& what) const {
    using Type = proto::TensorProto;
    if (value.has_type() && !value.type().has_tensor_type())
      file_.fail(what, ": expected a tensor, got a sequence or the like");
    const int type = value.type().tensor_type().elem_type();
    if (type == Type::FLOAT16 || type == Type::BFLOAT16)
      file_.fail(what, ": expected numbers of 32 or 64 bits, got ", Type::DataType_Name(type),
                 ", which only initializers and constants may have");
  }

  void add_inputs(const proto::GraphProto& graph) {
    for (const proto::ValueInfoProto& input : graph.input()) {
      if (places_.contains(input.name())) continue;  // older files list the initializers, too
      const std::string what = message("input ", quoted(input.name()));
      if (input.name().empty()) file_.fail("expected a name of the input, got none");
      check_type(input, what);
      if (is_whole(input.type().tensor_type().elem_type())) whole_.insert(input.name());
      network_->input_names.push_back(input.name());
      add_shape(network_->from.emplace_back(Input{add_value(input.name(), Variable(zeros({})))}),
                input.type().tensor_type());
    }
    if (network_->from.empty()) file_.fail("expected an input, got none");
  }

  static void add_shape(Input& input, const proto::TypeProto_Tensor& type) {
    if (!type.has_shape()) return;
    auto& sizes = input.sizes.emplace();
    for (const auto& dimension : type.shape().dim()) {
      sizes.push_back(dimension.has_dim_value() ? static_cast<std::size_t>(dimension.dim_value()) : none);
      input.expected +=
          message(input.expected.empty() ? "(" : ", ", dimension.has_dim_value() ? std::to_string(dimension.dim_value())
                                                       : dimension.has_dim_param() ? printable(dimension.dim_param())
                                                                                   : "?");
    }
    input.expected += sizes.empty() ? "()" : ")";
  }

  void add_node(const proto::NodeProto& node) {
    Operation operation;
    const std::string what = message("node ", quoted(node.name()), " (", printable(node.op_type()), ")");
    operation.title = network_->title + ": " + what;
    const auto found = operators().find(node.op_type());
    if (!is_own(node.domain()) || found == operators().end())
      file_.fail(what, ": expected an operator that the library has, got ", quoted(node.op_type()),
                 is_own(node.domain()) ? "" : message(" of ", quoted(node.domain())));
    operation.run = &found->second;
    for (const proto::AttributeProto& attribute : node.attribute())
      if (!operation.attributes.emplace(attribute.name(), read(attribute, what)).second)
        file_.fail(what, ": attribute ", quoted(attribute.name()), " is given twice");
    if (makes_whole(node)) {
      whole_.insert(node.output().begin(), node.output().end());
      if (node.op_type() == "Div") operation.attributes.emplace(whole_numbers, std::int64_t{1});
    }
    for (const std::string& input : node.input()) operation.inputs.push_back(input.empty() ? none : place(input, what));
    if (node.output_size() == 0) file_.fail(what, ": expected an output, got none");
    if (node.op_type() != "Constant") {
      for (const std::string& output : node.output()) operation.outputs.push_back(add_value(output, {}));
      network_->operations.push_back(std::move(operation));
      return;
    }
    try {
      add_value(node.output(0), Network::apply(operation, {{}, operation.attributes})[0]);
    } catch (const std::invalid_argument& error) {
      throw DataError(error.what());
    }
  }

  Attribute read(const proto::AttributeProto& attribute, const std::string& of) {
    const std::string what = message(of, ": attribute ", quoted(attribute.name()));
    using Type = proto::AttributeProto;
    switch (attribute.type()) {
      case Type::INT:
        return attribute.i();
      case Type::FLOAT:
        return static_cast<double>(attribute.f());
      case Type::STRING:
        return attribute.s();
      case Type::TENSOR:
        return read_tensor(file_, attribute.t(), what);
      case Type::INTS:
        return Integers(attribute.ints().begin(), attribute.ints().end());
      case Type::FLOATS:
        return std::vector<double>(attribute.floats().begin(), attribute.floats().end());
      case Type::STRINGS:
        return std::vector<std::string>(attribute.strings().begin(), attribute.strings().end());
      default:
        file_.fail(what, ": expected numbers, texts or a tensor, got the type ", int{attribute.type()});
    }
  }

  InputFile& file_;
  std::unique_ptr<Network> network_ = std::make_unique<Network>();
  std::map<std::string, std::size_t> places_;
  std::set<std::string> statistics_, made_later_, whole_;
};

}  // namespace
}  // namespace onnx

std::unique_ptr<OnnxNetwork> load_onnx(const std::filesystem::path& path, LoadOptions options) {
  InputFile file("load_onnx", path, options);
  return onnx::Loader(file, message("[load_onnx] ", printable(path.string()))).load();
}

#endif

}  // namespace xgrad
