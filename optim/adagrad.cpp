#include <xgrad/optim/adagrad.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/ranges.h>

namespace xgrad::optim {

void AdagradRule::check() const {
  check_not_negative(name(), "lr_decay", options.lr_decay);
  check_not_negative(name(), "initial_accumulator_value", options.initial_accumulator_value);
  check_not_negative(name(), "eps", options.eps);
}

void AdagradRule::update(const Elements& elements) const {
  const auto rate = Scalar(options.lr / (1 + (elements.t - 1) * options.lr_decay)), eps = Scalar(options.eps);
  const auto initial = Scalar(elements.t == 1 ? options.initial_accumulator_value : 0);
  elements.for_each<1>([=](Register& theta, Register g, Register& s) {
    s = (initial + s) + g * g;
    theta -= rate * g / (sqrt(s) + eps);
  });
}

void AdadeltaRule::check() const {
  check_below_one(name(), "rho", options.rho);
  check_not_negative(name(), "eps", options.eps);
}

void AdadeltaRule::update(const Elements& elements) const {
  const auto lr = Scalar(options.lr), eps = Scalar(options.eps);
  const auto rho = Scalar(options.rho), rest = Scalar(1 - options.rho);
  elements.for_each<2>([=](Register& theta, Register g, Register& v, Register& a) {
    v = rho * v + rest * g * g;
    const Register d = sqrt(a + eps) / sqrt(v + eps) * g;
    a = rho * a + rest * d * d;
    theta -= lr * d;
  });
}

}  // namespace xgrad::optim
