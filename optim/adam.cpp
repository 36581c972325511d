#include <xgrad/optim/adam.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/ranges.h>

namespace xgrad::optim {
namespace {

template <class Options>
void check_moments(std::string_view name, const Options& options) {
  check_below_one(name, "beta1", options.beta1);
  check_below_one(name, "beta2", options.beta2);
  check_not_negative(name, "eps", options.eps);
}

// Constants are computed in double and rounded once: in float, 1 - 0.999 is off by 5e-5.
template <class Options>
void adam(const Elements& elements, const Options& options) {
  const double correction1 = 1 - std::pow(options.beta1, elements.t),
               correction2 = 1 - std::pow(options.beta2, elements.t);
  const auto beta1 = Scalar(options.beta1), rest1 = Scalar(1 - options.beta1);
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar(1 - options.beta2);
  const auto alpha = Scalar(options.lr / correction1), scale = Scalar(1 / correction2), eps = Scalar(options.eps);
  const bool amsgrad = options.amsgrad;
  elements.for_each<3>([=](Batch& theta, Batch g, Batch& m, Batch& v, Batch& largest) {
    m = beta1 * m + rest1 * g;
    v = beta2 * v + rest2 * g * g;
    if (amsgrad) largest = max(largest, v);
    theta -= alpha * m / (sqrt(scale * (amsgrad ? largest : v)) + eps);
  });
}

}  // namespace

void Adam::check(const AdamOptions& options) { check_moments(name, options); }
void Adam::update(const Elements& elements, const AdamOptions& options) { adam(elements, options); }

void AdamW::check(const AdamWOptions& options) { check_moments(name, options); }
void AdamW::update(const Elements& elements, const AdamWOptions& options) { adam(elements, options); }

}  // namespace xgrad::optim
