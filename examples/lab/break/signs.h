// Training something, healthy or not, and the numbers that tell which.
#pragma once

#include <xgrad/datasets/dataset.h>
#include <xgrad/nn/sequential.h>
#include <xgrad/optim/optimizer.h>
#include <xgrad/optim/schedule.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../context.h"
#include "../training.h"

namespace lab {

struct Patient {
  std::string label, color;
  xgrad::nn::Sequential model;
  std::unique_ptr<xgrad::optim::Optimizer> optimizer;
  xgrad::optim::Curve schedule = {};
};

struct Signs {
  std::string label, color;
  std::vector<double> losses = {};  ///< of each batch
  /// The share of units of ReLU layers that are 0 for all of some samples.
  double dead_at_start = 0, dead_at_end = 0;
  // From explain(). Of the first layer's weights: ‖g‖ and the share at the bound in step 1, and update / weight in
  // steps 1 and 10; of the output layer's weights: ‖g‖ in step 1. NaN where training ended before.
  double gradient = NAN, ratio = NAN, ratio_later = NAN, at_bound = NAN, last_gradient = NAN;
  Score train = {}, test = {};  ///< at the end, of some samples
};

/// Trains it on the training digits for so many steps.
Signs examine(const Context& context, Patient patient, std::size_t steps);

/// The share of units behind a ReLU or LeakyReLU that are not above 0 for any of the samples. 0 without such layers,
/// NaN where one is not finite.
double dead_units(xgrad::nn::Sequential& model, const xgrad::datasets::Dataset& samples);

/// Losses as means over ten steps, beside ln 10.
LineChart loss_chart(std::string name, std::string title, std::string note, const std::vector<Signs>& all);
/// A row a number, a column a run.
Table signs_table(std::string name, const std::vector<Signs>& all);
/// The mean of the last tenth of the losses; NaN where they ended in NaN.
double last_loss(const Signs& signs);

}  // namespace lab
