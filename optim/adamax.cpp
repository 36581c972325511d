#include <xgrad/optim/adamax.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/missed_steps.h>
#include <xgrad/optim/ranges.h>

#include <limits>

namespace xgrad::optim {
namespace {

struct AdamaxConstants {
  template <class Options>
  AdamaxConstants(const Options& o, double t) : beta1(Scalar(o.beta1)), beta2(Scalar(o.beta2)) {
    const bool inside = o.dialect == Dialect::pytorch || o.dialect == Dialect::optax;
    alpha = Scalar(corrects_bias(o) ? o.lr / (1 - std::pow(o.beta1, t)) : o.lr), rest1 = Scalar(1 - o.beta1);
    inner_eps = Scalar(inside ? o.eps : 0), outer_eps = Scalar(inside || o.dialect == Dialect::paper ? 0 : o.eps);
  }
  Scalar beta1, beta2, rest1, alpha, inner_eps, outer_eps;
};

auto rule(const AdamaxConstants& c) {
  return [c](Register& theta, Register g, Register& m, Register& u) {
    m = c.beta1 * m + c.rest1 * g;
    u = max(c.beta2 * u, abs(g) + c.inner_eps);
    const Register below = u + c.outer_eps;
    theta -= select(below == Register(0), Register(0), c.alpha * m / below);
  };
}

void row_shared_rule(const Elements& elements, const AdamaxConstants& c) {
  elements.for_each_row([&c](const Elements& row) {
    Scalar& u = *row.state[1];
    const Scalar kept = c.beta2 * u, now = row.largest_gradient() + c.inner_eps;
    u = now <= kept ? kept : now;  // a NaN comes through
    const Scalar below = u + c.outer_eps, rate = below == 0 ? 0 : c.alpha / below;
    row.for_each<1>([&c, rate](Register& theta, Register g, Register& m) {
      m = c.beta1 * m + c.rest1 * g;
      theta -= rate * m;
    });
  });
}

}  // namespace

template <bool decoupled>
void BasicAdamaxRule<decoupled>::check() const {
  check_below_one(name(), "beta1", options.beta1);
  check_below_one(name(), "beta2", options.beta2);
  check_not_negative(name(), "eps", options.eps);
}

template <bool decoupled>
Corrections BasicAdamaxRule<decoupled>::corrections(double t) const {
  return {corrects_bias(options) ? 1 - std::pow(options.beta1, t) : 1};
}

// Of gradients that decay at rate beta2: u falls with them, while m remembers the larger ones.
template <bool decoupled>
double BasicAdamaxRule<decoupled>::bound() const {
  if (!(options.beta1 < options.beta2)) return std::numeric_limits<double>::infinity();
  return options.lr * (1 - options.beta1) / (1 - options.beta1 / options.beta2);
}

template <bool decoupled>
void BasicAdamaxRule<decoupled>::update(const Elements& elements) const {
  const AdamaxConstants constants(options, elements.t);
  options.row_shared ? row_shared_rule(elements, constants) : elements.for_each<2>(rule(constants));
}

template <bool decoupled>
void BasicAdamaxRule<decoupled>::replay(const MissedSteps& missed) const {
  const auto make = [o = this->last, &missed](double t) mutable {
    o.lr = missed.lr(t);
    return rule(AdamaxConstants(o, t));
  };
  missed.replay<2>(make, {this->last.beta1, this->last.beta2}, this->last.beta1 / this->last.beta2);
}

template class BasicAdamaxRule<false>;
template class BasicAdamaxRule<true>;

}  // namespace xgrad::optim
