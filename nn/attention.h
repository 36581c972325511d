// Attention, and the block of which transformers are made: Vaswani et al. 2017. Sequences are (batch, steps, width).
#pragma once

#include <xgrad/nn/linear.h>
#include <xgrad/nn/normalization.h>

#include <cstddef>
#include <vector>

namespace xgrad::nn {

/// Which steps of the keys a query sees. What is not said, all see.
struct AttentionMask {
  bool causal = false;  ///< those up to its own number: a sequence that is to be continued
  /// Of each sequence of the batch the first so many; the others are padding.
  std::vector<std::size_t> lengths = {};
  Tensor seen = {};  ///< 1 where a query sees a key, else 0; broadcasts to (batch, heads, queries, keys). Empty: all
};

/// softmax(q k^T / sqrt(width)) v for q (batch, heads, queries, width), k (batch, heads, keys, width) and v (batch,
/// heads, keys, any width). ShapeError where shapes do not fit; ValueError for lengths outside 1 to the number of keys,
/// and for a query that sees no key.
Variable scaled_dot_product_attention(const Variable& query, const Variable& key, const Variable& value,
                                      const AttentionMask& mask = {});

struct MultiheadAttentionOptions {
  bool bias = true;
  double dropout = 0;  ///< of the weights with which values are added
};

/// The parameters' names, shapes and initial values are PyTorch's. ValueError unless num_heads divides embed_dim.
class MultiheadAttention : public Module {
 public:
  MultiheadAttention(std::size_t embed_dim, std::size_t num_heads, MultiheadAttentionOptions options = {});

  /// (batch, queries, embed_dim), from keys and values (batch, keys, embed_dim). ShapeError for other shapes.
  Variable attend(const Variable& query, const Variable& key, const Variable& value, const AttentionMask& mask = {});
  /// A sequence that attends to itself.
  Variable forward(const Variable& x) override { return attend(x, x, x); }

  Parameter in_proj_weight;  ///< (3 embed_dim, embed_dim): of queries, keys and values
  Parameter in_proj_bias;    ///< (3 embed_dim,), or empty

 private:
  std::size_t width_, heads_;
  Linear& out_proj_;
  Module* dropout_;
};

struct TransformerBlockOptions {
  std::size_t dim_feedforward = 0;  ///< 4 times the width, unless said
  double dropout = 0;
  bool causal = false;  ///< for forward(), which has no mask
};

/// x = x + attention(norm1(x)), then x + linear2(gelu(linear1(norm2(x)))): normalized first, which trains without a
/// warm-up (Xiong et al. 2020). Children have the names of PyTorch's TransformerEncoderLayer.
class TransformerBlock : public Module {
 public:
  TransformerBlock(std::size_t width, std::size_t num_heads, TransformerBlockOptions options = {});

  Variable apply(const Variable& x, const AttentionMask& mask);
  Variable forward(const Variable& x) override { return apply(x, {.causal = causal_}); }

 private:
  MultiheadAttention& self_attn_;
  Linear &linear1_, &linear2_;
  LayerNorm &norm1_, &norm2_;
  Module& dropout_;
  bool causal_;
};

}  // namespace xgrad::nn
