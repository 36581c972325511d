// The networks of the benchmarks in xgrad, with Adam.
#pragma once

#include <xgrad/xgrad.h>

#include "workloads.h"

inline xgrad::nn::Sequential make_network(const std::string& name) {
  using namespace xgrad::nn;
  if (name == "mlp") return Sequential{Flatten(), Linear(784, 128), ReLU(), Linear(128, 10)};
  if (name == "mlp1000")
    return Sequential{Flatten(), Linear(784, 1000), ReLU(), Linear(1000, 1000), ReLU(), Linear(1000, 10)};
  return Sequential{Conv2d(1, 6, 5, {.padding = 2}),
                    ReLU(),
                    MaxPool2d(2),
                    Conv2d(6, 16, 5),
                    ReLU(),
                    MaxPool2d(2),
                    Flatten(),
                    Linear(400, 120),
                    ReLU(),
                    Linear(120, 84),
                    ReLU(),
                    Linear(84, 10)};
}

struct Training {
  Training(const Network& network, const xgrad::datasets::Dataset& data, bool prefetch)
      : model(make_network(network.name)),
        loader(data, {.batch_size = network.batch_size, .shuffle = true, .drop_last = true, .prefetch = prefetch}) {}

  double step(const xgrad::Variable& images, const xgrad::IndexTensor& labels) {
    optimizer.zero_grad();
    const xgrad::Variable loss = xgrad::nn::cross_entropy(model(images), labels);
    loss.backward();
    optimizer.step();
    return static_cast<double>(loss.item());
  }

  double epoch() {
    double loss = 0;
    for (const auto& [images, labels] : loader) loss = step(images, labels);
    return loss;
  }

  xgrad::nn::Sequential model;
  xgrad::optim::Adam optimizer{model.parameters(), {}};
  xgrad::datasets::DataLoader<> loader;
};
