#include <xgrad/optim/elements.h>
#include <xgrad/optim/lion.h>
#include <xgrad/optim/ranges.h>

namespace xgrad::optim {

void LionRule::check() const {
  check_below_one(name(), "beta1", options.beta1);
  check_below_one(name(), "beta2", options.beta2);
}

void LionRule::update(const Elements& elements) const {
  const auto lr = Scalar(options.lr), beta1 = Scalar(options.beta1), rest1 = Scalar(1 - options.beta1);
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar(1 - options.beta2);
  elements.for_each<1>([=](Register& theta, Register g, Register& m) {
    const Register c = beta1 * m + rest1 * g;
    theta -= lr * select(isnan(c), c, sign(c));
    m = beta2 * m + rest2 * g;
  });
}

}  // namespace xgrad::optim
