#include "by_hand.h"

#include <xgrad/autograd/ops.h>
#include <xgrad/optim/adam.h>

#include "observe.h"

namespace lab::step {

using namespace xgrad;

std::vector<HandStep> adam_by_hand(const std::vector<double>& gradients, double lr) {
  const Variable x(Tensor({1}), true);
  optim::Adam adam({{"x", x}}, {.lr = lr});
  std::vector<HandStep> steps;
  for (const double g : gradients) {
    const double from = x.item();
    adam.zero_grad();
    (g * sum(x)).backward();
    adam.step();
    const Divisors by = corrections("adam", steps.size() + 1);
    const double m = adam.state("x", "exp_avg").data()[0], v = adam.state("x", "exp_avg_sq").data()[0], to = x.item();
    steps.push_back({g, m, v, by.first, by.second, m / by.first, v / by.second, to - from, from, to});
  }
  return steps;
}

}  // namespace lab::step
