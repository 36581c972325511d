#include <xgrad/autograd/ops.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/simd.h>
#include <xgrad/nn/losses.h>
#include <xgrad/nn/targets.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

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

// What each class of each sample weighs in the loss: -sum over classes of at(i, c) log softmax(x)[i][c].
struct ClassTargets {
  const IndexTensor classes;
  const double smoothing;
  const std::vector<double> weights;  // one for each class, or none
  const std::optional<std::int64_t> ignored;

  bool counts(std::size_t sample) const { return classes.data()[sample] != ignored; }
  double weight(std::size_t of_class) const { return weights.empty() ? 1 : weights[of_class]; }
  // The sum over classes; `spread` is that of weight(c) / C.
  double row_sum(std::size_t sample, double spread) const {
    if (!counts(sample)) return 0;
    return (1 - smoothing) * weight(static_cast<std::size_t>(classes.data()[sample])) + smoothing * spread;
  }
  double mean_weight(std::size_t count) const {
    return weights.empty() ? 1 : std::accumulate(weights.begin(), weights.end(), 0.0) / static_cast<double>(count);
  }
};

// The gradient of each sample's loss, row by row: row_sum softmax(x) - at.
Variable residual(const Variable& x, const ClassTargets& targets) {
  const std::size_t samples = x.shape()[0], classes = x.shape()[1];
  const double even = targets.smoothing / static_cast<double>(classes), spread = targets.mean_weight(classes);
  Tensor value = map_registers(shift(x.value()), [](Register v) { return exp(v); }), sums = zeros({samples, 1});
  for (std::size_t i = 0; i < samples; ++i) {
    Scalar* row = value.data() + i * classes;
    sums.data()[i] = static_cast<Scalar>(targets.row_sum(i, spread));
    if (!targets.counts(i)) {
      std::fill_n(row, classes, Scalar(0));
      continue;
    }
    const auto total = static_cast<Scalar>(std::accumulate(row, row + classes, 0.0));
    for (std::size_t j = 0; j < classes; ++j)
      row[j] = sums.data()[i] * (row[j] / total) - static_cast<Scalar>(even * targets.weight(j));
    const auto target = static_cast<std::size_t>(targets.classes.data()[i]);
    row[target] -= static_cast<Scalar>((1 - targets.smoothing) * targets.weight(target));
  }
  return record("cross_entropy_residual", std::move(value), {x}, [sums](const Variable& y, const Variable& g) {
    const Variable p = softmax(y.input(0));  // p_i (g_i - sum_j g_j p_j), as for softmax itself
    return std::vector{Variable(sums) * (p * (g - sum(g * p, -1, true)))};
  });
}

// Of (N, C, d, …) the positions behind one another: (N d …, C).
Variable rows_of_positions(const Variable& logits) {
  const Shape& shape = logits.shape();
  std::vector<std::ptrdiff_t> axes = {0};
  for (std::size_t axis = 2; axis < shape.size(); ++axis) axes.push_back(static_cast<std::ptrdiff_t>(axis));
  axes.push_back(1);
  const std::size_t classes = shape[1], count = classes == 0 ? 0 : element_count(shape) / classes;
  return reshape(transpose(logits, axes), {count, classes});
}

void check_weights(const std::vector<double>& weights, std::size_t classes) {
  const auto bad = [](double weight) { return !(weight >= 0 && std::isfinite(weight)); };
  if (const auto first = std::find_if(weights.begin(), weights.end(), bad); first != weights.end())
    throw ValueError(message("[cross_entropy] expected finite class_weights of at least 0, got ", *first));
  if (!weights.empty() && weights.size() != classes)
    throw ValueError(message("[cross_entropy] expected ", classes, " class_weights, got ", weights.size()));
}

