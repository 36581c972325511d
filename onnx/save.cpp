#include <xgrad/autograd/shapes.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/onnx/graph_file.h>
#include <xgrad/onnx/one_to_one.h>
#include <xgrad/onnx/onnx.h>
#include <xgrad/onnx/trace.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace xgrad {

#ifndef XGRAD_HAS_ONNX

void save_onnx(nn::Module&, const OnnxFunction&, const std::vector<Variable>&, const std::filesystem::path& path,
               const OnnxOptions&) {
  throw DataError(message("[save_onnx] ", printable(path.string()), ": ", onnx::missing));
}

#else

namespace onnx {
namespace {

constexpr std::int64_t to_the_end = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t zero = 0, one = 1, whole_type = 7, boolean_type = 9;  // of elements, as ONNX numbers them

Integers whole(const std::vector<double>& numbers) { return Integers(numbers.begin(), numbers.end()); }

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.size() * sizeof(Scalar)) == 0;
}

class Writer {
 public:
  using Names = GraphFile::Names;
  Writer(const Trace& trace, const nn::Module& model, const OnnxOptions& options);
  std::string write();

 private:
  template <class... Parts>
  [[noreturn]] void refuse(const Variable& y, const Parts&... parts) const {
    throw ValueError(message("[save_onnx] '", y.operation(), "' ", y.shape(), ": expected ", parts...));
  }

  // The name of a value: of an operation that was translated, the input, a parameter, or a constant that is added now.
  std::string name(const Variable& value);
  Names names(const Variable& y);
  std::string statistics(const Variable& value);
  std::string constant(const Variable& value);
  std::string expand(const std::string& x, const Variable& y);
  std::string reshape(const std::string& x, const Variable& y);
  std::vector<GraphFile::Value> described(const Names& called, const std::vector<Variable>& values) const;

  // An attribute that is the same for every batch.
  const std::vector<double>& fixed(const Variable& y, const char* attribute) const;
  Integers numbers(const Variable& y, const char* attribute) const { return whole(fixed(y, attribute)); }
  std::int64_t first(const Variable& y, const char* attribute) const { return numbers(y, attribute).at(0); }

  std::string translate(const Variable& y);
  std::string product(const Variable& y);
  std::string slice_of(const Variable& y);
  std::string padding(const Variable& y);
  std::string batch_normalization(const Variable& y);
  std::string normalization(const Variable& y);
  std::string positions(const Variable& y);

  const Trace& trace_;
  const OnnxOptions& options_;
  GraphFile file_;
  std::vector<std::pair<std::string, Tensor> > weights_;
  std::map<const xgrad::Node*, std::string> names_, buffers_;
  std::string batch_size_;  // the name of that value
};

Writer::Writer(const Trace& trace, const nn::Module& model, const OnnxOptions& options)
    : trace_(trace), options_(options) {
  if (options.inputs.size() != trace.inputs().size() || options.outputs.size() != trace.outputs().size())
    throw ValueError(message("[save_onnx] expected names of ", trace.inputs().size(), " inputs and ",
                             trace.outputs().size(), " outputs, got ", options.inputs.size(), " and ",
                             options.outputs.size()));
  for (const Names& names : {options.inputs, options.outputs})
    for (const std::string& called : names)
      if (called.empty() || !file_.take(called))
        throw ValueError(message("[save_onnx] expected another name for each input and output, got '",
                                 printable(called), called.empty() ? "'" : "' twice"));
  for (const bool trained : {true, false})
    for (const auto& [called, leaf] : trained ? model.parameters() : model.buffers()) {
      if (!file_.take(called))
        throw ValueError(message("[save_onnx] expected names of input and output that no parameter has, got '",
                                 printable(called), "'"));
      (trained ? names_ : buffers_).emplace(leaf.node(), called);
      if (trained) weights_.emplace_back(called, leaf.value());
    }
  for (std::size_t i = 0; i < options.inputs.size(); ++i) names_[trace.inputs()[i].node()] = options.inputs[i];
}

std::string Writer::write() {
  for (const Variable& y : trace_.operations())
    if (!names_.contains(y.node())) names_[y.node()] = translate(y);
  Names results;
  for (const Variable& output : trace_.outputs()) results.push_back(name(output));
  return file_.write(results, described(options_.inputs, trace_.inputs()),
                     described(options_.outputs, trace_.outputs()), weights_);
}

