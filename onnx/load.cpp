#include <xgrad/core/elements.h>
#include <xgrad/onnx/format.h>
#include <xgrad/onnx/onnx.h>
#include <xgrad/onnx/operators.h>
#include <xgrad/onnx/trace.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <set>

namespace xgrad {

#ifndef XGRAD_HAS_ONNX

std::unique_ptr<nn::Module> load_onnx(const std::filesystem::path& path, LoadOptions options) {
  InputFile("load_onnx", path, options).fail(onnx::missing);
}

#else

namespace onnx {
namespace {

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

// Modules that only have names: parameter "fc1.weight" is "weight" of the part "fc1".
struct Part : nn::Module {
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
};

struct Operation {
  std::string title;  // in errors
  const Operator* run;
  std::map<std::string, Attribute> attributes;
  std::vector<std::size_t> inputs, outputs;  // places of values; none for one that is left out
};

// Its values have places, in which parameters and constants are already.
struct Network : Part {
  Variable forward(const Variable& x) override {
    const Shape& shape = x.shape();
    bool fits = !sizes || sizes->size() == shape.size();
    for (std::size_t d = 0; fits && sizes && d < shape.size(); ++d)
      fits = (*sizes)[d] == none || (*sizes)[d] == shape[d];
    if (!fits) throw ShapeError(message(title, ": expected an input of ", expected_input, ", got ", shape));
    std::vector<Variable> all = values;
    all[input] = x;
    for (const Operation& operation : operations) {
      Node node{{}, operation.attributes, operation.outputs.size()};
      for (const std::size_t place : operation.inputs) node.inputs.push_back(place == none ? Variable() : all[place]);
      const Outputs made = run(operation, node);
      if (made.size() < operation.outputs.size())
        throw DataError(
            message(operation.title, ": expected at most ", made.size(), " outputs, got ", operation.outputs.size()));
      for (std::size_t i = 0; i < operation.outputs.size(); ++i)
        if (operation.outputs[i] != none) all[operation.outputs[i]] = made[i];
    }
    return all[output];
  }

  static Outputs run(const Operation& operation, const Node& node) {
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

  std::string title, expected_input;
  std::optional<std::vector<std::size_t> > sizes;  // of the input, where the file says them; none for a free one
  std::vector<Variable> values;
  std::vector<Operation> operations;
  std::size_t input = none, output = none;
};

class Loader {
 public:
  explicit Loader(InputFile& file, std::string shown) : file_(file) { network_->title = std::move(shown); }

