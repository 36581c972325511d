// Training a network for an experiment.
#pragma once

#include <xgrad/datasets/dataset.h>
#include <xgrad/nn/module.h>
#include <xgrad/nn/sequential.h>
#include <xgrad/optim/schedule.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace lab {

struct TrainOptions {
  std::size_t steps;
  std::size_t batch_size = 64;
  std::uint64_t seed = 1;             ///< of the order of the samples
  xgrad::optim::Curve schedule = {};  ///< of the rate, over steps; none for a constant one
  /// Called between backward() and step(), with the number of the step from 1: to look at gradients, or to change them.
  std::function<void(std::size_t)> before_step = {};
  /// Called after it.
  std::function<void(std::size_t)> after_step = {};
};

struct Trained {
  std::vector<double> losses;  ///< of each step's batch, before the step; ends where one is not finite
  bool diverged = false;       ///< a loss, or a weight at the end, is not finite
};

/// Mean cross entropy, minimized with one optimizer from the weights as they are.
Trained train(xgrad::nn::Module& model, xgrad::optim::Optimizer& optimizer, const xgrad::datasets::Dataset& data,
              const TrainOptions& options);

struct Score {
  double loss, accuracy;  ///< mean cross entropy; share in [0, 1]
};
Score evaluate(xgrad::nn::Module& model, const xgrad::datasets::Dataset& data);

/// 784-width-…-10 with ReLU, its weights drawn from `seed` alone.
xgrad::nn::Sequential mlp(const std::vector<std::size_t>& widths, std::uint64_t seed);

}  // namespace lab