std::vector<GraphFile::Value> Writer::described(const Names& called, const std::vector<Variable>& values) const {
  std::vector<GraphFile::Value> all;
  for (const Variable& value : values) {
    const Shape& shape = value.shape();
    auto& described_value =
        all.emplace_back(GraphFile::Value{called[all.size()], {shape.begin(), shape.end()}, shape.size()});
    const auto d = trace_.batch_dimension(value);
    if (d) described_value.sizes[*d] = {};
    if (d && trace_.is_batch(value, *d)) described_value.batch = *d;
  }
  return all;
}

const std::vector<double>& Writer::fixed(const Variable& y, const char* attribute) const {
  const auto found = y.attributes().find(attribute), other = trace_.other(y).attributes().find(attribute);
  if (found == y.attributes().end()) refuse(y, "an attribute '", attribute, "', got none");
  if (found->second != other->second) refuse(y, "the same ", attribute, " for every batch, got others");
  return found->second;
}

std::string Writer::name(const Variable& value) {
  if (const auto found = names_.find(value.node()); found != names_.end()) return found->second;
  const auto buffer = buffers_.find(value.node());
  return names_[value.node()] =
             buffer != buffers_.end() ? file_.constant(value.value(), buffer->second) : constant(value);
}

GraphFile::Names Writer::names(const Variable& y) {
  Names result;
  for (const Variable& input : y.inputs()) result.push_back(input ? name(input) : "");
  while (!result.empty() && result.back().empty()) result.pop_back();
  return result;
}

// A mean or a variance: where it is a buffer it is a weight of the file.
std::string Writer::statistics(const Variable& value) {
  const auto buffer = buffers_.find(value.node());
  if (buffer == buffers_.end() || names_.contains(value.node())) return name(value);
  weights_.emplace_back(buffer->second, value.value());
  return names_[value.node()] = buffer->second;
}

// One that is the same for each sample is written once, and repeated by as many samples as the input has.
std::string Writer::constant(const Variable& value) {
  const Tensor &all = value.value(), &others = trace_.other(value).value();
  const std::optional<std::size_t> d = trace_.batch_dimension(value);
  if (!d && same_bits(all, others)) return file_.constant(all);
  if (d && trace_.is_batch(value, *d)) {
    const NoGrad no_grad;
    const Tensor sample = slice(value, static_cast<std::ptrdiff_t>(*d), 0, 1).value();
    if (same_bits(broadcast_to(sample, all.shape()), all) && same_bits(broadcast_to(sample, others.shape()), others))
      return expand(file_.constant(sample), value);
  }
  throw ValueError(message("[save_onnx] expected constants that are the same for every batch, got one of shape ",
                           value.shape(), " that is computed from the input outside of the graph"));
}

std::string Writer::expand(const std::string& x, const Variable& y) {
  const std::optional<std::size_t> d = trace_.batch_dimension(y);
  const Integers sizes(y.shape().begin(), y.shape().end());
  if (!d) return file_.add("Expand", {x, file_.integers(sizes)});
  if (!trace_.is_batch(y, *d)) refuse(y, "a broadcast to the batch's size, got one to another that follows it");
  if (batch_size_.empty()) batch_size_ = file_.add("Shape", {options_.inputs[0]}, {{"start", zero}, {"end", one}});
  const auto at = sizes.begin() + static_cast<std::ptrdiff_t>(*d);
  Names parts;
  if (at != sizes.begin()) parts.push_back(file_.integers(Integers(sizes.begin(), at)));
  parts.push_back(batch_size_);
  if (at + 1 != sizes.end()) parts.push_back(file_.integers(Integers(at + 1, sizes.end())));
  return file_.add("Expand", {x, parts.size() == 1 ? batch_size_ : file_.add("Concat", parts, {{"axis", zero}})});
}

// -1 stands for what follows the batch.
std::string Writer::reshape(const std::string& x, const Variable& y) {
  Integers sizes(y.shape().begin(), y.shape().end());
  if (std::count(sizes.begin(), sizes.end(), 0) > 0) refuse(y, "no size of 0");
  if (const auto d = trace_.batch_dimension(y)) sizes[*d] = -1;
  return file_.add("Reshape", {x, file_.integers(sizes)});
}

