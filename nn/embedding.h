// Vectors for words, categories and other numbered things.
#pragma once

#include <xgrad/nn/module.h>

#include <cstddef>

namespace xgrad::nn {

struct EmbeddingOptions {
  bool sparse = false;   ///< backward() keeps the gradient of the rows that were read, not of all: sparse_grad(weight)
  Variable weight = {};  ///< one to share, such as an output layer's; else a new one is drawn
};

/// A table of num_embeddings rows, standard normal at first. ValueError for sizes outside 1 to 2^31, ShapeError for a
/// weight to share of another shape.
class Embedding : public Module {
 public:
  Embedding(std::size_t num_embeddings, std::size_t embedding_dim, EmbeddingOptions options = {});

  /// A row for each index: (…) to (…, embedding_dim). ValueError for an index outside [0, num_embeddings).
  Variable lookup(const IndexTensor& index) const;
  /// The same for indices that come as a Variable. ValueError for what is not a whole number in that range.
  Variable forward(const Variable& x) override;

  Parameter weight;  ///< (num_embeddings, embedding_dim)

 private:
  bool sparse_;
};

}  // namespace xgrad::nn
