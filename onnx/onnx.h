// Networks in ONNX's files (onnx.ai), which other programs run and edit: out to them, and in from them.
#pragma once

#include <xgrad/core/file.h>
#include <xgrad/nn/module.h>

#include <filesystem>
#include <memory>
#include <string>

namespace xgrad {

struct OnnxOptions {
  std::string input = "input", output = "output";  ///< what the file calls them
};

/// Writes what a model computes in evaluation, in operators of opset 17, with its weights: parameters keep their names.
/// The file is there whole or not at all: see ReplacementFile. The first dimension of the example, which is an input of
/// the model, (batch, …), is free in the file, and so is that of the output. The model's modes are put back.
///
/// The graph is recorded twice, with batches of different sizes: what differs is the batch. ValueError, with the
/// operation, for one that ONNX does not have, for a number or a shape that follows the batch in a way that cannot be
/// written, and for a constant that is computed from the input outside of the graph. Also for an example without
/// samples, names that are empty or taken by a parameter, and more than 2 GB. DataError where the file cannot be
/// written, or the library was built without ONNX (XGRAD_USE_ONNX).
///
/// Normalizations are one operator each; cells of recurrent layers, gelu and the like are what they are made of. ONNX
/// keeps the options of an operator, such as epsilon, in single precision.
void save_onnx(nn::Module& model, const Variable& example, const std::filesystem::path& path,
               const OnnxOptions& options = {});

/// A network that computes what the file says, for one input and one output. Its parameters are the file's initializers
/// of floating point, under their names, so that it can be trained on, and saved again; the statistics of batch
/// normalizations are buffers, and everything else is a constant. Batch normalization and dropout stay as in
/// evaluation. Opsets 13 to 23, and the operators of onnx/operators.h. Initializers of 16 bits (FLOAT16, BFLOAT16), which
/// a file casts to FLOAT where it reads them, are converted; nothing is computed in 16 bits.
///
/// DataError, with the file and the node, for a file that is damaged, for what is unknown (operator, opset, type of
/// elements), for elements in other files, for numbers that Scalar does not hold exactly, and for an input that no
/// earlier node makes; and where the library was built without ONNX. forward() throws ShapeError for an input of
/// another shape than the file says, and the errors of operations with the name of the node.
std::unique_ptr<nn::Module> load_onnx(const std::filesystem::path& path, LoadOptions options = {});

}  // namespace xgrad
