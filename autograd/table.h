// Tables: leaves (count, …) of which a step reads a few rows with take_rows and `sparse_grad`. Their gradient stays a
// few rows, and an optimizer may let the other rows wait for their steps until somebody reads them.
#pragma once

#include <xgrad/autograd/node.h>

#include <map>

namespace xgrad {

/// The gradient of a table of which only a few rows were read, by their number. The other rows are 0.
using RowGradient = std::map<std::size_t, std::vector<Scalar>>;

/// The gradient of a leaf as rows, where nothing but take_rows with `sparse_grad` has read it; null otherwise. It costs
/// time and memory for those rows alone. mutable_grad() and a dense gradient that arrives make it dense, and dense it
/// stays until clear_grad().
const RowGradient* sparse_grad(const Variable& leaf);
/// The numbers of its rows.
IndexTensor row_numbers(const RowGradient& rows);
/// The elements of a gradient, to be changed in place where they are: each row of a sparse one, or all of a dense one
/// at once. GraphError where there is none.
std::vector<std::span<Scalar>> mutable_grad_parts(const Variable& leaf);

/// What a leaf keeps so that all this works. For operations and optimizers.
class TableExtension : public LeafExtension {
 public:
  /// That of a leaf; null where none of its gradients was of rows so far.
  static TableExtension* find(const Variable& leaf);
  static TableExtension& of(const Variable& leaf);
  /// Its value, of which only these rows need be up to date.
  static const Tensor& value_at_rows(const Variable& x, const IndexTensor& rows);

  /// The rows of the gradient, to be changed or added to.
  RowGradient& mutable_rows();
  /// False where the value was given another shape since rows of its gradient arrived.
  bool fits(const Shape& shape) const;

  void before_value_is_read() override;
  bool has_grad() const override { return rows_.has_value(); }
  Tensor& dense_grad(Node& leaf, bool look) override;
  void clear_grad() override;

  /// Brings rows of the value (all, where null) up to date. Set by the optimizer that lets them wait.
  std::function<void(const IndexTensor*)> refresh;

 private:
  friend const RowGradient* sparse_grad(const Variable& leaf);
  std::optional<RowGradient> rows_;  // to be added to the leaf's dense gradient
  std::unique_ptr<Tensor> copy_;     // dense, for those who look
  bool copied_ = false;              // it is up to date
};

}  // namespace xgrad
