#include <xgrad/autograd/ops.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/simd.h>
#include <xgrad/nn/losses.h>
#include <xgrad/nn/targets.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace xgrad::nn {
namespace {

Variable reduce(const Variable& losses, Reduction reduction) {
  if (reduction == Reduction::none) return losses;
  return reduction == Reduction::mean ? mean(losses) : sum(losses);
}

void check_pair(std::string_view operation, const Variable& x, const Variable& target) {
  if (x.shape() != target.shape())
    throw ShapeError(message("[", operation, "] expected equal shapes, got ", x.shape(), " and ", target.shape()));
  if (x.size() == 0) throw ValueError(message("[", operation, "] expected one element or more, got ", x.shape()));
}

// x minus the maximum of its row, so that exp() does not overflow.
Tensor shift(const Tensor& x) { return zip_elements("cross_entropy", x, reduce_max(x, {false, true}), std::minus<>()); }

// softmax(x) - target, row by row, where the target is (1 - smoothing) onehot + smoothing / C.
Variable residual(const Variable& x, const IndexTensor& targets, double smoothing) {
  const std::size_t classes = x.shape()[1];
  const auto hit = static_cast<Scalar>(1 - smoothing),
             spread = static_cast<Scalar>(smoothing / static_cast<double>(classes));
  Tensor value = map_registers(shift(x.value()), [](Register v) { return exp(v); });
  for (std::size_t i = 0; i < targets.size(); ++i) {
    Scalar* row = value.data() + i * classes;
    const auto total = static_cast<Scalar>(std::accumulate(row, row + classes, 0.0));
    for (std::size_t j = 0; j < classes; ++j) row[j] = row[j] / total - spread;
    row[targets.data()[i]] -= hit;
  }
  return record("cross_entropy_residual", std::move(value), {x}, [](const Variable& y, const Variable& g) {
    const Variable p = softmax(y.input(0));  // p_i (g_i - sum_j g_j p_j), as for softmax itself
    return std::vector{p * (g - sum(g * p, -1, true))};
  });
}

// d^2 / 2 where |d| <= limit, and its tangent beyond.
Variable huber(const Variable& d, double limit) {
  const Variable c = clamp(d, -limit, limit);
  return c * (d - 0.5 * c);
}

}  // namespace

Variable cross_entropy(const Variable& logits, const IndexTensor& targets, CrossEntropyOptions options) {
  const double smoothing = options.label_smoothing;
  if (!(smoothing >= 0 && smoothing <= 1))
    throw ValueError(message("[cross_entropy] expected label_smoothing in [0, 1], got ", smoothing));
  detail::check_targets("cross_entropy", logits.shape(), targets);
  const std::size_t samples = logits.shape()[0], classes = logits.shape()[1];
  const bool reduced = options.reduction != Reduction::none;
  const double weight = options.reduction == Reduction::mean ? 1 / static_cast<double>(samples) : 1;

  const Tensor shifted = shift(logits.value()), e = map_registers(shifted, [](Register v) { return exp(v); });
  Tensor value = reduced ? zeros({}) : zeros({samples});
  double total = 0;
  for (std::size_t i = 0; i < samples; ++i) {  // log(sum_j exp(x_j)) - sum_j target_j x_j
    const Scalar *x = shifted.data() + i * classes, *exp_x = e.data() + i * classes;
    double loss = std::log(std::accumulate(exp_x, exp_x + classes, 0.0));
    loss -= (1 - smoothing) * static_cast<double>(x[targets.data()[i]]);
    if (smoothing > 0) loss -= smoothing / static_cast<double>(classes) * std::accumulate(x, x + classes, 0.0);
    total += loss;
    if (!reduced) value.data()[i] = static_cast<Scalar>(loss);
  }
  if (reduced) value.data()[0] = static_cast<Scalar>(weight * total);

  return record("cross_entropy", std::move(value), {logits},
                [targets, smoothing, weight, reduced](const Variable& loss, const Variable& g) {
                  const Variable row_weight = reduced ? g * weight : reshape(g, {targets.size(), 1});
                  return std::vector{residual(loss.input(0), targets, smoothing) * row_weight};
                });
}

Variable nll_loss(const Variable& log_probabilities, const IndexTensor& targets, Reduction reduction) {
  detail::check_targets("nll_loss", log_probabilities.shape(), targets);
  IndexTensor column = targets;
  column.reshape({targets.size(), std::size_t{1}});
  return reduce(-reshape(gather(log_probabilities, 1, column), {targets.size()}), reduction);
}

Variable mse_loss(const Variable& x, const Variable& target, Reduction reduction) {
  check_pair("mse_loss", x, target);
  return reduce(square(x - target), reduction);
}

Variable l1_loss(const Variable& x, const Variable& target, Reduction reduction) {
  check_pair("l1_loss", x, target);
  return reduce(abs(x - target), reduction);
}

Variable huber_loss(const Variable& x, const Variable& target, HuberLossOptions options) {
  if (!(options.delta > 0 && std::isfinite(options.delta)))
    throw ValueError(message("[huber_loss] expected a finite delta above 0, got ", options.delta));
  check_pair("huber_loss", x, target);
  return reduce(huber(x - target, options.delta), options.reduction);
}

Variable smooth_l1_loss(const Variable& x, const Variable& target, SmoothL1LossOptions options) {
  if (!(options.beta >= 0 && std::isfinite(options.beta)))
    throw ValueError(message("[smooth_l1_loss] expected a finite beta of 0 or more, got ", options.beta));
  check_pair("smooth_l1_loss", x, target);
  const Variable d = x - target;
  return reduce(options.beta == 0 ? abs(d) : huber(d, options.beta) / options.beta, options.reduction);
}

Variable binary_cross_entropy_with_logits(const Variable& x, const Variable& target, Reduction reduction) {
  check_pair("binary_cross_entropy_with_logits", x, target);
  // log(1 + exp(x)) - t x, written without overflow or cancellation.
  Tensor losses =
      zip_elements("binary_cross_entropy_with_logits", x.value(), target.value(), [](Scalar logit, Scalar t) {
        return (logit > 0 ? logit : Scalar(0)) - logit * t + std::log1p(std::exp(-std::abs(logit)));
      });
  const auto gradients = [](const Variable& loss, const Variable& g) {
    const Variable &logits = loss.input(0), &t = loss.input(1);
    return std::vector{logits.requires_grad() ? g * (sigmoid(logits) - t) : Variable(),
                       t.requires_grad() ? -g * logits : Variable()};
  };
  return reduce(record("binary_cross_entropy_with_logits", std::move(losses), {x, target}, gradients), reduction);
}

}  // namespace xgrad::nn
