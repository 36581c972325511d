#include <xgrad/autograd/factors.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/random.h>
#include <xgrad/optim/kfac.h>
#include <xgrad/optim/matrices.h>
#include <xgrad/optim/ranges.h>

#include <limits>
#include <unordered_set>

namespace xgrad::optim {
namespace {

constexpr std::size_t factor = 0, inverse_factor = 2, direction = 4, velocity = 5;  // factors: A, and after it G

bool now(double t, std::int64_t every) { return std::fmod(t - 1, static_cast<double>(every)) == 0; }

// All operations behind the loss, in an order that the graph alone decides.
std::vector<Variable> operations_behind(const Variable& loss) {
  std::vector<Variable> found = {loss};
  std::unordered_set<const Node*> seen = {loss.node()};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Variable current = found[i];
    for (const Variable& input : current.inputs())
      if (input && !input.operation().empty() && seen.insert(input.node()).second) found.push_back(input);
  }
  return found;
}

// What a model predicts a distribution with, and for each sample the gradient of -log p(y) with respect to it.
struct Prediction {
  Variable at;  // empty where none was found
  Tensor gradient;
  double samples() const { return at.shape().empty() ? 1 : static_cast<double>(at.shape()[0]); }
};

// With y from that distribution.
Prediction draw(const std::vector<Variable>& operations, Generator generator) {
  Variable entropy, loss = operations[0];
  for (const Variable& operation : operations) {
    if (operation.operation() != "cross_entropy") continue;
    if (entropy) return {};
    entropy = operation;
  }
  if (entropy) {  // p(y) = softmax: the gradient is softmax - onehot(y)
    Tensor gradient = softmax(entropy.input(0).detach()).value();
    const std::size_t classes = gradient.shape()[1];
    for (Scalar* row = gradient.data(); row != gradient.data() + gradient.size(); row += classes) {
      double rest = generator.uniform();
      std::size_t y = 0;
      while (y + 1 < classes && (rest -= double(row[y])) >= 0) ++y;
      row[y] -= 1;
    }
    return {entropy.input(0), gradient};
  }
  // d^2 / k, summed over the elements of a sample, is the -log p(y) of a normal y whose variance is k / 2, and the
  // gradient, 2 / k (f - y), has the variance 2 / k.
  double divisor = 1;
  if (loss.operation() == "divide" && loss.input(1).size() == 1) {
    divisor = static_cast<double>(loss.input(1).item());
    loss = loss.input(0);
  }
  for (const char* const operation : {"sum", "square"}) {
    if (loss.operation() != operation) return {};
    loss = loss.input(0);
  }
  if (loss.operation() != "subtract" || !(divisor > 0)) return {};
  Prediction result{loss, {}};
  const double k = divisor / result.samples();
  result.gradient = generator.normal(loss.shape(), 0, std::sqrt(2 / k));
  return result;
}

// (weights of an output, positions): what a convolution y multiplies in an image.
Tensor patches(const Variable& y, std::size_t image) {
  const Shape &in = y.input(0).shape(), &kernel = y.input(1).shape(), &out = y.shape();
  // For each element of the kernel what it reads at each position. Before the image's begin wraps around to far behind
  // its end.
  const auto reads = [&](std::size_t axis) {
    const auto number = [&](const char* name) { return static_cast<std::size_t>(y.attributes().at(name)[axis]); };
    const std::size_t stride = number("strides"), dilation = number("dilations"), pad = number("pads");
    std::vector<std::vector<std::size_t>> result(kernel[2 + axis]);
    for (std::size_t k = 0; k < result.size(); ++k)
      for (std::size_t q = 0; q < out[2 + axis]; ++q) result[k].push_back(q * stride + k * dilation - pad);
    return result;
  };
  const auto rows = reads(0), columns = reads(1);
  Tensor result = uninitialized({kernel[1] * kernel[2] * kernel[3], out[2] * out[3]});
  Scalar* to = result.data();
  const Scalar* channel = y.input(0).value().data() + image * in[1] * in[2] * in[3];
  for (std::size_t c = 0; c < in[1]; ++c, channel += in[2] * in[3])
    for (const auto& rows_of_element : rows)
      for (const auto& columns_of_element : columns)
        for (const std::size_t row : rows_of_element)
          for (const std::size_t column : columns_of_element)
            *to++ = row < in[2] && column < in[3] ? channel[row * in[3] + column] : 0;
  return result;
}

// What an operation y that reads a weight adds to A and G, before they are divided. Returns the number of a's.
double add_to_factors(const Variable& y, const Tensor& gradient, Tensor& a, Tensor& g) {
  if (y.operation() == "linear") {
    const Tensor& x = y.input(0).value();
    gemm(x, x, a, {.transpose_a = true, .accumulate = true});
    gemm(gradient, gradient, g, {.transpose_a = true, .accumulate = true});
    return static_cast<double>(x.shape()[0]);
  }
  const std::size_t images = y.shape()[0], outputs = y.shape()[1], positions = y.shape()[2] * y.shape()[3];
  Tensor of_image = uninitialized({outputs, positions});
  for (std::size_t image = 0; image < images; ++image) {  // one at a time: patches are larger than what they are of
    const Tensor read = patches(y, image);
    std::copy_n(gradient.data() + image * of_image.size(), of_image.size(), of_image.data());
    gemm(read, read, a, {.transpose_b = true, .accumulate = true});
    gemm(of_image, of_image, g, {.transpose_b = true, .accumulate = true});
  }
  return static_cast<double>(images * positions);
}

double mean_of_diagonal(const Tensor& x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.shape()[0]; ++i) sum += double(x(i, i));
  return sum / static_cast<double>(x.shape()[0]);
}

}  // namespace

