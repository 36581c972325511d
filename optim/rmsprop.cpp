#include <xgrad/optim/elements.h>
#include <xgrad/optim/ranges.h>
#include <xgrad/optim/rmsprop.h>

namespace xgrad::optim {

void RMSpropRule::check() const {
  check_below_one(name(), "alpha", options.alpha);
  check_not_negative(name(), "eps", options.eps);
  check_up_to_one(name(), "momentum", options.momentum);
}

void RMSpropRule::update(const Elements& elements) const {
  const auto lr = Scalar(options.lr), momentum = Scalar(options.momentum), eps = Scalar(options.eps);
  const auto alpha = Scalar(options.alpha), rest = Scalar(1 - options.alpha);
  const bool centered = options.centered;
  elements.for_each<3>([=](Register& theta, Register g, Register& v, Register& b, Register& mean) {
    v = alpha * v + rest * g * g;
    Register variance = v;
    if (centered) {
      mean = alpha * mean + rest * g;
      variance = max(Register(0), v - mean * mean);  // rounding must not make it negative
    }
    Register step = g / (sqrt(variance) + eps);
    if (momentum > 0) step = b = momentum * b + step;
    theta -= lr * step;
  });
}

}  // namespace xgrad::optim
