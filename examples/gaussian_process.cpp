// Gaussian process regression: a curve and how sure it is, from 25 noisy points of a function that it does not know.
// The length scale, the signal and the noise are found by maximizing the log marginal likelihood (Rasmussen & Williams
// 2006, equation 5.8), whose gradient goes through a Cholesky factor, with L-BFGS.
//
//   gaussian_process [FILE.svg]
#include <xgrad/xgrad.h>

#include <cmath>
#include <cstdio>

#include "cli/program.h"
#include "line_plot.h"

using namespace xgrad;

namespace {

double function(double x) { return std::sin(2 * x) + 0.3 * x; }
constexpr double noise = 0.2;

// The logarithms of the length scale, and of the standard deviations of signal and noise, which keep them positive.
struct Hyperparameters {
  Variable length{zeros({}), true}, signal{zeros({}), true}, noise{zeros({}), true};
};

Variable column(const Tensor& x) { return reshape(Variable(x), {x.size(), 1}); }

// signal^2 exp(-(a - b)^2 / (2 length^2)) for each a and each b.
Variable kernel(const Tensor& a, const Tensor& b, const Hyperparameters& at) {
  return exp(2 * at.signal - square((column(a) - b) * exp(-at.length)) / 2);
}

// Algorithm 2.1, lines 2 and 3: the lower factor of K + noise^2 I, and (K + noise^2 I)^-1 y.
struct Posterior {
  Variable lower, alpha;
};

Posterior condition(const Tensor& x, const Tensor& y, const Hyperparameters& at) {
  const Variable lower = cholesky(kernel(x, x, at) + exp(2 * at.noise) * xt::eye<double>(x.size()));
  return {lower, solve(transpose(lower), solve(lower, Variable(y)))};
}

// Algorithm 2.1, line 7: log det(K + noise^2 I) / 2 is the sum of the logarithms of the factor's diagonal.
Variable log_marginal_likelihood(const Tensor& x, const Tensor& y, const Hyperparameters& at) {
  const Posterior given = condition(x, y, at);
  return -sum(given.alpha * y) / 2 - slogdet(given.lower).logabs - double(x.size()) / 2 * std::log(2 * M_PI);
}

// Lines 4 to 6: mean and standard deviation of the function, without noise, at each of the points `to`.
struct Prediction {
  Tensor mean, deviation;
};

Prediction predict(const Tensor& x, const Tensor& y, const Tensor& to, const Hyperparameters& at) {
  const NoGrad no_grad;
  const Posterior given = condition(x, y, at);
  const Variable k = kernel(x, to, at), v = solve(given.lower, k);
  return {matmul(transpose(k), column(given.alpha.value())).value(),
          sqrt(exp(2 * at.signal) - sum(square(v), 0)).value()};
}

void print(const char* when, const Tensor& x, const Tensor& y, const Hyperparameters& at) {
  std::printf("%-9s %12.4f %9.4f %9.4f %18.4f\n", when, std::exp(at.length.item()), std::exp(at.signal.item()),
              std::exp(at.noise.item()), log_marginal_likelihood(x, y, at).item());
}

void plot(const char* path, const Tensor& x, const Tensor& y, const Hyperparameters& at) {
  const Tensor fine = xt::linspace<double>(-4, 6, 300);
  const Prediction of = predict(x, y, fine, at);
  line_plot::Line data{.points = {}, .pale = true}, mean, low{.points = {}, .pale = true}, high = low;
  for (std::size_t i = 0; i < fine.size(); ++i) {
    const double center = of.mean.data()[i], twice = 2 * of.deviation(i);
    mean.points.emplace_back(fine(i), center);
    low.points.emplace_back(fine(i), center - twice), high.points.emplace_back(fine(i), center + twice);
  }
  std::vector<line_plot::Line> lines = {low, high, mean};
  for (std::size_t i = 0; i < x.size(); ++i) lines.push_back({.points = {{x(i) - 0.03, y(i)}, {x(i) + 0.03, y(i)}}});
  line_plot::write(path, "Gaussian process regression",
                   {{.title = "25 points, and the function that they tell of",
                     .subtitle = "dark: its mean, and the points; pale: two standard deviations from the mean",
                     .x_label = "x",
                     .y_label = "y",
                     .lines = lines}},
                   1, 560, 300);
  std::printf("\nplot: %s\n", path);
}

int run(const char* path) {
  Generator random(1);
  Tensor x = random.uniform({25}, -3, 3), y = random.normal({25}, 0, noise);
  for (std::size_t i = 0; i < x.size(); ++i) y(i) += function(x(i));
  const Hyperparameters at;
  std::puts("          length scale    signal     noise     log likelihood");
  print("start", x, y, at);
  optim::LBFGS optimizer({{"length", at.length}, {"signal", at.signal}, {"noise", at.noise}});
  const optim::Minimum end = optim::minimize(optimizer, [&] { return -log_marginal_likelihood(x, y, at); },
                                             {.gradient_norm = 1e-6, .max_steps = 100});
  print("L-BFGS", x, y, at);
  std::printf("\nThe gradient's norm is %.1e now. The noise is %.1f in truth.\n\n", end.gradient_norm, noise);
  const Tensor to = {-5, -3, -2, -1, 0, 1, 2, 3, 5};
  const Prediction of = predict(x, y, to, at);
  std::puts("    x       mean   std. dev.      truth");
  for (std::size_t i = 0; i < to.size(); ++i)
    std::printf("%5.1f  %9.4f ± %9.4f  %9.4f\n", to(i), of.mean.data()[i], of.deviation(i), function(to(i)));
  if (path) plot(path, x, y, at);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("gaussian_process", [&] { return run(argc > 1 ? argv[1] : nullptr); });
}
