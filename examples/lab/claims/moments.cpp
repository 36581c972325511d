// Claims about what the states are: a variance (14), a norm of the vector (15), a filter (17), a limit of norms (20).
#include <xgrad/autograd/ops.h>
#include <xgrad/core/random.h>
#include <xgrad/optim/adamax.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "../experiment.h"
#include "claims.h"
#include "verdicts.h"

namespace lab {
namespace {

using namespace xgrad;

// Gives a parameter one gradient after the other, and lets `look` see the optimizer after each step.
void feed(optim::Optimizer& optimizer, const Variable& x, std::size_t steps,
          const std::function<Tensor(std::size_t)>& gradient, const std::function<void(std::size_t)>& look) {
  for (std::size_t t = 1; t <= steps; ++t) {
    optimizer.zero_grad();
    sum(x * Variable(gradient(t))).backward();
    optimizer.step();
    look(t);
  }
}

}  // namespace

Blocks variance(const Context& context) {
  constexpr std::size_t steps = 3000;
  constexpr double noise = 0.5;
  Table table = {
      "14-numbers", say::variance_numbers{}, {"mean of the gradient", "its variance", "v̂", "v̂ / variance"}, {}};
  std::vector<double> judged;
  for (const double mean : {0.0, 0.5, 1.0}) {
    std::vector<double> estimates, ratios;
    for (const std::uint64_t seed : seeds(context)) {
      const Variable x(zeros({100}), true);
      const auto optimizer = rule("adam").make({{"x", x}}, {.lr = 1e-3});
      Generator generator(seed);
      feed(
          *optimizer, x, steps,
          [&](std::size_t) {
            Tensor g = generator.normal({100});
            for (Scalar& one : g) one = static_cast<Scalar>(mean + noise * double{one});
            return g;
          },
          [](std::size_t) {});
      double sum = 0;
      for (const Scalar v : optimizer->state("x", "exp_avg_sq")) sum += double{v};
      estimates.push_back(sum / 100 / (1 - std::pow(0.999, steps)));
      ratios.push_back(estimates.back() / (noise * noise));
    }
    table.rows.push_back({number_text(mean, 1), Cell(noise * noise), Cell::spread(estimates), Cell::spread(ratios)});
    judged = ratios;
  }
  const Verdict verdict = judge::variance(judged);
  return {
      Claim{14, say::variance_claim{}, verdict,
            either(verdict, say::variance_yes{}, say::variance_no{.ratio = median(judged)}, say::variance_undecided{})},
      Text{say::variance_rule{}}, table};
}

Blocks infinity_norm(const Context&) {
  const Variable x(zeros({3}), true);
  const auto optimizer = rule("adamax").make({{"x", x}}, {.lr = 1e-3});
  const std::vector<std::vector<Scalar>> gradients = {{1, 10, 100}, {Scalar(0.5), 1, 1}, {2, 1, 1}};
  Table table = {"15-numbers", say::norm_numbers{}, {"step", "gradient", "its largest element", "u"}, {}};
  bool of_vector = true;
  const auto list = [](const Tensor& values) {
    std::string text;
    for (const Scalar one : values) text += (text.empty() ? "" : ", ") + number_text(double{one});
    return text;
  };
  const auto gradient = [&](std::size_t t) {
    Tensor g = Tensor::from_shape({3});
    std::copy(gradients[t - 1].begin(), gradients[t - 1].end(), g.begin());
    return g;
  };
  feed(*optimizer, x, gradients.size(), gradient, [&](std::size_t t) {
    const Tensor& u = optimizer->state("x", "exp_inf");
    const Scalar largest = *std::max_element(gradients[t - 1].begin(), gradients[t - 1].end());
    of_vector =
        of_vector && std::all_of(u.begin(), u.end(), [&](Scalar one) { return std::abs(one - largest) < 0.01; });
    table.rows.push_back({std::to_string(t), list(gradient(t)), number_text(double{largest}), list(u)});
  });
  const Verdict verdict = decided(of_vector);
  return {Claim{15, say::norm_claim{}, verdict, either(verdict, say::norm_yes{}, say::norm_no{}, "")},
          Text{say::norm_rule{}}, table};
}

Blocks low_pass(const Context&) {
  constexpr std::size_t steps = 2000;
  Line measured = {.label = "m, measured", .color = "adam", .x = {}, .y = {}},
       formula = {.label = "(1 - β₁) / |1 - β₁ e^(-2πif)|", .color = "n5", .x = {}, .y = {}, .dashed = true};
  for (const double f : log_spaced(0.002, 0.5, 25)) {
    const Variable x(zeros({1}), true);
    const auto optimizer = rule("adam").make({{"x", x}}, {.lr = 1e-3});
    double largest = 0;
    feed(
        *optimizer, x, steps,
        [f](std::size_t t) {
          Tensor g = Tensor::from_shape({1});
          g.fill(static_cast<Scalar>(std::cos(2 * std::numbers::pi * f * static_cast<double>(t))));
          return g;
        },
        [&](std::size_t t) {
          if (t > steps / 2) largest = std::max(largest, std::abs(double{optimizer->state("x", "exp_avg")(0)}));
        });
    measured.x.push_back(f), measured.y.push_back(largest);
    formula.x.push_back(f);
    formula.y.push_back(0.1 / std::sqrt(1 + 0.81 - 1.8 * std::cos(2 * std::numbers::pi * f)));
  }
  const double slow = measured.y.front(), fast = measured.y.back();
  const Verdict verdict = decided(fast > slow);
  return {Claim{17, say::filter_claim{}, verdict,
                either(verdict, say::filter_yes{.fast = fast, .slow = slow}, say::filter_no{.fast = fast, .slow = slow},
                       "")},
          Text{say::filter_rule{}},
          LineChart{.name = "17-gain",
                    .title = say::filter_title{},
                    .note = say::filter_note{},
                    .x = {.label = "frequency f of the gradient, in periods a step", .logarithmic = true},
                    .y = {.label = "largest |m|", .logarithmic = true},
                    .lines = {measured, formula}}};
}

Blocks limit_of_norms(const Context& context) {
  constexpr std::size_t steps = 500;
  Generator generator(context.seed);
  std::vector<double> gradients;
  for (std::size_t t = 0; t < steps; ++t) gradients.push_back(generator.normal());
  const Variable x(zeros({1}), true);
  const auto optimizer = rule("adamax").make({{"x", x}}, {.lr = 1e-3});
  std::vector<double> u;
  feed(
      *optimizer, x, steps,
      [&](std::size_t t) {
        Tensor g = Tensor::from_shape({1});
        g.fill(static_cast<Scalar>(gradients[t - 1]));
        return g;
      },
      [&](std::size_t) { u.push_back(double{optimizer->state("x", "exp_inf")(0)}); });
  Line line = {.label = "largest difference from u", .color = "adamax", .x = {}, .y = {}};
  for (const double p : {2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0}) {
    // v ← β₂ᵖ v + (1 - β₂ᵖ) |g|ᵖ, in logarithms, since |g|ᵖ is beyond every number's range.
    const double keep = p * std::log(0.999), take = std::log1p(-std::exp(keep));
    double log_v = -INFINITY, furthest = 0;
    for (std::size_t t = 0; t < steps; ++t) {
      const double a = keep + log_v, b = take + p * std::log(std::abs(gradients[t])), most = std::max(a, b);
      log_v = most + std::log(std::exp(a - most) + std::exp(b - most));
      furthest = std::max(furthest, std::abs(std::exp(log_v / p) / u[t] - 1));
    }
    line.x.push_back(p), line.y.push_back(furthest);
  }
  const bool limit = line.y.back() < 0.05;
  return {
      Claim{20, say::origin_claim{}, decided(!limit),
            either(decided(limit), say::origin_limit{.difference = 100 * line.y.back()}, say::origin_no_limit{}, "")},
      Text{say::origin_rule{}},
      LineChart{.name = "20-norms",
                .title = say::origin_title{},
                .note = say::origin_note{.steps = steps},
                .x = {.label = "p", .logarithmic = true},
                .y = {.label = "largest |ᵖ√v / u - 1|", .logarithmic = true},
                .lines = {line}}};
}

}  // namespace lab
