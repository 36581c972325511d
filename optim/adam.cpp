#include <xgrad/core/errors.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/missed_steps.h>
#include <xgrad/optim/ranges.h>

#include <limits>

namespace xgrad::optim {
namespace {

// What is left of Algorithm 1 when its step is known, computed in double and rounded once: in float, 1 - 0.999 is off
// by 5e-5.
struct AdamConstants {
  template <class Options>
  AdamConstants(const Options& o, double t) : beta1(Scalar(o.beta1)), beta2(Scalar(o.beta2)) {
    const double c1 = corrects_bias(o) ? 1 - std::pow(o.beta1, t) : 1,
                 c2 = corrects_bias(o) ? 1 - std::pow(o.beta2, t) : 1;
    const bool keras = o.dialect == Dialect::keras;
    alpha = Scalar(o.lr / c1 * (keras ? std::sqrt(c2) : 1)), scale = Scalar(keras ? 1 : 1 / c2);
    rest1 = Scalar(1 - o.beta1), rest2 = Scalar(1 - o.beta2), eps = Scalar(o.eps), inside = Scalar(o.eps_root);
  }
  Scalar beta1, beta2, rest1, rest2, alpha, scale, eps, inside;
};

auto rule(const AdamConstants& c, bool amsgrad) {
  return [c, amsgrad](Register& theta, Register g, Register& m, Register& v, Register& largest) {
    m = c.beta1 * m + c.rest1 * g;
    v = c.beta2 * v + c.rest2 * g * g;
    if (amsgrad) largest = max(largest, v);
    theta -= c.alpha * m / (sqrt(c.scale * (amsgrad ? largest : v) + c.inside) + c.eps);
  };
}

void row_shared_rule(const Elements& elements, const AdamConstants& c) {
  elements.for_each_row([&c](const Elements& row) {
    Scalar& v = *row.state[1];
    v = c.beta2 * v + c.rest2 * row.mean_square_gradient();
    const Scalar rate = c.alpha / (std::sqrt(c.scale * v + c.inside) + c.eps);
    row.for_each<1>([&c, rate](Register& theta, Register g, Register& m) {
      m = c.beta1 * m + c.rest1 * g;
      theta -= rate * m;
    });
  });
}

}  // namespace

template <bool decoupled>
void BasicAdamRule<decoupled>::check() const {
  check_below_one(name(), "beta1", options.beta1);
  check_below_one(name(), "beta2", options.beta2);
  check_not_negative(name(), "eps", options.eps);
  check_not_negative(name(), "eps_root", options.eps_root);
  if (options.amsgrad && options.row_shared)
    throw ValueError(message("[", name(), "] amsgrad and row_shared contradict each other"));
  if (options.amsgrad && (options.dialect == Dialect::optax || options.dialect == Dialect::mlx))
    throw ValueError(message("[", name(), "] amsgrad is that of PyTorch and Keras, not of this dialect"));
}

template <bool decoupled>
Corrections BasicAdamRule<decoupled>::corrections(double t) const {
  if (!corrects_bias(options)) return {};
  const double c1 = 1 - std::pow(options.beta1, t), c2 = 1 - std::pow(options.beta2, t);
  return {c1, c2, c2};
}

// Of gradients that grow by beta2 / beta1 a step: Cauchy-Schwarz on the sums that m and v are.
template <bool decoupled>
double BasicAdamRule<decoupled>::bound() const {
  const double ratio = options.beta1 * options.beta1 / options.beta2;
  if (!(ratio < 1) || options.row_shared) return std::numeric_limits<double>::infinity();
  return options.lr * (1 - options.beta1) / std::sqrt((1 - options.beta2) * (1 - ratio));
}

template <bool decoupled>
void BasicAdamRule<decoupled>::update(const Elements& elements) const {
  const AdamConstants constants(options, elements.t);
  options.row_shared ? row_shared_rule(elements, constants) : elements.for_each<3>(rule(constants, options.amsgrad));
}

template <bool decoupled>
void BasicAdamRule<decoupled>::replay(const MissedSteps& missed) const {
  const auto make = [o = this->last, &missed](double t) mutable {
    o.lr = missed.lr(t);
    return rule(AdamConstants(o, t), o.amsgrad);
  };
  missed.replay<3>(make, {this->last.beta1, this->last.beta2, 1}, this->last.beta1 / std::sqrt(this->last.beta2));
}

template class BasicAdamRule<false>;
template class BasicAdamRule<true>;

}  // namespace xgrad::optim
