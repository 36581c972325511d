#include <xgrad/autograd/indexing.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/call_log.h>
#include <xgrad/nn/embedding.h>

#include <cmath>
#include <typeinfo>

namespace xgrad::nn {
using detail::checked_sizes;

Embedding::Embedding(std::size_t num_embeddings, std::size_t embedding_dim, EmbeddingOptions options)
    : weight(options.weight
                 ? share("weight", options.weight, checked_sizes("embedding", {num_embeddings, embedding_dim}))
                 : param("weight",
                         default_generator().normal(checked_sizes("embedding", {num_embeddings, embedding_dim})))),
      sparse_(options.sparse) {}

Variable Embedding::lookup(const IndexTensor& index) const {
  Variable rows = take_rows(weight, index, {.sparse_grad = sparse_});
  if (auto* log = detail::call_log()) log->push_back({this, &typeid(*this), rows.shape()});  // as of operator()
  return rows;
}

Variable Embedding::forward(const Variable& x) {
  IndexTensor index = IndexTensor::from_shape(x.shape());
  const Shape& table = weight.shape();
  if (table.size() != 2) throw ShapeError(message("[embedding] expected a weight (rows, width), got ", table));
  const auto count = static_cast<double>(table[0]);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto number = static_cast<double>(x.value().data()[i]);
    if (!(number >= 0 && number < count && number == std::floor(number)))
      throw ValueError(message("[embedding] expected whole numbers from 0 to ", count - 1, ", got ", number));
    index.data()[i] = static_cast<std::int64_t>(number);
  }
  return take_rows(weight, index, {.sparse_grad = sparse_, .positions = &x});
}

}  // namespace xgrad::nn
