#include <xgrad/optim/adamax.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/ranges.h>

namespace xgrad::optim {

void Adamax::check(const AdamaxOptions& options) {
  check_below_one(name, "beta1", options.beta1);
  check_below_one(name, "beta2", options.beta2);
  check_not_negative(name, "eps", options.eps);
}

void Adamax::update(const Elements& elements, const AdamaxOptions& options) {
  const auto beta1 = Scalar(options.beta1), rest1 = Scalar(1 - options.beta1), beta2 = Scalar(options.beta2);
  const auto alpha = Scalar(options.lr / (1 - std::pow(options.beta1, elements.t))), eps = Scalar(options.eps);
  elements.for_each<2>([=](Batch& theta, Batch g, Batch& m, Batch& u) {
    m = beta1 * m + rest1 * g;
    u = max(beta2 * u, abs(g) + eps);
    theta -= alpha * m / u;
  });
}

}  // namespace xgrad::optim
