// A curve is fitted to noisy data: a damped oscillation above a background, by Levenberg-Marquardt. The covariance says
// how exactly the data determine each parameter: the truth, which is known here, lies within a standard error of two
// values in three, and within two of nearly all.
//
//   fit_curve [FILE.svg]
#include <xgrad/xgrad.h>

#include <cmath>
#include <cstdio>

#include "cli/program.h"
#include "line_plot.h"

using namespace xgrad;

namespace {

constexpr const char* names[] = {"amplitude", "decay rate", "frequency", "phase", "background"};
const Tensor truth = {3, 0.4, 1.5, 0.7, 1};
constexpr double noise = 0.2;  // the standard deviation of a measurement

// amplitude exp(-decay t) cos(2 pi frequency t + phase) + background
Variable curve(const Variable& p, const Tensor& t) {
  const std::vector<Variable> of = unbind(p);
  return of[0] * exp(-of[1] * t) * cos(2 * M_PI * of[2] * t + of[3]) + of[4];
}

void print(const Variable& p, const optim::LeastSquares& fit, std::size_t points) {
  std::printf("\nended by: %s, after %d steps\n\n", std::string(to_string(fit.ended_by)).c_str(), int(fit.steps));
  const Tensor& covariance = fit.covariance.value();
  const auto error = [&](std::size_t i) { return std::sqrt(covariance(i, i)); };
  std::puts("parameter        value   std. error    truth   off by");
  for (std::size_t i = 0; i < 5; ++i)
    std::printf("%-10s  %10.4f ± %10.4f  %7.4f  %+4.1f errors\n", names[i], p.value()(i), error(i), truth(i),
                (p.value()(i) - truth(i)) / error(i));
  std::printf("noise       %10.4f   from the residuals; truth %.4f\n", std::sqrt(2 * fit.loss / double(points - 5)),
              noise);
  std::printf("\ncorrelation");
  for (const char* name : names) std::printf(" %10s", name);
  for (std::size_t i = 0; i < 5; ++i) {
    std::printf("\n%-11s", names[i]);
    for (std::size_t j = 0; j <= i; ++j) std::printf(" %10.3f", covariance(i, j) / error(i) / error(j));
  }
  std::puts("");
}

void plot(const char* path, const Tensor& t, const Tensor& y, const Variable& p) {
  line_plot::Line data{.points = {}, .pale = true}, fitted;
  for (std::size_t i = 0; i < t.size(); ++i) data.points.emplace_back(t(i), y(i));
  const Tensor fine = xt::linspace<double>(0, 5, 400), model = curve(p, fine).value();
  for (std::size_t i = 0; i < fine.size(); ++i) fitted.points.emplace_back(fine(i), model(i));
  line_plot::write(path, "A damped oscillation",
                   {{.title = "Levenberg-Marquardt",
                     .subtitle = "pale: 60 measurements; dark: the fit",
                     .x_label = "time",
                     .y_label = "signal",
                     .lines = {data, fitted}}},
                   1, 560, 300);
  std::printf("\nplot: %s\n", path);
}

int run(const char* path) {
  Generator random(1);
  const Tensor t = xt::linspace<double>(0, 5, 60);
  const Tensor y = (curve(Variable(truth), t) + random.normal({60}, 0, noise)).value();
  const Variable p(Tensor({1, 1, 1.4, 0, 0}), true);
  std::puts("Fit of amplitude exp(-decay t) cos(2 pi frequency t + phase) + background to 60 noisy points");
  const optim::LeastSquares fit = optim::least_squares({{"p", p}}, [&] { return curve(p, t) - y; });
  print(p, fit, t.size());
  if (path) plot(path, t, y, p);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("fit_curve", [&] { return run(argc > 1 ? argv[1] : nullptr); });
}
