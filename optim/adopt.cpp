#include <xgrad/optim/adopt.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/ranges.h>

namespace xgrad::optim {

void AdoptRule::check() const {
  check_below_one(name(), "beta1", options.beta1);
  check_below_one(name(), "beta2", options.beta2);
  check_positive(name(), "eps", options.eps);
}

void AdoptRule::update(const Elements& elements) const {
  const bool first = elements.t == 1;
  const auto lr = Scalar(options.lr), eps = Scalar(options.eps), limit = Scalar(std::pow(elements.t - 1, 0.25));
  const auto beta1 = Scalar(options.beta1), rest1 = Scalar(1 - options.beta1);
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar(1 - options.beta2);
  elements.for_each<2>([=, clip = options.clip](Register& theta, Register g, Register& m, Register& v) {
    if (first) {
      v = g * g;
      theta += Scalar(0) * g;  // a NaN comes through
      return;
    }
    Register scaled = g / max(sqrt(v), Register(eps));
    if (clip) scaled = max(Register(-limit), min(Register(limit), scaled));
    m = beta1 * m + rest1 * scaled;
    theta -= lr * m;
    v = beta2 * v + rest2 * g * g;
  });
}

}  // namespace xgrad::optim
