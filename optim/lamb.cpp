#include <xgrad/optim/elements.h>
#include <xgrad/optim/lamb.h>
#include <xgrad/optim/ranges.h>

namespace xgrad::optim {
namespace {

// r, of moments that have been brought forward. The same in both passes.
auto lamb_direction(const LambOptions& o, double t) {
  const auto of_m = Scalar(1 / (1 - std::pow(o.beta1, t))), scale = Scalar(1 / (1 - std::pow(o.beta2, t)));
  const auto eps = Scalar(o.eps), decay = Scalar(o.weight_decay);
  return [=](Register theta, Register m, Register v) { return of_m * m / (sqrt(scale * v) + eps) + decay * theta; };
}

}  // namespace

void LambRule::check() const {
  check_below_one(name(), "beta1", options.beta1);
  check_below_one(name(), "beta2", options.beta2);
  check_not_negative(name(), "eps", options.eps);
}

Corrections LambRule::corrections(double t) const {
  return {1 - std::pow(options.beta1, t), 1 - std::pow(options.beta2, t)};
}

void LambRule::sum(const Elements& elements, Sums& sums) const {
  const auto beta1 = Scalar(options.beta1), rest1 = Scalar(1 - options.beta1);
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar(1 - options.beta2);
  const auto direction = lamb_direction(options, elements.t);
  elements.add_each<2>(sums, [=](Register theta, Register g, Register& m, Register& v) {
    m = beta1 * m + rest1 * g;
    v = beta2 * v + rest2 * g * g;
    const Register r = direction(theta, m, v);
    return std::array{Register(theta * theta), Register(r * r)};
  });
}

void LambRule::update(const Elements& elements) const {
  const auto [of_theta, of_r, unused1, unused2] = elements.sums;
  const auto rate = Scalar(options.lr * (of_theta == 0 || of_r == 0 ? 1 : std::sqrt(of_theta / of_r)));
  const auto direction = lamb_direction(options, elements.t);
  elements.for_each<2>(
      [=](Register& theta, Register, Register& m, Register& v) { theta -= rate * direction(theta, m, v); });
}

void LarsRule::check() const {
  check_below_one(name(), "momentum", options.momentum);
  check_positive(name(), "trust", options.trust);
}

void LarsRule::sum(const Elements& elements, Sums& sums) const {
  elements.add_each<0>(sums, [](Register theta, Register g) {
    return std::array{Register(theta * theta), Register(g * g)};
  });
}

void LarsRule::update(const Elements& elements) const {
  const double of_theta = std::sqrt(elements.sums[0]), of_g = std::sqrt(elements.sums[1]);
  const double ratio = of_theta == 0 || of_g == 0 ? 1 : of_theta / (of_g + options.weight_decay * of_theta);
  const auto rate = Scalar(options.lr * options.trust * ratio), momentum = Scalar(options.momentum),
             decay = Scalar(options.weight_decay);
  elements.for_each<1>([=](Register& theta, Register g, Register& b) {
    b = momentum * b + rate * (g + decay * theta);
    theta -= b;
  });
}

}  // namespace xgrad::optim