  std::unique_ptr<nn::Module> load() {
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
    add_input(graph);
    for (const proto::NodeProto& node : graph.node())
      for (const std::string& output : node.output()) made_later_.insert(output);
    for (const proto::NodeProto& node : graph.node()) add_node(node);
    if (graph.output_size() != 1) file_.fail("expected one output, got ", graph.output_size());
    const proto::ValueInfoProto& output = graph.output(0);
    refuse_short(message("output ", quoted(output.name())), output.type().tensor_type().elem_type());
    network_->output = place(output.name(), "the output");
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

  static bool is_short(int type) { return type == proto::TensorProto::FLOAT16 || type == proto::TensorProto::BFLOAT16; }
  // What is only kept in 16 bits is read. What would be computed in them would have other roundings here.
  void refuse_short(const std::string& what, int type) const {
    if (is_short(type))
      file_.fail(what, ": expected numbers of 32 or 64 bits, got ",
                 proto::TensorProto::DataType_Name(static_cast<proto::TensorProto::DataType>(type)));
  }

  void add_initializer(const proto::TensorProto& tensor) {
    const std::string what = message("initializer ", quoted(tensor.name()));
    Tensor value = read(tensor, what);
    const int type = tensor.data_type();
    const bool floating = type == proto::TensorProto::FLOAT || type == proto::TensorProto::DOUBLE || is_short(type);
    if (tensor.name().empty() || places_.contains(tensor.name())) file_.fail(what, ": expected a name of its own");
    try {
      add_value(tensor.name(),
                floating ? network_->place(tensor.name(), std::move(value), !statistics_.contains(tensor.name()))
                         : Variable(std::move(value)));
    } catch (const ValueError& error) {
      file_.fail(what, ": ", printable(error.what()));
    }
  }

  void add_input(const proto::GraphProto& graph) {
    const proto::ValueInfoProto* only = nullptr;  // older files list the initializers, too
    for (const proto::ValueInfoProto& input : graph.input()) {
      if (places_.contains(input.name())) continue;
      if (only) file_.fail("expected one input, got ", quoted(only->name()), " and ", quoted(input.name()));
      only = &input;
    }
    if (!only || only->name().empty()) file_.fail("expected an input, got none");
    network_->input = add_value(only->name(), Variable(zeros({})));
    const proto::TypeProto_Tensor& type = only->type().tensor_type();
    refuse_short(message("input ", quoted(only->name())), type.elem_type());
    if (!type.has_shape()) return;
    auto& sizes = network_->sizes.emplace();
    for (const auto& dimension : type.shape().dim()) {
      sizes.push_back(dimension.has_dim_value() ? static_cast<std::size_t>(dimension.dim_value()) : none);
      network_->expected_input += message(network_->expected_input.empty() ? "(" : ", ",
                                          dimension.has_dim_value()   ? std::to_string(dimension.dim_value())
                                          : dimension.has_dim_param() ? printable(dimension.dim_param())
                                                                      : "?");
    }
    network_->expected_input += sizes.empty() ? "()" : ")";
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
    for (const std::string& input : node.input()) operation.inputs.push_back(input.empty() ? none : place(input, what));
    if (node.output_size() == 0) file_.fail(what, ": expected an output, got none");
    if (node.op_type() != "Constant") {
      for (const std::string& output : node.output()) operation.outputs.push_back(add_value(output, {}));
      network_->operations.push_back(std::move(operation));
      return;
    }
    try {
      add_value(node.output(0), Network::run(operation, {{}, operation.attributes})[0]);
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
        refuse_short(what, attribute.t().data_type());
        return read(attribute.t(), what);
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

  Tensor read(const proto::TensorProto& tensor, const std::string& what) {
    if (tensor.data_location() == proto::TensorProto::EXTERNAL || tensor.external_data_size() > 0)
      file_.fail(what, ": expected its elements in this file, got the name of another one");
    if (tensor.has_segment()) file_.fail(what, ": expected a whole tensor, got a segment");
    Shape shape;
    std::uintmax_t count = 1;
    for (const std::int64_t size : tensor.dims()) {
      if (size < 0) file_.fail(what, ": expected a shape, got the size ", size);
      const auto next = static_cast<std::uintmax_t>(size);
      if (next > 0 && count > file_.size() / next)  // an element takes a byte or more
        file_.fail(what, ": expected elements for its shape, got fewer bytes");
      count *= next;
      shape.push_back(next);
    }
    file_.claim(count * sizeof(Scalar));
    Tensor result = uninitialized(shape, "load_onnx");
    using Type = proto::TensorProto;
    switch (tensor.data_type()) {
      case Type::FLOAT:
        fill<float>(tensor, tensor.float_data(), result, what);
        break;
      case Type::DOUBLE:
        fill<double>(tensor, tensor.double_data(), result, what);
        break;
      case Type::FLOAT16:
        fill<elements::Half>(tensor, tensor.int32_data(), result, what);
        break;
      case Type::BFLOAT16:
        fill<elements::BrainFloat>(tensor, tensor.int32_data(), result, what);
        break;
      case Type::INT64:
        fill<std::int64_t>(tensor, tensor.int64_data(), result, what);
        break;
      case Type::INT32:
        fill<std::int32_t>(tensor, tensor.int32_data(), result, what);
        break;
      case Type::INT8:
        fill<std::int8_t>(tensor, tensor.int32_data(), result, what);
        break;
      case Type::UINT8:
      case Type::BOOL:
        fill<std::uint8_t>(tensor, tensor.int32_data(), result, what);
        break;
      default:
        file_.fail(what,
                   ": expected FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT64, INT32, INT8, UINT8 or BOOL, got the type ",
                   tensor.data_type());
    }
    return result;
  }

  // The elements are bytes, or in a list of their own type or a wider one: the bits of those of 16 as whole numbers.
  template <class Element, class List>
  void fill(const proto::TensorProto& tensor, const List& list, Tensor& to, const std::string& what) const {
    const bool raw = tensor.has_raw_data();
    const std::size_t expected = raw ? to.size() * sizeof(Element) : to.size();
    const std::size_t got = raw ? tensor.raw_data().size() : static_cast<std::size_t>(list.size());
    if (got != expected)
      file_.fail(what, ": expected ", expected, raw ? " bytes" : " elements", " for ", to.shape(), ", got ", got);
    Scalar* next = to.data();
    if (raw) {
      elements::for_each_number<Element>(tensor.raw_data().data(), to.size(),
                                         [&](auto number) { *next++ = exact(number, what); });
      return;
    }
    for (const auto number : list)
      if constexpr (std::is_class_v<Element>) {
        if (number < 0 || number > UINT16_MAX) file_.fail(what, ": expected 16 bits for an element, got ", number);
        *next++ = exact(Element{static_cast<std::uint16_t>(number)}.number(), what);
      } else {
        *next++ = exact(number, what);
      }
  }

  template <class Element>
  Scalar exact(Element element, const std::string& what) const {
    const auto number = static_cast<double>(element);
    // As the end of a slice, the greatest of all numbers mean "to the end", however they are rounded.
    const bool far = std::is_same_v<Element, std::int64_t> && std::abs(number) >= 0x1p62;
    const bool within = !std::isfinite(number) || std::abs(number) <= std::numeric_limits<Scalar>::max();
    const auto value = static_cast<Scalar>(within ? element : Element());
    if (std::isnan(number) || far || (within && static_cast<long double>(value) == static_cast<long double>(element)))
      return value;
    file_.fail(what, ": expected numbers that ", sizeof(Scalar) == 4 ? "float" : "double", " holds exactly, got ",
               number);
  }

  InputFile& file_;
  std::unique_ptr<Network> network_ = std::make_unique<Network>();
  std::map<std::string, std::size_t> places_;
  std::set<std::string> statistics_, made_later_;
};

}  // namespace
}  // namespace onnx

std::unique_ptr<nn::Module> load_onnx(const std::filesystem::path& path, LoadOptions options) {
  InputFile file("load_onnx", path, options);
  return onnx::Loader(file, message("[load_onnx] ", printable(path.string()))).load();
}

#endif

}  // namespace xgrad
