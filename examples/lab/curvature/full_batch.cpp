#include "full_batch.h"

#include <xgrad/autograd/ops.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/activations.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/losses.h>
#include <xgrad/optim/clip.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "eigen.h"
#include "hessian.h"

namespace lab {

using namespace xgrad;

namespace {

constexpr std::size_t pixels = 14 * 14, width = 32, classes = 10;

nn::Sequential network(std::uint64_t weights) {
  seed(weights);
  return nn::Sequential{nn::Linear(pixels, width), nn::Tanh(), nn::Linear(width, classes)};
}

}  // namespace

FullBatch::FullBatch(const datasets::Dataset& digits, std::uint64_t seed)
    : model(network(seed)), parameters(model.parameters()) {
  Tensor whole = Tensor::from_shape({digits.size(), 1, 28, 28}), hot = zeros({digits.size(), classes});
  datasets::to_unit(digits.images().data(), whole.size(), whole.data());
  images = reshape(avg_pool2d(Variable(std::move(whole)), 2), {digits.size(), pixels}).detach();
  for (std::size_t i = 0; i < digits.size(); ++i) hot(i, digits.labels()[i]) = 1;
  targets = Variable(std::move(hot));
}

Variable FullBatch::loss() { return double{classes} * nn::mse_loss(model(images), targets); }

Curved follow(FullBatch& batch, optim::Optimizer& optimizer, const FollowOptions& options) {
  Curved result;
  const auto look = [&](std::size_t step) {
    const Hessian hessian(batch.parameters, batch.loss());
    const auto largest = [&](const std::function<Vector(const Vector&)>& product) {
      const Ritz found = lanczos(product, hessian.size(), {.tolerance = 1e-2});
      result.products += found.products;
      result.worst_residual = std::max(result.worst_residual, found.residual / std::abs(found.value));
      return found.value;
    };
    result.steps.push_back(static_cast<double>(step));
    result.raw.push_back(largest(hessian));
    if (!options.preconditioner) return;
    Vector scale = options.preconditioner(optimizer, step);
    for (double& one : scale) one = 1 / std::sqrt(one);
    const auto times = [&scale](Vector v) {
      for (std::size_t i = 0; i < v.size(); ++i) v[i] *= scale[i];
      return v;
    };
    result.preconditioned.push_back(largest([&](const Vector& v) { return times(hessian(times(v))); }));
  };
  const std::size_t every = std::max<std::size_t>(1, options.steps / options.looks);
  for (std::size_t step = 1; step <= options.steps; ++step) {
    optimizer.zero_grad();
    const Variable loss = batch.loss();
    if (!std::isfinite(loss.item())) break;
    result.losses.push_back(loss.item());
    loss.backward();
    result.gradient_norms.push_back(optim::clip_grad_norm(batch.parameters, std::numeric_limits<double>::infinity()));
    optimizer.step();
    if (step % every == 0) {
      if (!std::isfinite(batch.loss().item())) break;
      look(step);
      if (options.progress) options.progress(static_cast<double>(step) / static_cast<double>(options.steps));
    }
  }
  return result;
}

}  // namespace lab
