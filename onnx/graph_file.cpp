#include <xgrad/onnx/format.h>
#include <xgrad/onnx/graph_file.h>

#ifdef XGRAD_HAS_ONNX

#include <limits>

namespace xgrad::onnx {
namespace {

template <class Elements>
proto::TensorProto tensor(int type, const Shape& shape, const Elements& elements) {
  proto::TensorProto result;
  for (const std::size_t size : shape) result.add_dims(static_cast<std::int64_t>(size));
  result.set_data_type(type);
  result.set_raw_data(elements.data(), elements.size() * sizeof *elements.data());
  return result;
}

proto::TensorProto tensor(const Tensor& value) { return tensor(scalar_type, value.shape(), value); }

// How an attribute of each type is written.
struct SetValue {
  proto::AttributeProto& attribute;

  void operator()(std::int64_t value) const { attribute.set_type(attribute.INT), attribute.set_i(value); }
  void operator()(double value) const {
    attribute.set_type(attribute.FLOAT), attribute.set_f(static_cast<float>(value));
  }
  void operator()(const std::string& value) const { attribute.set_type(attribute.STRING), attribute.set_s(value); }
  void operator()(const Tensor& value) const {
    attribute.set_type(attribute.TENSOR);
    *attribute.mutable_t() = tensor(value);
  }
  void operator()(const Integers& values) const {
    attribute.set_type(attribute.INTS);
    for (const std::int64_t value : values) attribute.add_ints(value);
  }
  void operator()(const std::vector<double>& values) const {
    attribute.set_type(attribute.FLOATS);
    for (const double value : values) attribute.add_floats(static_cast<float>(value));
  }
  void operator()(const std::vector<std::string>& values) const {
    attribute.set_type(attribute.STRINGS);
    for (const std::string& value : values) attribute.add_strings(value);
  }
};

void describe(proto::ValueInfoProto& info, const GraphFile::Value& value) {
  info.set_name(value.name);
  auto& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(scalar_type);
  type.mutable_shape();  // of no dimension, where there are none
  for (std::size_t d = 0; d < value.sizes.size(); ++d) {
    auto& dimension = *type.mutable_shape()->add_dim();
    if (d == value.batch)
      dimension.set_dim_param("batch");
    else if (value.sizes[d])
      dimension.set_dim_value(static_cast<std::int64_t>(*value.sizes[d]));
  }
}

}  // namespace

struct GraphFile::Message {
  proto::ModelProto model;
  proto::GraphProto& graph = *model.mutable_graph();
};

GraphFile::GraphFile() : message_(std::make_unique<Message>()) {
  message_->model.set_ir_version(8);  // that of opset 17
  message_->model.set_producer_name("xgrad");
  message_->model.add_opset_import()->set_version(saved_opset);
  message_->graph.set_name("xgrad");
}
GraphFile::~GraphFile() = default;

std::string GraphFile::add(const std::string& op, const Names& inputs, const Options& options, std::string called) {
  for (const bool own = called.empty(); called.empty() || (own && !take(called));) {
    called = op;
    called.append("_").append(std::to_string(++count_));
  }
  proto::NodeProto& node = *message_->graph.add_node();
  node.set_name(called);
  node.set_op_type(op);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(called);
  for (const auto& [name, value] : options) {
    proto::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    std::visit(SetValue{attribute}, value);
  }
  return called;
}

std::string GraphFile::constant(const Tensor& value, const std::string& called) {
  return add("Constant", {}, {{"value", value}}, called);
}

std::string GraphFile::integers(const Integers& numbers, const Shape& shape) {
  std::string& known = integers_[{Integers(shape.begin(), shape.end()), numbers}];
  if (!known.empty()) return known;
  known = constant(zeros({}));
  auto& node = *message_->graph.mutable_node(message_->graph.node_size() - 1);
  *node.mutable_attribute(0)->mutable_t() = tensor(proto::TensorProto::INT64, shape, numbers);
  return known;
}

std::string GraphFile::write(const Names& results, const std::vector<Value>& inputs, const std::vector<Value>& outputs,
                             const std::vector<std::pair<std::string, Tensor>>& weights) {
  proto::GraphProto& graph = message_->graph;
  std::set<std::string> read;
  for (const proto::NodeProto& node : graph.node()) read.insert(node.input().begin(), node.input().end());
  std::map<std::string, int> makers;
  for (int i = 0; i < graph.node_size(); ++i) makers.emplace(graph.node(i).output(0), i);
  for (std::size_t i = 0; i < results.size(); ++i) {
    // Where nobody reads it, only the node that makes it knows its name, and an output takes that node once.
    const auto maker = makers.find(results[i]);
    const bool free = read.insert(results[i]).second && maker != makers.end();
    if (!free) add("Identity", {results[i]});
    graph.mutable_node(free ? maker->second : graph.node_size() - 1)->set_output(0, outputs[i].name);
  }
  for (const auto& [name, value] : weights) {
    if (!read.contains(name)) continue;
    proto::TensorProto& initializer = *graph.add_initializer() = tensor(value);
    initializer.set_name(name);
  }
  for (const Value& input : inputs) describe(*graph.add_input(), input);
  for (const Value& output : outputs) describe(*graph.add_output(), output);
  std::string bytes;
  if (message_->model.ByteSizeLong() > std::numeric_limits<int>::max() || !message_->model.SerializeToString(&bytes))
    throw ValueError("[save_onnx] expected at most 2 GB, got more");
  return bytes;
}

}  // namespace xgrad::onnx

#endif
