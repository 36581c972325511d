// The practical floor for 784-128-10 with Adam: five products and hand-fused loops a step, with no framework.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

class BareMlp {
 public:
  /// images: (count, 784) in [0, 1].
  BareMlp(std::vector<float> images, std::vector<std::int64_t> labels);
  /// One epoch of batches of 64 in random order; the mean loss of the last batch.
  float epoch();

 private:
  static constexpr std::size_t batch = 64, in = 784, hidden = 128, out = 10;
  float step(const std::size_t* samples);
  void adam();

  std::vector<float> images_;
  std::vector<std::int64_t> labels_;
  std::vector<std::size_t> order_;
  std::vector<float> parameters_[4], gradients_[4], m_[4], v_[4];  // weight and bias of each layer
  std::vector<float> x_, h_, z_, dh_;
  int t_ = 0;
};
