// The network of the MLP benchmarks with its optimizer: 784-128-10, batch 64, Adam.
#pragma once

#include <xgrad/xgrad.h>

struct Mlp {
  explicit Mlp(const xgrad::datasets::Dataset& data, bool prefetch)
      : loader(data, {.batch_size = 64, .shuffle = true, .drop_last = true, .prefetch = prefetch}) {}

  double epoch() {
    double loss = 0;
    for (const auto& [images, labels] : loader) {
      optimizer.zero_grad();
      const xgrad::Variable l = xgrad::nn::cross_entropy(model(images), labels);
      l.backward();
      optimizer.step();
      loss = static_cast<double>(l.item());
    }
    return loss;
  }

  xgrad::nn::Sequential model{xgrad::nn::Flatten(), xgrad::nn::Linear(784, 128), xgrad::nn::ReLU(),
                              xgrad::nn::Linear(128, 10)};
  xgrad::optim::Adam optimizer{model.parameters(), {}};
  xgrad::datasets::DataLoader loader;
};