void KFACRule::check() const {
  check_below_one(name(), "momentum", options.momentum);
  check_positive(name(), "damping", options.damping);
  check_not_negative(name(), "kl_clip", options.kl_clip);
  check_below_one(name(), "stat_decay", options.stat_decay);
  check_count(name(), "update_every", options.update_every);
  check_count(name(), "inverse_every", options.inverse_every);
}

Slots KFACRule::slots() const {
  return {Slot("a", columns_by_columns),
          Slot("g", rows_by_rows),
          Slot("a_inverse", columns_by_columns),
          Slot("g_inverse", rows_by_rows),
          "direction",
          options.momentum > 0 ? "momentum_buffer" : ""};
}

Needs KFACRule::needs(double t) const { return now(t, options.update_every) ? Needs::graph : Needs::gradient; }

std::vector<SlotTensors> KFACRule::observe(const LossGraph& graph, const std::vector<Elements>& parameters) const {
  const std::vector<Variable> operations = operations_behind(graph.loss);
  std::vector<Variable> outputs;       // of the operations that read a parameter
  std::vector<std::size_t> ends = {};  // of those of each parameter
  for (const Elements& elements : parameters) {
    const auto& [parameter, weight] = graph.parameters[elements.parameter];
    const auto refuse = [&, &of = parameter](std::string_view why) {
      throw ValueError(
          message("[", name(), "] '", of, "' ", *elements.shape, why, ": put it into a group with another rule"));
    };
    const std::size_t begin = outputs.size();
    for (const Variable& y : operations) {
      const std::string_view operation = y.operation();
      if ((operation != "linear" && operation != "conv2d") || y.input(1).node() != weight.node()) continue;
      if (operation == "conv2d" && y.attributes().at("group")[0] != 1) refuse(" is read by a convolution in groups");
      outputs.push_back(y);
    }
    if (outputs.size() == begin) refuse(" is read by no linear() or conv2d()");
    ends.push_back(outputs.size());
  }

  const double t = parameters[0].t;
  const Prediction drawn = draw(operations, Generator(options.seed, static_cast<std::uint64_t>(t)));
  const bool empirical = options.empirical || !drawn.at;
  // Without a prediction there are as many samples as the operation with the fewest rows reads: others see positions.
  double samples = drawn.at ? drawn.samples() : std::numeric_limits<double>::infinity();
  if (!drawn.at)
    for (const Variable& y : outputs) samples = std::min(samples, static_cast<double>(y.shape()[0]));
  const Variable root = empirical ? graph.loss : xgrad::sum(drawn.at * Variable(drawn.gradient));
  const Gradients gradients = grad(root, outputs, {.retain_graph = true, .allow_unused = true});
  // The loss is a mean, and its gradient that of a sample divided by their number.
  const double scale = empirical ? samples : 1 / samples;

  const double estimate = std::floor((t - 1) / static_cast<double>(options.update_every)) + 1;
  const double kept = std::min(1 - 1 / estimate, options.stat_decay);
  std::vector<SlotTensors> result(parameters.size());
  for (std::size_t i = 0, k = 0; i < parameters.size(); ++i) {
    Tensor sums[] = {zeros(columns_by_columns(*parameters[i].shape)), zeros(rows_by_rows(*parameters[i].shape))};
    double count = 0;
    for (; k < ends[i]; ++k) count += add_to_factors(outputs[k], gradients[k].value(), sums[0], sums[1]);
    if (count == 0) continue;  // an empty batch
    for (std::size_t side = 0; side < 2; ++side) {
      const auto old = Scalar(kept), added = Scalar((1 - kept) * (side == 0 ? 1 / count : scale));
      const Scalar* const before = parameters[i].state[factor + side];
      for (std::size_t at = 0; at < sums[side].size(); ++at)
        sums[side].data()[at] = old * before[at] + added * sums[side].data()[at];
      result[i][factor + side] = std::move(sums[side]);
    }
  }
  return result;
}

