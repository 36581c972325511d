#include "bare_mlp.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

BareMlp::BareMlp(std::vector<float> images, std::vector<std::int64_t> labels)
    : images_(std::move(images)), labels_(std::move(labels)), order_(labels_.size()) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  const std::size_t sizes[] = {hidden * in, hidden, out * hidden, out}, fans[] = {in, in, hidden, hidden};
  std::mt19937 random(1);
  for (int k = 0; k < 4; ++k) {
    const float bound = 1 / std::sqrt(static_cast<float>(fans[k]));
    std::uniform_real_distribution<float> uniform(-bound, bound);
    parameters_[k].resize(sizes[k]);
    for (float& p : parameters_[k]) p = uniform(random);
    gradients_[k] = m_[k] = v_[k] = std::vector<float>(sizes[k]);
  }
  x_.resize(batch * in), h_.resize(batch * hidden), dh_.resize(batch * hidden), z_.resize(batch * out);
}

float BareMlp::epoch() {
  static std::mt19937 random(2);
  std::shuffle(order_.begin(), order_.end(), random);
  float loss = 0;
  for (std::size_t i = 0; i + batch <= order_.size(); i += batch) loss = step(&order_[i]);
  return loss;
}

float BareMlp::step(const std::size_t* samples) {
  const auto &w1 = parameters_[0], &b1 = parameters_[1], &w2 = parameters_[2], &b2 = parameters_[3];
  for (std::size_t i = 0; i < batch; ++i) std::copy_n(&images_[samples[i] * in], in, &x_[i * in]);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, batch, hidden, in, 1, x_.data(), in, w1.data(), in, 0, h_.data(),
              hidden);
  for (std::size_t i = 0; i < batch; ++i)
    for (std::size_t j = 0; j < hidden; ++j) h_[i * hidden + j] = std::max(0.0f, h_[i * hidden + j] + b1[j]);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, batch, out, hidden, 1, h_.data(), hidden, w2.data(), hidden, 0,
              z_.data(), out);

  float loss = 0;
  for (std::size_t i = 0; i < batch; ++i) {  // softmax with cross-entropy, and its gradient in place
    float* z = &z_[i * out];
    for (std::size_t j = 0; j < out; ++j) z[j] += b2[j];
    const float largest = *std::max_element(z, z + out);
    float sum = 0;
    for (std::size_t j = 0; j < out; ++j) sum += z[j] = std::exp(z[j] - largest);
    float& hit = z[labels_[samples[i]]];
    loss -= std::log(hit / sum) / batch;
    for (std::size_t j = 0; j < out; ++j) z[j] /= sum * batch;
    hit -= 1.0f / batch;
  }

  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out, hidden, batch, 1, z_.data(), out, h_.data(), hidden, 0,
              gradients_[2].data(), hidden);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, batch, hidden, out, 1, z_.data(), out, w2.data(), hidden, 0,
              dh_.data(), hidden);
  std::fill(gradients_[1].begin(), gradients_[1].end(), 0.0f);
  std::fill(gradients_[3].begin(), gradients_[3].end(), 0.0f);
  for (std::size_t i = 0; i < batch; ++i) {
    for (std::size_t j = 0; j < out; ++j) gradients_[3][j] += z_[i * out + j];
    for (std::size_t j = 0; j < hidden; ++j) {
      float& d = dh_[i * hidden + j];
      d = h_[i * hidden + j] > 0 ? d : 0;
      gradients_[1][j] += d;
    }
  }
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, hidden, in, batch, 1, dh_.data(), hidden, x_.data(), in, 0,
              gradients_[0].data(), in);
  adam();
  return loss;
}

void BareMlp::adam() {
  ++t_;
  const float alpha = 1e-3f / (1 - std::pow(0.9f, static_cast<float>(t_)));
  const float scale = 1 / (1 - std::pow(0.999f, static_cast<float>(t_)));
  for (int k = 0; k < 4; ++k) {
    float* __restrict p = parameters_[k].data(), * __restrict m = m_[k].data(), * __restrict v = v_[k].data();
    const float* __restrict g = gradients_[k].data();
    for (std::size_t i = 0; i < parameters_[k].size(); ++i) {
      m[i] = 0.9f * m[i] + 0.1f * g[i];
      v[i] = 0.999f * v[i] + 0.001f * g[i] * g[i];
      p[i] -= alpha * m[i] / (std::sqrt(v[i] * scale) + 1e-8f);
    }
  }
}
