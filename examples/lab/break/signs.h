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
  xgrad::nn::Sequential model;
  std::unique_ptr<xgrad::optim::Optimizer> optimizer;
  xgrad::optim::Curve schedule = {};
};

/// Of one run.
struct Signs {
  std::vector<double> losses = {};  ///< of each batch
  /// The share of units of ReLU layers that are 0 for all of some samples.
  double dead_at_start = 0, dead_at_end = 0;
  // From explain(). Of the first layer's weights: ‖g‖ in step 1, and update / weight in steps 1 and 10; of the output
  // layer's weights: ‖g‖ in step 1. NaN where training ended before.
  double gradient = NAN, ratio = NAN, ratio_later = NAN, last_gradient = NAN;
  Score train = {NAN, NAN}, test = {NAN, NAN};  ///< at the end, of some samples; NaN where a weight is not finite
};

/// The same for several seeds.
struct Runs {
  std::string label, color;
  std::vector<Signs> signs = {};

  std::vector<double> all(double (*number)(const Signs&)) const;
  std::vector<double> all(double Signs::*number) const;
};

/// Trains on the training digits for so many steps, with each of the seeds.
Runs examine(const Context& context, std::string label, std::string color,
             const std::function<Patient(std::uint64_t seed)>& patient, std::size_t steps);
/// One run. The seed is that of the order of the samples.
Signs examine_once(const Context& context, Patient patient, std::uint64_t seed, std::size_t steps);

/// The share of units behind a ReLU or LeakyReLU that are not above 0 for any of the samples. 0 without such layers,
/// NaN where one is not finite.
double dead_units(xgrad::nn::Sequential& model, const xgrad::datasets::Dataset& samples);

/// Losses as means over ten steps, median and range, beside ln 10.
LineChart loss_chart(std::string name, std::string title, std::string note, const std::vector<Runs>& all);
/// A row a number, a column a case.
Table signs_table(std::string name, const std::vector<Runs>& all);
/// The mean of the last tenth of the losses; NaN where they ended in NaN.
double last_loss(const Signs& signs);
double largest_loss(const Signs& signs);

/// Cell::spread(), and a single "-" where none of the values is a number.
Cell spread(const std::vector<double>& values, int digits = 3);

/// "higher", "lower" or "undecided" than the second, by compare(); "not a number" where all of the first are.
std::string standing(const std::vector<double>& first, const std::vector<double>& second);

}  // namespace lab
