// The fully connected layer.
#pragma once

#include <xgrad/nn/module.h>

#include <cstddef>

namespace xgrad::nn {

struct LinearOptions {
  bool bias = true;
  Variable weight = {};  ///< one to share, such as embedding.weight (classes, features); else a new one is drawn
};

/// x W^T + b: (…, in) to (…, out). Both start uniform in ±1 / sqrt(in), the weight drawn first, as in PyTorch:
/// Kaiming's uniform distribution for leaky_relu with a slope of sqrt(5). ValueError for a feature count outside 1 to
/// 2^31. ShapeError for an input of another width, and for a weight to share that is not (out, in).
struct Linear : Module {
  Linear(std::size_t in_features, std::size_t out_features, LinearOptions options = {});
  Variable forward(const Variable& x) override;

  Parameter weight;  ///< (out, in)
  Parameter bias;    ///< (out,), or empty
};

}  // namespace xgrad::nn
