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

// Moves z by -step, and x and y after it. `weights` is the sum of all squared rates, this one included.
auto follow(double beta, double rate, double weights) {
  const double share = weights > 0 ? rate * rate / weights : 0;
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
  numbers[0] += std::pow(rate_of(options, t), 2);
}

void ScheduleFreeSGDRule::update(const Elements& elements) const {
  const double gamma = rate_of(options, elements.t);
  const auto move = follow(options.beta, gamma, (*elements.numbers)[0]);
  elements.for_each<1>([=, rate = Scalar(gamma), first = elements.t == 1](Register& y, Register g, Register& z) {
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
  numbers[0] += std::pow(rate_of(options, t), 2);
}

void ScheduleFreeAdamWRule::update(const Elements& elements) const {
  const double gamma = rate_of(options, elements.t);
  const auto rate = Scalar(gamma), eps = Scalar(options.eps), decay = Scalar(options.weight_decay);
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar(1 - options.beta2);
  const auto move = follow(options.beta1, gamma, (*elements.numbers)[0]);
  elements.for_each<2>([=, first = elements.t == 1](Register& y, Register g, Register& z, Register& v) {
    if (first) z = y;
    v = beta2 * v + rest2 * g * g;
    move(y, z, rate * (g / (sqrt(v) + eps) + decay * y));
  });
}

void ScheduleFreeAdamWRule::evaluation_weights(const Elements& elements) const { average(elements, options.beta1); }

}  // namespace xgrad::optim
