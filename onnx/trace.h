// The graph of a model's forward pass, recorded with two batches of different sizes.
#pragma once

#include <xgrad/onnx/onnx.h>

#include <unordered_map>
#include <vector>

namespace xgrad::onnx {

/// Why a library that was built without ONNX refuses.
inline constexpr const char* missing =
    "this library was built without ONNX. On Debian: apt-get install libprotobuf-dev libonnx-dev";

/// Of both graphs, which have the same operations in the same places: what stands for a sample more differs between
/// them, and so do constants that come from the input in a way that the graph does not show.
class Trace {
 public:
  /// In evaluation; the model's modes are put back. ValueError unless the examples have as many samples, an output
  /// depends on each, and both graphs have the same operations.
  Trace(nn::Module& model, const OnnxFunction& compute, const std::vector<Variable>& examples);

  const std::vector<Variable>& operations() const { return operations_; }  ///< of the first graph, in order
  const std::vector<Variable>& inputs() const { return inputs_; }
  const std::vector<Variable>& outputs() const { return outputs_; }
  /// What is in the same place of the second graph.
  const Variable& other(const Variable& value) const { return other_.at(value.node()); }
  /// The dimension in which both shapes differ, if they do; ValueError, in the name of the operation, for several.
  std::optional<std::size_t> batch_dimension(const Variable& value) const;
  /// True where this size is that of the batch in both graphs.
  bool is_batch(const Variable& value, std::size_t dimension) const;
  /// The only operation that reads a value; an empty Variable where there are several.
  Variable only_reader(const Variable& value) const;

 private:
  void pair(const Variable& one, const Variable& two);

  std::vector<Variable> inputs_, outputs_;
  std::vector<Variable> operations_;
  std::unordered_map<const xgrad::Node*, Variable> other_;
  std::unordered_map<const xgrad::Node*, Variable> reader_;  // empty for several
};

}  // namespace xgrad::onnx
