// Networks in ONNX's files (onnx.ai), which other programs run and edit: out to them, and in from them.
#pragma once

#include <xgrad/core/file.h>
#include <xgrad/nn/module.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace xgrad {

struct OnnxOptions {
  std::vector<std::string> inputs = {"input"}, outputs = {"output"};  ///< what the file calls them
};

/// What a model of several inputs or outputs computes.
///
///   save_onnx(model, [&](const auto& in) { return std::vector{model.attend(in[0], in[1], in[1])}; }, {query, key},
///             "attention.onnx", {.inputs = {"query", "key"}});
using OnnxFunction = std::function<std::vector<Variable>(const std::vector<Variable>& inputs)>;

/// Writes what a model computes in evaluation, in operators of opset 17, with its weights: parameters keep their names.
/// The file is there whole or not at all: see ReplacementFile. The first dimension of the examples, (batch, …), is
/// free in the file, and so is that of the outputs. The model's modes are put back.
///
/// The graph is recorded twice, with batches of different sizes: what differs is the batch. ValueError, with the
/// operation, for one that ONNX does not have, for a number or a shape that follows the batch in a way that cannot be
/// written, and for a constant that is computed from the input outside of the graph. Also for examples without
/// samples or of other batches than the first one's, an input on which no output depends, anything but a name of its
/// own for each input and output, and more than 2 GB. DataError where the file cannot be written, or the library was
/// built without ONNX (XGRAD_USE_ONNX).
///
/// Normalizations are one operator each; cells of recurrent layers, gelu and the like are what they are made of. ONNX
/// keeps the options of an operator, such as epsilon, in single precision.
void save_onnx(nn::Module& model, const OnnxFunction& compute, const std::vector<Variable>& examples,
               const std::filesystem::path& path, const OnnxOptions& options);

/// The same of model(x).
inline void save_onnx(nn::Module& model, const Variable& example, const std::filesystem::path& path,
                      const OnnxOptions& options = {}) {
  save_onnx(
      model, [&](const auto& inputs) { return std::vector{model(inputs[0])}; }, {example}, path, options);
}

/// A network from a file.
class OnnxNetwork : public nn::Module {
 public:
  /// The outputs, in the order of the file, from the inputs in that order. ValueError for another number of inputs,
  /// ShapeError for another shape than the file says, and the errors of operations with the name of the node.
  virtual std::vector<Variable> run(const std::vector<Variable>& inputs) const = 0;
  virtual const std::vector<std::string>& inputs() const = 0;  ///< their names
  virtual const std::vector<std::string>& outputs() const = 0;
  /// Of a network with one input and one output: ValueError for others.
  Variable forward(const Variable& x) override;
};

/// A network that computes what the file says. Its parameters are the file's initializers of floating point, under
/// their names, so that it can be trained on, and saved again; the statistics of batch normalizations are buffers, and
/// everything else is a constant. Batch normalization and dropout stay as in evaluation. Opsets 13 to 23, and the
/// operators of onnx/operators.h. FLOAT16 and BFLOAT16 may be types of initializers and constants, which become Scalar,
/// and of nothing else.
///
/// DataError, with the file and the node, for a file that is damaged, for what is unknown (operator, opset, type of
/// elements), for elements in other files, for numbers that Scalar does not hold exactly, and for an input that no
/// earlier node makes; and where the library was built without ONNX.
std::unique_ptr<OnnxNetwork> load_onnx(const std::filesystem::path& path, LoadOptions options = {});

}  // namespace xgrad
