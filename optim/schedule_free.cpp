#include <xgrad/core/errors.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/ranges.h>
#include <xgrad/optim/schedule_free.h>

namespace xgrad::optim {
namespace {

void check_between(std::string_view name, std::string_view option, double beta, std::int64_t warm_up) {
  check_positive(name, option, beta);
  check_below_one(name, option, beta);
  check_not_negative(name, "warm_up", static_cast<double>(warm_up));
}

double warmed_up(double rate, std::int64_t warm_up, double t) {
  return warm_up > 0 ? rate * std::min(1.0, t / static_cast<double>(warm_up)) : rate;
}

double rate_of(const ScheduleFreeSGDOptions& o, double t) { return warmed_up(o.lr, o.warm_up, t); }
double rate_of(const ScheduleFreeAdamWOptions& o, double t) {
  return warmed_up(o.lr * std::sqrt(1 - std::pow(o.beta2, t)), o.warm_up, t);
}

// The second number is the share of z in the average.
void weigh(Numbers& numbers, double rate) {
  numbers[0] += rate * rate;
  numbers[1] = numbers[0] > 0 ? rate * rate / numbers[0] : 0;
}

// Moves z by -step(), and x and y after it.
auto follow(double beta, double share) {
  return [beta = Scalar(beta), rest = Scalar(1 - beta), share = Scalar(share), others = Scalar(1 - share)](
             Register& y, Register& z, Register step) {
    const Register x = (y - rest * z) / beta;
    z -= step;
    y = rest * z + beta * (others * x + share * z);
  };
}

void average(const Elements& elements, double beta) {
  elements.for_each<1>([beta = Scalar(beta), rest = Scalar(1 - beta)](Register& y, Register, Register& z) {
    y = (y - rest * z) / beta;
  });
}

}  // namespace

void ScheduleFreeSGDRule::check() const { check_between(name(), "beta", options.beta, options.warm_up); }

void ScheduleFreeSGDRule::conclude(Numbers& numbers, const Sums&, double t, double) const {
  weigh(numbers, rate_of(options, t));
}

void ScheduleFreeSGDRule::update(const Elements& elements) const {
  const auto rate = Scalar(rate_of(options, elements.t));
  const auto move = follow(options.beta, (*elements.numbers)[1]);
  elements.for_each<1>([=, first = elements.t == 1](Register& y, Register g, Register& z) {
    if (first) z = y;
    move(y, z, rate * g);
  });
}

void ScheduleFreeSGDRule::evaluation_weights(const Elements& elements) const { average(elements, options.beta); }

void ScheduleFreeAdamWRule::check() const {
  check_between(name(), "beta1", options.beta1, options.warm_up);
  check_below_one(name(), "beta2", options.beta2);
  check_not_negative(name(), "eps", options.eps);
}

void ScheduleFreeAdamWRule::conclude(Numbers& numbers, const Sums&, double t, double) const {
  weigh(numbers, rate_of(options, t));
}

void ScheduleFreeAdamWRule::update(const Elements& elements) const {
  const auto rate = Scalar(rate_of(options, elements.t)), eps = Scalar(options.eps),
             decay = Scalar(options.weight_decay);
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar(1 - options.beta2);
  const auto move = follow(options.beta1, (*elements.numbers)[1]);
  elements.for_each<2>([=, first = elements.t == 1](Register& y, Register g, Register& z, Register& v) {
    if (first) z = y;
    v = beta2 * v + rest2 * g * g;
    move(y, z, rate * (g / (sqrt(v) + eps) + decay * y));
  });
}

void ScheduleFreeAdamWRule::evaluation_weights(const Elements& elements) const { average(elements, options.beta1); }

}  // namespace xgrad::optim