// Two matrices in one operator; of batches of them the last two axes are swapped first.
std::string Writer::product(const Variable& y) {
  Names inputs = names(y);
  const std::int64_t flags[] = {first(y, "transA"), first(y, "transB")};
  if (flags[0] + flags[1] > 0 && y.input(0).shape().size() == 2 && y.input(1).shape().size() == 2) {
    GraphFile::Options options;  // those that are not 0, as of an operation that has no other
    if (flags[0] > 0) options["transA"] = one;
    if (flags[1] > 0) options["transB"] = one;
    return file_.add("Gemm", inputs, options);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    if (flags[i] == 0) continue;
    Integers order = axes_from(0, y.input(i).shape());
    std::swap(order[order.size() - 1], order[order.size() - 2]);
    inputs[i] = file_.add("Transpose", {inputs[i]}, {{"perm", order}});
  }
  return file_.add("MatMul", inputs);
}

// What reaches to the end of an axis in both graphs does so for every batch.
std::string Writer::slice_of(const Variable& y) {
  const Integers axes = numbers(y, "axes");
  const auto reaches_end = [&](const Variable& v) {
    return v.attributes().at("ends")[0] == static_cast<double>(v.input(0).shape()[static_cast<std::size_t>(axes[0])]);
  };
  const bool open = reaches_end(y) && reaches_end(trace_.other(y));
  const std::string starts = file_.integers(numbers(y, "starts"));
  const bool backwards = !open && numbers(y, "ends")[0] < 0;  // to the first element: -1 would be the last one
  const std::string ends = file_.integers(open        ? Integers{to_the_end}
                                          : backwards ? Integers{-to_the_end}
                                                      : numbers(y, "ends"));
  Names inputs = {name(y.input(0)), starts, ends, file_.integers(axes)};
  if (y.attributes().contains("steps")) inputs.push_back(file_.integers(numbers(y, "steps")));
  return file_.add("Slice", inputs);
}

std::string Writer::padding(const Variable& y) {
  const auto axis = static_cast<std::size_t>(first(y, "axes"));
  const Integers sides = numbers(y, "pads");
  Integers pads(2 * y.shape().size(), 0);
  pads[axis] = sides[0], pads[axis + y.shape().size()] = sides[1];
  return file_.add("Pad", {name(y.input(0)), file_.integers(pads)});
}

std::string Writer::batch_normalization(const Variable& y) {
  const Shape channels = {y.shape()[1]};
  const std::string x = name(y.input(0)), weight = y.input(1) ? name(y.input(1)) : file_.constant(ones(channels));
  const std::string bias = y.input(2) ? name(y.input(2)) : file_.constant(zeros(channels));
  return file_.add("BatchNormalization", {x, weight, bias, statistics(y.input(3)), statistics(y.input(4))},
                   {{"epsilon", fixed(y, "epsilon")[0]}});
}

// Over the last axes it is one operator, with the weight and the bias that follow. Over groups of channels these are
// the last axis of another shape.
std::string Writer::normalization(const Variable& y) {
  const Variable& x = y.input(0);
  const Shape& shape = x.shape();
  const auto inner = static_cast<std::size_t>(first(y, "inner"));
  if (first(y, "outer") != 1 || y.input(1) || y.input(2)) refuse(y, "statistics of a sample, got those of a batch");
  const double epsilon = fixed(y, "epsilon")[0];
  std::size_t axis = shape.size(), width = 1;
  while (axis > 1 && width < inner) width *= shape[--axis];
  if (width != inner || axis == shape.size()) {
    const std::size_t groups = y.size() / (shape[0] * inner);
    if (groups * shape[0] * inner != y.size()) refuse(y, "groups of channels, got groups across samples");
    const Integers flat = {-1, static_cast<std::int64_t>(groups), static_cast<std::int64_t>(inner)};
    const std::string in_groups = file_.add("Reshape", {name(x), file_.integers(flat)});
    return reshape(file_.add("LayerNormalization", {in_groups, file_.constant(ones({inner}))},
                             {{"axis", std::int64_t{2}}, {"epsilon", epsilon}}),
                   y);
  }
  const Shape last(shape.begin() + static_cast<std::ptrdiff_t>(axis), shape.end());
  Names inputs = {name(x)};
  std::vector<Variable> parts = {y};
  for (const char* next : {"multiply", "add"}) {
    const Variable reader = trace_.only_reader(parts.back());
    if (!reader || reader.operation() != next || reader.input(0).node() != parts.back().node() ||
        reader.input(1).shape() != last || !reader.input(1).operation().empty())
      break;
    inputs.push_back(name(reader.input(1)));
    parts.push_back(reader);
  }
  if (inputs.size() == 1) inputs.push_back(file_.constant(ones(last)));
  const std::string output =
      file_.add("LayerNormalization", inputs, {{"axis", static_cast<std::int64_t>(axis)}, {"epsilon", epsilon}});
  for (const Variable& part : parts) names_[part.node()] = output;
  return output;
}

