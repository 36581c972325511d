#include <xgrad/core/errors.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/ranges.h>
#include <xgrad/optim/sgd.h>

namespace xgrad::optim {

void SGDRule::check() const {
  check_up_to_one(name(), "momentum", options.momentum);
  check_up_to_one(name(), "dampening", options.dampening);
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0))
    throw ValueError(message("[SGD] nesterov needs momentum above 0 and dampening 0, got momentum ", options.momentum,
                             " and dampening ", options.dampening));
}

void SGDRule::update(const Elements& elements) const {
  const auto lr = Scalar(options.lr), momentum = Scalar(options.momentum), rest = Scalar(1 - options.dampening);
  const bool first = elements.t == 1, nesterov = options.nesterov;
  if (momentum == 0) return elements.for_each<0>([=](Register& theta, Register g) { theta -= lr * g; });
  elements.for_each<1>([=](Register& theta, Register g, Register& b) {
    b = first ? g : momentum * b + rest * g;
    theta -= lr * (nesterov ? g + momentum * b : b);
  });
}

}  // namespace xgrad::optim
