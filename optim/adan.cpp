#include <xgrad/optim/adan.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/ranges.h>

namespace xgrad::optim {

void AdanRule::check() const {
  check_below_one(name(), "beta1", options.beta1);
  check_below_one(name(), "beta2", options.beta2);
  check_below_one(name(), "beta3", options.beta3);
  check_not_negative(name(), "eps", options.eps);
}

Corrections AdanRule::corrections(double t) const {
  return {1 - std::pow(options.beta1, t), 1 - std::pow(options.beta2, t), 1 - std::pow(options.beta3, t)};
}

void AdanRule::update(const Elements& elements) const {
  const bool first = elements.t == 1;
  const Corrections correction = corrections(elements.t);
  const auto beta1 = Scalar(options.beta1), rest1 = Scalar(1 - options.beta1);
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar(1 - options.beta2);
  const auto beta3 = Scalar(options.beta3), rest3 = Scalar(1 - options.beta3);
  const auto of_m = Scalar(options.lr / correction[0]), of_v = Scalar(options.lr * options.beta2 / correction[1]);
  const auto scale = Scalar(1 / correction[2]), eps = Scalar(options.eps);
  elements.for_each<4>([=](Register& theta, Register g, Register& m, Register& v, Register& n, Register& before) {
    const Register difference = first ? Register(0) : g - before, ahead = g + beta2 * difference;
    m = beta1 * m + rest1 * g;
    v = beta2 * v + rest2 * difference;
    n = beta3 * n + rest3 * ahead * ahead;
    theta -= (of_m * m + of_v * v) / (sqrt(scale * n) + eps);
    before = g;
  });
}

}  // namespace xgrad::optim