// Rows and elements at positions: constant ones, or for rows those that a value of the graph has.
std::string Writer::positions(const Variable& y) {
  const Variable& x = y.input(0);
  if (y.operation() == "take_rows") {
    const auto rank = static_cast<std::ptrdiff_t>(x.shape().size() - 1);
    const std::string rows =
        y.input(1) ? file_.add("Cast", {name(y.input(1))}, {{"to", whole_type}})
                   : file_.integers(numbers(y, "indices"), Shape(y.shape().begin(), y.shape().end() - rank));
    return file_.add("Gather", {name(x), rows}, {{"axis", zero}});
  }
  const bool reads = y.operation() == "gather";
  const std::string at = file_.integers(numbers(y, "indices"), reads ? y.shape() : y.input(1).shape());
  if (reads) return file_.add("GatherElements", {name(x), at}, {{"axis", first(y, "axis")}});
  return file_.add("ScatterElements", {name(x), at, name(y.input(1))},
                   {{"axis", first(y, "axis")}, {"reduction", std::string("add")}});
}

std::string Writer::translate(const Variable& y) {
  if (const auto found = same_operators().find(y.operation()); found != same_operators().end())
    return file_.add(found->second, names(y));
  const auto& rows = operators_with_options();
  if (const auto found = rows.find(y.operation()); found != rows.end()) {
    GraphFile::Options options;
    for (const char* list : found->second.lists) options[list] = numbers(y, list);
    for (const char* integer : found->second.integers) options[integer] = first(y, integer);
    if (y.operation().starts_with("conv2d")) {
      const Shape& kernel = y.input(1).shape();
      options["kernel_shape"] = Integers(kernel.begin() + 2, kernel.end());
    }
    for (const char* real : found->second.reals) options[real] = fixed(y, real)[0];
    return file_.add(found->second.op, names(y), options);
  }
  const std::string_view operation = y.operation();
  const auto x = [&](std::size_t input = 0) { return name(y.input(input)); };
  if (operation == "square") return file_.add("Mul", {x(), x()});
  if (operation == "log1p") return file_.add("Log", {file_.add("Add", {file_.number(1), x()})});
  if (operation == "expm1") return file_.add("Sub", {file_.add("Exp", {x()}), file_.number(1)});
  if (operation == "pow")
    return file_.add("Pow", {x(), y.inputs().size() == 2 ? x(1) : file_.number(fixed(y, "exponent")[0])});
  if (operation == "clamp" || operation == "hardtanh")
    return file_.add("Clip", {x(), file_.number(fixed(y, "min")[0]), file_.number(fixed(y, "max")[0])});
  if (operation == "where") return file_.add("Where", {file_.add("Cast", {x(2)}, {{"to", boolean_type}}), x(0), x(1)});
  if (operation == "sum")
    return file_.add("ReduceSum", {x(), file_.integers(numbers(y, "axes"))}, {{"keepdims", first(y, "keepdims")}});
  if (operation == "linear") return file_.add("Gemm", names(y), {{"transB", one}});
  if (operation == "matmul") return product(y);
  if (operation == "reshape") return reshape(x(), y);
  if (operation == "broadcast_to") return expand(x(), y);
  if (operation == "slice") return slice_of(y);
  if (operation == "cumsum")
    return file_.add("CumSum", {x(), file_.integers(numbers(y, "axis"), Shape{})}, {{"reverse", first(y, "reverse")}});
  if (operation == "unslice" && y.attributes().contains("pads")) return padding(y);
  if (operation == "batch_norm") return batch_normalization(y);
  if (operation == "normalize") return normalization(y);
  if (operation == "take_rows" || operation == "gather" || operation == "scatter_add") return positions(y);
  refuse(y, "an operation that operators of ONNX can be written for");
}

}  // namespace
}  // namespace onnx

void save_onnx(nn::Module& model, const OnnxFunction& compute, const std::vector<Variable>& examples,
               const std::filesystem::path& path, const OnnxOptions& options) {
  const onnx::Trace trace(model, compute, examples);
  const std::string bytes = onnx::Writer(trace, model, options).write();
  ReplacementFile file(path);
  file.write(bytes);
  file.commit();
}

#endif

}  // namespace xgrad
