#include <xgrad/autograd/table.h>
#include <xgrad/core/errors.h>

#include <algorithm>

namespace xgrad {

TableExtension* TableExtension::find(const Variable& leaf) {
  return leaf ? dynamic_cast<TableExtension*>(leaf.node()->extension.get()) : nullptr;
}

TableExtension& TableExtension::of(const Variable& leaf) {
  std::unique_ptr<LeafExtension>& there = leaf.node()->extension;
  if (!there) there = std::make_unique<TableExtension>();
  return dynamic_cast<TableExtension&>(*there);
}

const Tensor& TableExtension::value_at_rows(const Variable& x, const IndexTensor& rows) {
  const TableExtension* const table = find(x);
  if (table && table->refresh) table->refresh(&rows);
  return x.node()->value;
}

const RowGradient* sparse_grad(const Variable& leaf) {
  const TableExtension* const table = TableExtension::find(leaf);
  return table && table->rows_ && !leaf.node()->grad ? &*table->rows_ : nullptr;
}

IndexTensor row_numbers(const RowGradient& rows) {
  IndexTensor numbers = IndexTensor::from_shape({rows.size()});
  std::transform(rows.begin(), rows.end(), numbers.begin(),
                 [](const auto& row) { return static_cast<std::int64_t>(row.first); });
  return numbers;
}

std::vector<std::span<Scalar>> mutable_grad_parts(const Variable& leaf) {
  if (!sparse_grad(leaf)) {
    Tensor& gradient = leaf.mutable_grad();
    return {std::span(gradient.data(), gradient.size())};
  }
  std::vector<std::span<Scalar>> parts;
  for (auto& [row, values] : TableExtension::of(leaf).mutable_rows()) parts.emplace_back(values);
  return parts;
}

RowGradient& TableExtension::mutable_rows() {
  copied_ = false;
  return rows_ ? *rows_ : rows_.emplace();
}

bool TableExtension::fits(const Shape& shape) const {
  const std::size_t count = shape.empty() ? 0 : shape[0], size = element_count(shape);
  return std::all_of(rows_->begin(), rows_->end(),
                     [&](const auto& row) { return row.first < count && row.second.size() * count == size; });
}

void TableExtension::before_value_is_read() {
  if (refresh) refresh(nullptr);
}

Tensor& TableExtension::dense_grad(Node& leaf, bool look) {
  if (!rows_) return *leaf.grad;
  const Shape& shape = leaf.value.shape();
  if (!fits(shape) || (leaf.grad && leaf.grad->shape() != shape))
    throw ShapeError(message("[grad] expected rows of a gradient of ", shape, ", got those of another shape"));
  if (leaf.grad) {
    for (const auto& [row, sum] : *rows_)
      for (std::size_t i = 0; i < sum.size(); ++i) leaf.grad->data()[row * sum.size() + i] += sum[i];
  } else {
    if (!copy_ || copy_->shape() != shape) copy_ = std::make_unique<Tensor>(zeros(shape)), copied_ = false;
    if (!std::exchange(copied_, true))
      for (const auto& [row, sum] : *rows_) std::copy(sum.begin(), sum.end(), copy_->data() + row * sum.size());
    if (look) return *copy_;
    leaf.grad = std::move(copy_);
  }
  rows_.reset();
  return *leaf.grad;
}

void TableExtension::clear_grad() {
  rows_.reset();
  copy_.reset();
}

}  // namespace xgrad
