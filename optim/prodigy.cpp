#include <xgrad/optim/elements.h>
#include <xgrad/optim/prodigy.h>
#include <xgrad/optim/ranges.h>

namespace xgrad::optim {
namespace {

// d is the first number: the third remembers the one that this step is made with. A NaN does not become an estimate.
void estimate(Numbers& numbers, double r, double over) {
  numbers[1] = r;
  numbers[2] = numbers[0];
  if (over > 0 && r / over > numbers[0]) numbers[0] = r / over;
}

}  // namespace

void EstimatingRule::check() const {
  check_below_one(name(), "beta1", options.beta1);
  check_below_one(name(), "beta2", options.beta2);
  check_not_negative(name(), "eps", options.eps);
  check_positive(name(), "d0", options.d0);
}

void ProdigyRule::sum(const Elements& elements, Sums& sums) const {
  const double kept = std::sqrt(options.beta2), d = (*elements.numbers)[0], scaled = d / options.d0;
  const auto keep = Scalar(kept), take = Scalar((1 - kept) * options.lr * scaled * scaled);
  const bool first = elements.t == 1;
  elements.add_each<4>(sums, [=](Register theta, Register g, Register&, Register&, Register& s, Register& start) {
    if (first) start = theta;
    s = keep * s + take * g;
    return std::array{Register(g * (start - theta)), abs(s)};
  });
}

void ProdigyRule::conclude(Numbers& numbers, const Sums& sums, double, double) const {
  const double kept = std::sqrt(options.beta2), scaled = numbers[0] / options.d0;
  estimate(numbers, kept * numbers[1] + (1 - kept) * options.lr * scaled * scaled * sums[0], sums[1]);
}

void ProdigyRule::update(const Elements& elements) const {
  const double d = (*elements.numbers)[2];
  const auto beta1 = Scalar(options.beta1), rest1 = Scalar((1 - options.beta1) * d);
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar((1 - options.beta2) * d * d);
  const auto rate = Scalar(options.lr * d), eps = Scalar(d * options.eps),
             shrink = Scalar(1 - options.lr * d * options.weight_decay);
  elements.for_each<2>([=](Register& theta, Register g, Register& m, Register& v) {
    m = beta1 * m + rest1 * g;
    v = beta2 * v + rest2 * g * g;
    theta = shrink * theta - rate * m / (sqrt(v) + eps);
  });
}

void DAdaptAdamRule::sum(const Elements& elements, Sums& sums) const {
  const double kept = std::sqrt(options.beta2), d = (*elements.numbers)[0];
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar(1 - options.beta2), eps = Scalar(options.eps);
  const auto keep = Scalar(kept), take = Scalar((1 - kept) * options.lr * d);
  elements.add_each<3>(sums, [=](Register, Register g, Register&, Register& v, Register& s) {
    v = beta2 * v + rest2 * g * g;
    const Register product = g * s / (sqrt(v) + eps);
    s = keep * s + take * g;
    return std::array{product, abs(s)};
  });
}

void DAdaptAdamRule::conclude(Numbers& numbers, const Sums& sums, double, double) const {
  const double kept = std::sqrt(options.beta2);
  estimate(numbers, kept * numbers[1] + (1 - kept) * options.lr * numbers[0] * sums[0], (1 - kept) * sums[1]);
}

void DAdaptAdamRule::update(const Elements& elements) const {
  const double rate = options.lr * (*elements.numbers)[2];
  const auto beta1 = Scalar(options.beta1), rest1 = Scalar((1 - options.beta1) * rate), eps = Scalar(options.eps),
             shrink = Scalar(1 - rate * options.weight_decay);
  elements.for_each<2>([=](Register& theta, Register g, Register& m, Register& v) {
    m = beta1 * m + rest1 * g;
    theta = shrink * theta - m / (sqrt(v) + eps);
  });
}

}  // namespace xgrad::optim