void check_vectors(std::string_view operation, const Variable& a, const Variable& b, double margin) {
  if (a.shape().size() != 2 || a.shape() != b.shape())
    throw ShapeError(
        message("[", operation, "] expected vectors (N, D) of one shape, got ", a.shape(), " and ", b.shape()));
  if (a.shape()[0] == 0) throw ValueError(message("[", operation, "] expected one vector or more, got ", a.shape()));
  if (!std::isfinite(margin)) throw ValueError(message("[", operation, "] expected a finite margin, got ", margin));
}

// d^2 / 2 where |d| <= limit, and its tangent beyond.
Variable huber(const Variable& d, double limit) {
  const Variable c = clamp(d, -limit, limit);
  return c * (d - 0.5 * c);
}

}  // namespace

Variable cross_entropy(const Variable& logits, const IndexTensor& targets, CrossEntropyOptions options) {
  if (logits.shape().size() > 2) {
    const Shape& shape = logits.shape();
    Shape expected = {shape[0]};
    expected.insert(expected.end(), shape.begin() + 2, shape.end());
    if (const Shape got(targets.shape().begin(), targets.shape().end()); got != expected)
      throw ShapeError(message("[cross_entropy] targets ", got, " do not match logits ", shape));
    IndexTensor flat = targets;
    flat.reshape({targets.size()});
    const Variable losses = cross_entropy(rows_of_positions(logits), flat, options);
    return options.reduction == Reduction::none ? reshape(losses, expected) : losses;
  }
  const double smoothing = options.label_smoothing;
  if (!(smoothing >= 0 && smoothing <= 1))
    throw ValueError(message("[cross_entropy] expected label_smoothing in [0, 1], got ", smoothing));
  detail::check_targets("cross_entropy", logits.shape(), targets, options.ignore_index);
  const std::size_t samples = logits.shape()[0], classes = logits.shape()[1];
  check_weights(options.class_weights, classes);
  const ClassTargets all{targets, smoothing, options.class_weights, options.ignore_index};
  const bool reduced = options.reduction != Reduction::none;

  const Tensor shifted = shift(logits.value()), e = map_registers(shifted, [](Register v) { return exp(v); });
  Tensor value = reduced ? zeros({}) : zeros({samples});
  double total = 0, weights = 0;
  const double spread = all.mean_weight(classes);
  for (std::size_t i = 0; i < samples; ++i) {  // row_sum log(sum_j exp(x_j)) - sum_j at_j x_j
    if (!all.counts(i)) continue;
    const auto target = static_cast<std::size_t>(targets.data()[i]);
    const Scalar *x = shifted.data() + i * classes, *exp_x = e.data() + i * classes;
    double loss = all.row_sum(i, spread) * std::log(std::accumulate(exp_x, exp_x + classes, 0.0));
    const auto subtract = [&loss, x](double share, std::size_t j) {  // a class without a share may be ruled out
      if (share != 0) loss -= share * static_cast<double>(x[j]);
    };
    subtract((1 - smoothing) * all.weight(target), target);
    if (smoothing > 0)
      for (std::size_t j = 0; j < classes; ++j) subtract(smoothing / static_cast<double>(classes) * all.weight(j), j);
    total += loss, weights += all.weight(target);
    if (!reduced) value.data()[i] = static_cast<Scalar>(loss);
  }
  if (options.reduction == Reduction::mean && !(weights > 0))
    throw ValueError(
        message("[cross_entropy] no target of ", samples, " counts, or has a weight: their mean is of nothing"));
  const double weight = options.reduction == Reduction::mean ? 1 / weights : 1;
  if (reduced) value.data()[0] = static_cast<Scalar>(weight * total);

  return record("cross_entropy", std::move(value), {logits},
                [all, weight, reduced](const Variable& loss, const Variable& g) {
                  const Variable row_weight = reduced ? g * weight : reshape(g, {all.classes.size(), 1});
                  return std::vector{residual(loss.input(0), all) * row_weight};
                });
}

