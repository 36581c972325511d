#include "training.h"

#include <xgrad/core/random.h>
#include <xgrad/datasets/loader.h>
#include <xgrad/nn/activations.h>
#include <xgrad/nn/flatten.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/losses.h>
#include <xgrad/nn/metrics.h>

#include <cmath>
#include <optional>

namespace lab {

using namespace xgrad;

namespace {

bool all_finite(const NamedVariables& parameters) {
  for (const auto& [name, parameter] : parameters)
    for (const Scalar value : parameter.value())
      if (!std::isfinite(value)) return false;
  return true;
}

}  // namespace

Trained train(nn::Module& model, optim::Optimizer& optimizer, const datasets::Dataset& data,
              const TrainOptions& options) {
  datasets::DataLoader loader(data, {.batch_size = static_cast<std::ptrdiff_t>(options.batch_size),
                                     .shuffle = true,
                                     .drop_last = true,
                                     .seed = options.seed});
  std::optional<optim::Schedule> schedule;
  if (options.schedule) schedule.emplace(optimizer, options.schedule);
  Trained result;
  model.train();
  while (result.losses.size() < options.steps) {
    for (const auto& [images, labels] : loader) {
      optimizer.zero_grad();
      const Variable loss = nn::cross_entropy(model(images), labels);
      result.losses.push_back(loss.item());
      result.diverged = !std::isfinite(result.losses.back());
      if (result.diverged) return result;
      loss.backward();
      const std::size_t step = result.losses.size();
      if (options.before_step) options.before_step(step);
      optimizer.step();
      if (schedule) schedule->step();
      if (options.after_step) options.after_step(step);
      if (step == options.steps) break;
    }
  }
  result.diverged = !all_finite(optimizer.parameters());
  return result;
}

Score evaluate(nn::Module& model, const datasets::Dataset& data) {
  const NoGrad no_grad;
  const bool training = model.training();
  model.eval();
  Score sum = {0, 0};
  for (const auto& [images, labels] : datasets::DataLoader(data, {.batch_size = 500})) {
    const Variable scores = model(images);
    const auto count = static_cast<double>(labels.size());
    sum.loss += count * static_cast<double>(nn::cross_entropy(scores, labels).item());
    sum.accuracy += count * nn::accuracy(scores, labels);
  }
  model.train(training);
  const auto all = static_cast<double>(data.size());
  return {sum.loss / all, sum.accuracy / all};
}

nn::Sequential mlp(const std::vector<std::size_t>& widths, std::uint64_t weights) {
  seed(weights);
  nn::Sequential network{nn::Flatten()};
  std::size_t in = 28 * 28;
  for (const std::size_t width : widths) {
    network.push_back(nn::Linear(in, width));
    network.push_back(nn::ReLU());
    in = width;
  }
  network.push_back(nn::Linear(in, 10));
  return network;
}

}  // namespace lab
