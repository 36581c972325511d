#include <xgrad/core/errors.h>
#include <xgrad/optim/ademamix.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/ranges.h>

namespace xgrad::optim {

void AdEMAMixRule::check() const {
  check_below_one(name(), "beta1", options.beta1);
  check_below_one(name(), "beta2", options.beta2);
  check_below_one(name(), "beta3", options.beta3);
  if (options.beta3 < options.beta1)
    throw ValueError(message("[", name(), "] beta3 must be at least beta1, ", options.beta1, ", got ", options.beta3));
  if (options.warm_up > 0) check_positive(name(), "beta1, with a warm_up,", options.beta1);
  check_not_negative(name(), "alpha", options.alpha);
  check_not_negative(name(), "warm_up", static_cast<double>(options.warm_up));
  check_not_negative(name(), "eps", options.eps);
}

Corrections AdEMAMixRule::corrections(double t) const {
  return {1 - std::pow(options.beta1, t), 1, 1 - std::pow(options.beta2, t)};
}

void AdEMAMixRule::update(const Elements& elements) const {
  const double done = elements.t < double(options.warm_up) ? elements.t / double(options.warm_up) : 1;
  const double fast = std::log(options.beta1), slow = std::log(options.beta3);
  const double slow_now = done == 1 ? options.beta3 : std::exp(fast * slow / ((1 - done) * slow + done * fast));
  const Corrections correction = corrections(elements.t);
  const auto beta1 = Scalar(options.beta1), rest1 = Scalar(1 - options.beta1);
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar(1 - options.beta2);
  const auto beta3 = Scalar(slow_now), rest3 = Scalar(1 - slow_now);
  const auto of_m1 = Scalar(options.lr / correction[0]), of_m2 = Scalar(options.lr * options.alpha * done);
  const auto scale = Scalar(1 / correction[2]), eps = Scalar(options.eps);
  elements.for_each<3>([=](Register& theta, Register g, Register& m1, Register& m2, Register& v) {
    m1 = beta1 * m1 + rest1 * g;
    m2 = beta3 * m2 + rest3 * g;
    v = beta2 * v + rest2 * g * g;
    theta -= (of_m1 * m1 + of_m2 * m2) / (sqrt(scale * v) + eps);
  });
}

}  // namespace xgrad::optim
