// Ten steps of Adam and of AdaMax with every value on the way, as on a blackboard: f(theta) = (theta - 3)^2 from 0.
// The library's own optimizers make the steps; g, m, v and u are read from them, and what the paper's lines compute in
// between (the corrected moments, the step) from these.
#include <xgrad/xgrad.h>

#include <cmath>
#include <cstdio>
#include <string>

#include "cli/program.h"

using namespace xgrad;

namespace {

constexpr int steps = 10;
constexpr double alpha = 0.5, beta1 = 0.9, beta2 = 0.999, eps = 1e-8;

void adam() {
  std::puts(R"(Adam (Kingma & Ba 2015, Algorithm 1), alpha 0.5, beta1 0.9, beta2 0.999, eps 1e-8

  g     = f'(theta) = 2 (theta - 3)        the gradient where theta is now
  m     = beta1 m + (1 - beta1) g          first moment, a mean of gradients that begins at 0
  v     = beta2 v + (1 - beta2) g^2        second moment, the same of their squares
  m_hat = m / (1 - beta1^t)                both are too small at first, by a known factor
  v_hat = v / (1 - beta2^t)                (section 3)
  step  = alpha m_hat / (sqrt(v_hat) + eps)
  theta = theta - step

 t         g         m         v     m_hat     v_hat      step  theta after)");
  const Variable theta(zeros({1}), true);
  optim::Adam optimizer({{"theta", theta}}, {.lr = alpha, .beta1 = beta1, .beta2 = beta2, .eps = eps});
  std::printf("%2d %72.6f\n", 0, double(theta.item()));
  for (int t = 1; t <= steps; ++t) {
    optimizer.zero_grad();
    sum(square(theta - 3)).backward();
    optimizer.step();
    const double g = theta.grad()(0), m = optimizer.state("theta", "exp_avg")(0),
                 v = optimizer.state("theta", "exp_avg_sq")(0);
    const double m_hat = m / (1 - std::pow(beta1, t)), v_hat = v / (1 - std::pow(beta2, t));
    const double step = alpha * m_hat / (std::sqrt(v_hat) + eps);
    std::printf("%2d %9.6f %9.6f %9.6f %9.6f %9.6f %9.6f %12.6f\n", t, g, m, v, m_hat, v_hat, step, theta.item());
  }
}

void adamax() {
  std::puts(R"(
AdaMax (Kingma & Ba 2015, Algorithm 2), alpha 0.5, beta1 0.9, beta2 0.999; it has no eps

  g     = f'(theta) = 2 (theta - 3)        the gradient where theta is now
  m     = beta1 m + (1 - beta1) g          first moment, as in Adam
  u     = max(beta2 u, |g|)                infinity norm; it is right from the first step on
  m_hat = m / (1 - beta1^t)
  step  = alpha m_hat / u
  theta = theta - step

 t         g         m         u     m_hat      step  theta after)");
  const Variable theta(zeros({1}), true);
  optim::Adamax optimizer({{"theta", theta}}, {.lr = alpha, .beta1 = beta1, .beta2 = beta2, .eps = 0});
  std::printf("%2d %62.6f\n", 0, double(theta.item()));
  for (int t = 1; t <= steps; ++t) {
    optimizer.zero_grad();
    sum(square(theta - 3)).backward();
    optimizer.step();
    const double g = theta.grad()(0), m = optimizer.state("theta", "exp_avg")(0),
                 u = optimizer.state("theta", "exp_inf")(0);
    const double m_hat = m / (1 - std::pow(beta1, t));
    std::printf("%2d %9.6f %9.6f %9.6f %9.6f %9.6f %12.6f\n", t, g, m, u, m_hat, alpha * m_hat / u, theta.item());
  }
}

}  // namespace

int main() {
  return cli::run_program("adam_by_hand", [] {
    adam();
    adamax();
    return 0;
  });
}
