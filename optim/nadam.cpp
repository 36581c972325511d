#include <xgrad/optim/elements.h>
#include <xgrad/optim/nadam.h>
#include <xgrad/optim/ranges.h>

namespace xgrad::optim {
namespace {

template <class Options>
Corrections moment_corrections(const Options& options, double t) {
  return {1 - std::pow(options.beta1, t), 1 - std::pow(options.beta2, t)};
}

// mu_t.
double momentum(const NAdamOptions& options, double t) {
  return options.beta1 * (1 - std::pow(0.96, t * options.momentum_decay) / 2);
}

template <class Options>
void check_moments(std::string_view name, const Options& options) {
  check_below_one(name, "beta1", options.beta1);
  check_below_one(name, "beta2", options.beta2);
  check_not_negative(name, "eps", options.eps);
}

}  // namespace

void NAdamRule::check() const {
  check_moments(name(), options);
  check_not_negative(name(), "momentum_decay", options.momentum_decay);
}

void NAdamRule::conclude(Numbers& numbers, const Sums&, double t, double) const { numbers[0] *= momentum(options, t); }

Corrections NAdamRule::corrections(double t) const { return moment_corrections(options, t); }

void NAdamRule::update(const Elements& elements) const {
  const double mu = momentum(options, elements.t), next = momentum(options, elements.t + 1);
  const auto beta1 = Scalar(options.beta1), rest1 = Scalar(1 - options.beta1);
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar(1 - options.beta2);
  const double product = (*elements.numbers)[0];
  const double product_next = product * next * (options.pytorch_1 ? mu : 1);
  const auto of_m = Scalar(options.lr * next / (1 - product_next));
  const auto of_g = Scalar(options.lr * (1 - mu) / (1 - product));
  const auto scale = Scalar(1 / (1 - std::pow(options.beta2, elements.t))), eps = Scalar(options.eps);
  elements.for_each<2>([=](Register& theta, Register g, Register& m, Register& v) {
    m = beta1 * m + rest1 * g;
    v = beta2 * v + rest2 * g * g;
    theta -= (of_m * m + of_g * g) / (sqrt(scale * v) + eps);
  });
}

void RAdamRule::check() const { check_moments(name(), options); }
Corrections RAdamRule::corrections(double t) const { return moment_corrections(options, t); }

void RAdamRule::update(const Elements& elements) const {
  const double t = elements.t, c1 = 1 - std::pow(options.beta1, t), c2 = 1 - std::pow(options.beta2, t);
  const double rho_end = 2 / (1 - options.beta2) - 1, rho = rho_end - 2 * t * (1 - c2) / c2;
  const bool tractable = rho > 5;
  const double r = std::sqrt((rho - 4) * (rho - 2) * rho_end / ((rho_end - 4) * (rho_end - 2) * rho));
  const auto beta1 = Scalar(options.beta1), rest1 = Scalar(1 - options.beta1);
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar(1 - options.beta2), eps = Scalar(options.eps);
  const auto rate = Scalar(options.lr / c1), rectified = Scalar(options.lr / c1 * r * std::sqrt(c2));
  elements.for_each<2>([=](Register& theta, Register g, Register& m, Register& v) {
    m = beta1 * m + rest1 * g;
    v = beta2 * v + rest2 * g * g;
    theta -= tractable ? rectified * m / (sqrt(v) + eps) : rate * m;
  });
}

}  // namespace xgrad::optim