Variable soft_cross_entropy(const Variable& logits, const Variable& target, Reduction reduction) {
  check_pair("soft_cross_entropy", logits, target);
  if (logits.shape().size() != 2)
    throw ShapeError(message("[soft_cross_entropy] expected logits (samples, classes), got ", logits.shape()));
  return reduce(-sum(target * log_softmax(logits), 1), reduction);
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

Variable focal_loss(const Variable& x, const Variable& target, FocalLossOptions options) {
  if (!(options.gamma >= 0 && std::isfinite(options.gamma) && options.alpha >= 0 && options.alpha <= 1))
    throw ValueError(message("[focal_loss] expected a finite gamma of 0 or more and alpha in [0, 1], got ",
                             options.gamma, " and ", options.alpha));
  check_pair("focal_loss", x, target);
  const Variable p = sigmoid(x), miss = p + target - 2 * p * target;  // 1 - the probability of the target
  const Variable alpha = options.alpha * target + (1 - options.alpha) * (1 - target);
  const Variable entropy = binary_cross_entropy_with_logits(x, target, Reduction::none);
  return reduce(alpha * pow(miss, options.gamma) * entropy, options.reduction);
}

Variable kl_div_loss(const Variable& log_p, const Variable& q, Reduction reduction) {
  check_pair("kl_div_loss", log_p, q);
  const Variable none(map_elements(q.value(), [](Scalar value) { return Scalar(value == 0); }));
  return reduce(q * (log(q + none) - log_p), reduction);
}

Variable gaussian_nll_loss(const Variable& x, const Variable& target, const Variable& variance,
                           GaussianNLLLossOptions options) {
  if (!(options.eps > 0 && std::isfinite(options.eps)))
    throw ValueError(message("[gaussian_nll_loss] expected a finite eps above 0, got ", options.eps));
  check_pair("gaussian_nll_loss", x, target);
  check_pair("gaussian_nll_loss", x, variance);
  const Variable v = clamp(variance, options.eps, std::numeric_limits<double>::infinity());
  return reduce(0.5 * (log(v) + square(x - target) / v), options.reduction);
}

Variable poisson_nll_loss(const Variable& x, const Variable& target, Reduction reduction) {
  check_pair("poisson_nll_loss", x, target);
  return reduce(exp(x) - target * x, reduction);
}

Variable hinge_loss(const Variable& x, const Variable& target, Reduction reduction) {
  check_pair("hinge_loss", x, target);
  return reduce(relu(1 - target * x), reduction);
}

Variable cosine_embedding_loss(const Variable& a, const Variable& b, const IndexTensor& target,
                               MarginLossOptions options) {
  constexpr std::string_view operation = "cosine_embedding_loss";
  check_vectors(operation, a, b, options.margin);
  if (target.shape() != Shape{a.shape()[0]})
    throw ShapeError(message("[", operation, "] expected a target for each of ", a.shape()[0], " pairs, got ",
                             Shape(target.shape().begin(), target.shape().end())));
  Tensor alike = zeros({target.size()});
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target(i) != 1 && target(i) != -1)
      throw ValueError(message("[", operation, "] expected targets 1 and -1, got ", target(i), " at position ", i));
    alike(i) = Scalar(target(i) == 1);
  }
  const Variable lengths = clamp(norm(a, 1) * norm(b, 1), 1e-8, std::numeric_limits<double>::infinity());
  const Variable cosine = sum(a * b, 1) / lengths, one(alike);
  return reduce(one * (1 - cosine) + (1 - one) * relu(cosine - options.margin), options.reduction);
}

Variable triplet_margin_loss(const Variable& anchor, const Variable& positive, const Variable& negative,
                             MarginLossOptions options) {
  check_vectors("triplet_margin_loss", anchor, positive, options.margin);
  check_vectors("triplet_margin_loss", anchor, negative, options.margin);
  return reduce(relu(norm(anchor - positive, 1) - norm(anchor - negative, 1) + options.margin), options.reduction);
}

}  // namespace xgrad::nn
