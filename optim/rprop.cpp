#include <xgrad/core/errors.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/ranges.h>
#include <xgrad/optim/rprop.h>

namespace xgrad::optim {

void RpropRule::check() const {
  check_positive(name(), "eta_minus", options.eta_minus);
  check_below_one(name(), "eta_minus", options.eta_minus);
  check_positive(name(), "step_min", options.step_min);
  if (!(options.eta_plus > 1)) throw ValueError(message("[Rprop] eta_plus must be above 1, got ", options.eta_plus));
  if (!(options.step_max >= options.step_min))
    throw ValueError(
        message("[Rprop] step_max must be at least step_min, ", options.step_min, ", got ", options.step_max));
}

void RpropRule::update(const Elements& elements) const {
  const auto shrinks = Scalar(options.eta_minus), grows = Scalar(options.eta_plus), lr = Scalar(options.lr);
  const auto least = Scalar(options.step_min), most = Scalar(options.step_max);
  elements.for_each<2>([=, first = elements.t == 1](Register& theta, Register g, Register& before, Register& length) {
    if (first) length = lr;
    const Register zero = 0, product = g * before;
    length = select(product > zero, min(length * grows, Register(most)), length);
    length = select(product < zero, max(length * shrinks, Register(least)), length);
    before = select(product < zero, zero, g);
    theta -= select(isnan(before), before, sign(before)) * length;
  });
}

void ASGDRule::check() const {
  check_not_negative(name(), "lambd", options.lambd);
  check_not_negative(name(), "alpha", options.alpha);
  check_not_negative(name(), "t0", options.t0);
}

void ASGDRule::update(const Elements& elements) const {
  const double s = elements.t - 1, eta = options.lr / std::pow(1 + options.lambd * options.lr * s, options.alpha);
  const auto rate = Scalar(eta), shrink = Scalar(1 - options.lambd * eta),
             share = Scalar(1 / std::max(1.0, s - options.t0));
  elements.for_each<1>([=](Register& theta, Register g, Register& average) {
    theta = shrink * theta - rate * g;
    average += share * (theta - average);
  });
}

void ASGDRule::evaluation_weights(const Elements& elements) const {
  elements.for_each<1>([](Register& theta, Register, Register& average) { theta = average; });
}

void FTRLRule::check() const {
  check_not_negative(name(), "beta", options.beta);
  check_not_negative(name(), "l1", options.l1);
  check_not_negative(name(), "l2", options.l2);
}

void FTRLRule::update(const Elements& elements) const {
  if (options.lr == 0) return;  // where a schedule ends
  const auto over = Scalar(1 / options.lr), beta = Scalar(options.beta), l1 = Scalar(options.l1),
             l2 = Scalar(options.l2);
  elements.for_each<2>([=, first = elements.t == 1](Register& theta, Register g, Register& z, Register& n) {
    if (first) z = Register(0) - theta * (beta * over + l2) - sign(theta) * l1;
    const Register root = sqrt(n + g * g);
    z += g - (root - sqrt(n)) * over * theta;
    n += g * g;
    const Register moved = (z - sign(z) * l1) / ((beta + root) * over + l2);
    theta = select(abs(z) <= Register(l1), Register(0), Register(0) - moved);
  });
}

}  // namespace xgrad::optim
