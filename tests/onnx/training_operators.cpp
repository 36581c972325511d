// Operators of ONNX that are no part of a network's forward pass, as the library's own are written: losses, and steps
// of training.
#include "training_operators.h"

#include <xgrad/autograd/ops.h>
#include <xgrad/nn/losses.h>
#include <xgrad/optim/adagrad.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/sgd.h>

#include <algorithm>
#include <cmath>

namespace xgrad::onnx {
namespace {

// The class axis behind the others, which are then samples: (…, classes) as (samples, classes).
Variable samples(const Variable& x) {
  Integers order = axes_from(0, x.shape());
  std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return reshape(transpose(x, order), {x.size() / x.shape()[1], x.shape()[1]});
}

// Inputs: x (batch, classes, …), targets (batch, …), and perhaps a weight for each class. `loss` gives one for each
// sample; a target to be ignored has the weight 0, and is read as class 0.
template <class Loss>
Variable class_loss(const Node& n, Loss loss) {
  IndexTensor targets = index(n[1]);
  const Shape shape = n[1].shape();
  targets.reshape({targets.size()});
  Tensor kept = ones({targets.size()});
  if (n.attributes.contains("ignore_index"))
    for (std::size_t i = 0; i < targets.size(); ++i)
      if (targets(i) == n.attribute<std::int64_t>("ignore_index")) kept(i) = 0, targets(i) = 0;
  const Variable weights = n.has(2) ? Variable(kept) * take_rows(n[2], targets) : Variable(kept);
  const Variable losses = loss(samples(n[0]), targets) * weights;
  const std::string reduction = n.attribute<std::string>("reduction", "mean");
  return reduction == "none" ? reshape(losses, shape) : reduction == "sum" ? sum(losses) : sum(losses) / sum(weights);
}

Variable negative_log_likelihood(const Node& n) {
  return class_loss(
      n, [](const Variable& x, const IndexTensor& targets) { return nn::nll_loss(x, targets, nn::Reduction::none); });
}

Outputs softmax_cross_entropy(const Node& n) {
  const Variable loss = class_loss(n, [](const Variable& x, const IndexTensor& targets) {
    return nn::cross_entropy(x, targets, {.reduction = nn::Reduction::none});
  });
  return std::vector{loss, log_softmax(n[0], 1)};
}

// A step of training. Inputs: the rate, the number of steps so far, and then of all tensors x, g, and each state: x1,
// x2, …, g1, g2, …. Outputs: the new x and states. What ONNX calls regularization is that of a loss: |x|^2 / 2.
template <class Optimizer, class Options>
Outputs train(const Node& n, const Options& options, const std::vector<std::string>& slots) {
  const std::size_t tensors = (n.inputs.size() - 2) / (2 + slots.size());
  std::vector<Variable> outputs((1 + slots.size()) * tensors);
  for (std::size_t i = 0; i < tensors; ++i) {
    const Variable x(n[2 + i].value(), true);
    Optimizer optimizer({{"x", x}}, options);
    StateDict state = {.scalars = {{"x.step", 1}}, .texts = {{"rule", std::string(optimizer.rule())}}};
    for (std::size_t s = 0; s < slots.size(); ++s)
      state.tensors.emplace_back("x." + slots[s], n[2 + (2 + s) * tensors + i].value());
    optimizer.load_state_dict(state);
    (sum(x * n[2 + tensors + i]) + n.attribute("norm_coefficient", 0.0) / 2 * sum(square(x))).backward();
    optimizer.step();
    outputs[i] = (1 - n.attribute("norm_coefficient_post", 0.0)) * x;
    for (std::size_t s = 0; s < slots.size(); ++s)
      outputs[(1 + s) * tensors + i] = Variable(optimizer.state("x", slots[s]));
  }
  return outputs;
}

double rate(const Node& n) { return static_cast<double>(n[0].item()); }
double steps(const Node& n) { return static_cast<double>(n.integer(1)); }

Outputs adagrad(const Node& n) {
  const double slower = 1 + steps(n) * n.attribute("decay_factor", 0.0);
  return train<optim::Adagrad>(n, optim::AdagradOptions{.lr = rate(n) / slower, .eps = n.attribute("epsilon", 1e-6)},
                               {"sum"});
}

// The correction of the bias is a factor of the rate, and is left out before the first step.
Outputs adam(const Node& n) {
  const double alpha = n.attribute("alpha", 0.9), beta = n.attribute("beta", 0.999), t = steps(n);
  const double correction = t > 0 ? std::sqrt(1 - std::pow(beta, t)) / (1 - std::pow(alpha, t)) : 1;
  return train<optim::Adam>(n,
                            optim::AdamOptions{.lr = rate(n) * correction,
                                               .beta1 = alpha,
                                               .beta2 = beta,
                                               .eps = n.attribute("epsilon", 1e-6),
                                               .dialect = optim::Dialect::mlx},
                            {"exp_avg", "exp_avg_sq"});
}

// The first step takes the whole gradient into the momentum.
Outputs momentum(const Node& n) {
  return train<optim::SGD>(n,
                           optim::SGDOptions{.lr = rate(n),
                                             .momentum = n.attribute<double>("alpha"),
                                             .dampening = steps(n) > 0 ? 1 - n.attribute("beta", 1.0) : 0,
                                             .nesterov = n.attribute<std::string>("mode") == "nesterov"},
                           {"momentum_buffer"});
}

}  // namespace

Operators training_operators() {
  return {
      {"NegativeLogLikelihoodLoss", negative_log_likelihood},
      {"SoftmaxCrossEntropyLoss", softmax_cross_entropy},
      {"Adagrad", adagrad},
      {"Adam", adam},
      {"Momentum", momentum},
  };
}

}  // namespace xgrad::onnx
