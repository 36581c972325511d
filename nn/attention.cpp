#include <xgrad/autograd/ops.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>
#include <xgrad/nn/attention.h>
#include <xgrad/nn/dropout.h>
#include <xgrad/nn/init.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace xgrad::nn {
namespace {

// 1 where a query sees a key, of a shape that broadcasts to that of the scores; empty, where all see all.
Variable visible(const Shape& scores, const AttentionMask& mask) {
  const std::size_t batch = scores[0], queries = scores[2], keys = scores[3];
  Variable seen;
  const auto require = [&](const Variable& condition) { seen = seen ? seen * condition : condition; };
  if (mask.seen.dimension() > 0) {
    if (broadcast_shapes("attention", mask.seen.shape(), scores) != scores)
      throw ShapeError(message("[attention] the mask ", mask.seen.shape(), " does not broadcast to ", scores));
    require(Variable(mask.seen));
  }
  if (mask.causal) require(tril(Variable(ones({queries, keys}))));
  if (!mask.lengths.empty()) {
    Tensor inside = detail::steps_inside("attention", mask.lengths, batch, keys);
    inside.reshape({batch, 1, 1, keys});
    require(Variable(std::move(inside)));
  }
  if (seen && !seen.shape().empty() && seen.shape().back() > 0)
    for (const Scalar some : max(seen, -1).value())
      if (!(some > 0)) throw ValueError("[attention] the mask leaves a query without any key");
  return seen;
}

Variable attention_weights(const Variable& query, const Variable& key, const AttentionMask& mask) {
  const Shape &q = query.shape(), &k = key.shape();
  if (q.size() != 4 || k.size() != 4 || q[0] != k[0] || q[1] != k[1] || q[3] != k[3] || k[2] == 0 || q[3] == 0)
    throw ShapeError(
        message("[attention] expected queries and keys (batch, heads, steps, width), got ", q, " and ", k));
  const Variable scores = matmul(query / std::sqrt(static_cast<double>(q[3])), key, {.transpose_b = true});
  const Variable seen = visible(scores.shape(), mask);
  return softmax(seen ? where(seen, scores, Variable(full({}, -std::numeric_limits<Scalar>::infinity()))) : scores);
}

Tensor projection(std::size_t width, std::size_t heads) {
  detail::checked_sizes("multihead_attention", {width, heads});
  if (width % heads != 0)
    throw ValueError(message("[multihead_attention] ", heads, " heads do not divide the width ", width));
  Variable weight(zeros({3 * width, width}));
  init::xavier_uniform(weight);
  return weight.value();
}

}  // namespace

Variable scaled_dot_product_attention(const Variable& query, const Variable& key, const Variable& value,
                                      const AttentionMask& mask) {
  return matmul(attention_weights(query, key, mask), value);
}

MultiheadAttention::MultiheadAttention(std::size_t embed_dim, std::size_t num_heads, MultiheadAttentionOptions options)
    : in_proj_weight(param("in_proj_weight", projection(embed_dim, num_heads))),
      in_proj_bias(options.bias ? param("in_proj_bias", zeros({3 * embed_dim})) : Parameter()),
      width_(embed_dim),
      heads_(num_heads),
      out_proj_(add<Linear>("out_proj", embed_dim, embed_dim, LinearOptions{.bias = options.bias})),
      dropout_(options.dropout == 0 ? nullptr : &add<Dropout>("dropout", options.dropout)) {
  if (options.bias) init::constant(out_proj_.bias, 0);
}

Variable MultiheadAttention::attend(const Variable& query, const Variable& key, const Variable& value,
                                    const AttentionMask& mask) {
  const auto fits = [&](const Variable& x, const Variable& steps) {
    return steps.shape().size() == 3 && x.shape() == Shape{query.shape()[0], steps.shape()[1], width_};
  };
  if (!fits(query, query) || !fits(key, key) || !fits(value, key))
    throw ShapeError(message("[multihead_attention] expected (N, steps, ", width_, "), got ", query.shape(), ", ",
                             key.shape(), " and ", value.shape()));
  const std::size_t batch = query.shape()[0], width = width_ / heads_;
  const auto heads = [&](const Variable& x) {  // (batch, steps, embed_dim) to (batch, heads, steps, width)
    return transpose(reshape(x, {batch, x.shape()[1], heads_, width}), {0, 2, 1, 3});
  };
  std::vector<Variable> projected;
  if (query.node() == key.node() && key.node() == value.node()) {  // one product
    projected = split(linear(query, in_proj_weight, in_proj_bias), {width_, width_, width_}, 2);
  } else {
    const std::vector<Variable> weights = split(in_proj_weight, {width_, width_, width_}),
                                biases = in_proj_bias ? split(in_proj_bias, {width_, width_, width_})
                                                      : std::vector<Variable>(3);
    std::size_t i = 0;
    for (const Variable* x : {&query, &key, &value}) projected.push_back(linear(*x, weights[i], biases[i])), ++i;
  }
  Variable weights = attention_weights(heads(projected[0]), heads(projected[1]), mask);
  if (dropout_) weights = (*dropout_)(weights);
  const Variable joined = transpose(matmul(weights, heads(projected[2])), {0, 2, 1, 3});
  return out_proj_(reshape(joined, query.shape()));
}

TransformerBlock::TransformerBlock(std::size_t width, std::size_t num_heads, TransformerBlockOptions options)
    : self_attn_(add<MultiheadAttention>("self_attn", width, num_heads,
                                         MultiheadAttentionOptions{.dropout = options.dropout})),
      linear1_(add<Linear>("linear1", width, options.dim_feedforward == 0 ? 4 * width : options.dim_feedforward)),
      linear2_(add<Linear>("linear2", options.dim_feedforward == 0 ? 4 * width : options.dim_feedforward, width)),
      norm1_(add<LayerNorm>("norm1", width)),
      norm2_(add<LayerNorm>("norm2", width)),
      dropout_(add<Dropout>("dropout", options.dropout)),
      causal_(options.causal) {}

Variable TransformerBlock::apply(const Variable& x, const AttentionMask& mask) {
  const Variable normalized = norm1_(x);
  const Variable y = x + dropout_(self_attn_.attend(normalized, normalized, normalized, mask));
  return y + dropout_(linear2_(dropout_(gelu(linear1_(norm2_(y))))));
}

}  // namespace xgrad::nn