void KFACRule::invert(const Elements& elements) const {
  Tensor damped[] = {state_matrix(elements, factor), state_matrix(elements, factor + 1)};
  const double means[] = {mean_of_diagonal(damped[0]), mean_of_diagonal(damped[1])};
  const double pi = means[0] > 0 && means[1] > 0 ? std::sqrt(means[0] / means[1]) : 1,
               root = std::sqrt(options.damping);
  // LAPACK works on one thread: both sides at once are two.
  parallel_for(2, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t side = begin; side < end; ++side) {
      Tensor& x = damped[side];
      const std::size_t n = x.shape()[0];
      Tensor one = zeros(x.shape());
      // Less than the rounding error of the sum that x is would not make it positive definite.
      const double rounding = static_cast<double>(n) * std::numeric_limits<Scalar>::epsilon() * means[side];
      for (std::size_t i = 0; i < n; ++i)
        x(i, i) += Scalar(std::max(side == 0 ? pi * root : root / pi, rounding)), one(i, i) = 1;
      keep(elements, inverse_factor + side,
           all_finite(x) ? factors::solve(*factors::lu(name(), x), one, false)
                         : full(x.shape(), std::numeric_limits<Scalar>::quiet_NaN()));
    }
  });
}

void KFACRule::sum(const Elements& elements, Sums& sums) const {
  if (now(elements.t, options.inverse_every)) invert(elements);
  const Tensor gradient = gradient_matrix(elements);
  const Tensor step =
      product(product(state_matrix(elements, inverse_factor + 1), gradient), state_matrix(elements, inverse_factor));
  keep(elements, direction, step);
  for (std::size_t i = 0; i < step.size(); ++i) sums[0] += double(step.data()[i]) * double(gradient.data()[i]);
}

void KFACRule::update(const Elements& elements) const {
  const double length = options.lr * options.lr * elements.sums[0];  // squared, by the Fisher
  const double nu = options.kl_clip > 0 && length > options.kl_clip ? std::sqrt(options.kl_clip / length) : 1;
  const Tensor step = state_matrix(elements, direction);
  if (options.momentum == 0) return descend(elements, step, options.lr * nu);
  blend(elements, velocity, options.momentum, nu, step);
  descend(elements, state_matrix(elements, velocity), options.lr);
}

}  // namespace xgrad::optim
