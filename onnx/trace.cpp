#include <xgrad/autograd/node.h>
#include <xgrad/core/errors.h>
#include <xgrad/onnx/trace.h>

#include <algorithm>

namespace xgrad::onnx {
namespace {

struct Recording : NoGrad {
  Recording() : NoGrad(true) {}
};

// The samples in the opposite order, and the last of these twice.
Tensor another_batch(const Tensor& example) {
  Shape shape = example.shape();
  const std::size_t rows = shape[0]++, width = example.size() / rows;
  Tensor result = uninitialized(shape, "save_onnx");
  for (std::size_t row = 0; row <= rows; ++row)
    std::copy_n(example.data() + (rows - 1 - std::min(row, rows - 1)) * width, width, result.data() + row * width);
  return result;
}

}  // namespace

Trace::Trace(nn::Module& model, const OnnxFunction& compute, const std::vector<Variable>& examples) {
  if (examples.empty()) throw ValueError("[save_onnx] expected an example for each input, got none");
  std::vector<Variable> second;
  for (const Variable& example : examples) {
    if (example.shape().empty() || example.size() == 0 || example.shape()[0] != examples[0].shape()[0])
      throw ValueError(message("[save_onnx] expected an example (batch, …)", second.empty() ? "" : " of the same batch",
                               ", got ", example.shape()));
    // Only what depends on a Variable that requires a gradient is recorded.
    inputs_.emplace_back(example.value(), true);
    second.emplace_back(another_batch(example.value()), true);
  }
  const Recording recording;
  const nn::EvaluationMode evaluation(model);
  outputs_ = compute(inputs_);
  const std::vector<Variable> second_outputs = compute(second);
  if (outputs_.empty() || outputs_.size() != second_outputs.size())
    throw ValueError(message("[save_onnx] expected the same number of outputs for every batch, from 1 on, got ",
                             outputs_.size(), " and ", second_outputs.size()));
  for (std::size_t i = 0; i < outputs_.size(); ++i) pair(outputs_[i], second_outputs[i]);
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    if (const auto found = other_.find(inputs_[i].node());
        found == other_.end() || found->second.node() != second[i].node())
      throw ValueError(message("[save_onnx] expected an output that depends on the input, got none for input ", i));
  std::sort(operations_.begin(), operations_.end(),
            [](const Variable& a, const Variable& b) { return a.node()->number < b.node()->number; });
}

void Trace::pair(const Variable& one, const Variable& two) {
  std::vector<std::pair<Variable, Variable>> pending = {{one, two}};
  while (!pending.empty()) {
    const auto [a, b] = std::move(pending.back());
    pending.pop_back();
    const auto [found, inserted] = other_.try_emplace(a.node(), b);
    if (a.operation() != b.operation() || a.inputs().size() != b.inputs().size() ||
        a.shape().size() != b.shape().size() || found->second.node() != b.node())
      throw ValueError(message("[save_onnx] expected the same operations for every batch, got '", a.operation(), "' ",
                               a.shape(), " for one and '", b.operation(), "' ", b.shape(), " for another"));
    if (!inserted || a.operation().empty()) continue;
    operations_.push_back(a);
    for (std::size_t i = 0; i < a.inputs().size(); ++i) {
      if (!a.input(i) || !b.input(i)) continue;
      if (const auto [entry, first] = reader_.try_emplace(a.input(i).node(), a); !first) entry->second = {};
      pending.emplace_back(a.input(i), b.input(i));
    }
  }
}

std::optional<std::size_t> Trace::batch_dimension(const Variable& value) const {
  const Shape &one = value.shape(), &two = other(value).shape();
  std::optional<std::size_t> found;
  for (std::size_t d = 0; d < one.size(); ++d) {
    if (one[d] == two[d]) continue;
    if (found)
      throw ValueError(message("[save_onnx] '", value.operation(),
                               "': expected one dimension that follows the batch, got ", one, " for one batch and ",
                               two, " for another"));
    found = d;
  }
  return found;
}

Variable Trace::only_reader(const Variable& value) const {
  const auto found = reader_.find(value.node());
  return found == reader_.end() ? Variable() : found->second;
}

bool Trace::is_batch(const Variable& value, std::size_t dimension) const {
  return value.shape()[dimension] == inputs_[0].shape()[0] &&
         other(value).shape()[dimension] == inputs_[0].shape()[0] + 1;
}

}  // namespace xgrad::onnx
