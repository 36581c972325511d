#include <xgrad/core/errors.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/ranges.h>
#include <xgrad/optim/step_lengths.h>

namespace xgrad::optim {
namespace {

void descend(const Elements& elements) {
  elements.for_each<0>([length = Scalar((*elements.numbers)[0])](Register& theta, Register g) { theta -= length * g; });
}

}  // namespace

void BarzilaiBorweinRule::sum(const Elements& elements, Sums& sums) const {
  const bool first = elements.t == 1;
  elements.add_each<2>(sums, [=](Register theta, Register g, Register& before, Register& gradient_before) {
    const Register s = first ? Register(0) : theta - before, y = first ? Register(0) : g - gradient_before;
    before = theta, gradient_before = g;
    return std::array{Register(s * s), Register(s * y), Register(y * y)};
  });
}

void BarzilaiBorweinRule::conclude(Numbers& numbers, const Sums& sums, double, double) const {
  const auto [ss, sy, yy, unused] = sums;
  numbers[0] = sy > 0 ? (options.short_step ? sy / yy : ss / sy) : options.lr;
}

void BarzilaiBorweinRule::update(const Elements& elements) const { descend(elements); }

void PolyakRule::check() const {
  if (!std::isfinite(options.minimum))
    throw ValueError(message("[Polyak] minimum must be finite, got ", options.minimum));
  check_positive(name(), "c", options.c);
}

void PolyakRule::sum(const Elements& elements, Sums& sums) const {
  elements.add_each<0>(sums, [](Register, Register g) { return std::array{Register(g * g)}; });
}

void PolyakRule::conclude(Numbers& numbers, const Sums& sums, double, double loss) const {
  const double length = std::max(loss - options.minimum, 0.0) / (options.c * sums[0]);
  numbers[0] = sums[0] == 0 ? 0 : length < options.lr ? length : options.lr;
}

void PolyakRule::update(const Elements& elements) const { descend(elements); }

}  // namespace xgrad::optim
