// A physics-informed network (Raissi, Perdikaris & Karniadakis 2019): it learns the temperature of a rod from the heat
// equation alone, without a single measurement. Its loss is how far its own derivatives are from the equation: these
// are gradients, which are differentiated again to train it.
//
//   du/dt = a d2u/dx2,  u(x, 0) = sin(pi x) + sin(3 pi x) / 2,  u(0, t) = u(1, t) = 0
//
//   heat_equation [PLOT.svg]
#include <xgrad/xgrad.h>

#include <cmath>
#include <cstdio>

#include "cli/program.h"
#include "line_plot.h"

using namespace xgrad;

namespace {

constexpr double diffusivity = 0.05;

double exact(double x, double t) {
  const auto mode = [&](double k) { return std::exp(-diffusivity * k * k * M_PI * M_PI * t) * std::sin(k * M_PI * x); };
  return mode(1) + mode(3) / 2;
}

// The temperature at places (n, 1) and times (n, 1). At the time 0 and at both ends it is right whatever the network
// is.
Variable temperature(nn::Module& network, const Variable& x, const Variable& t) {
  return sin(M_PI * x) + sin(3 * M_PI * x) / 2 + t * x * (1 - x) * network(concatenate({x, t}, 1));
}

// How far du/dt is from a d2u/dx2, at each point.
Variable residual(nn::Module& network, const Variable& x, const Variable& t) {
  const Gradients first = grad(sum(temperature(network, x, t)), {x, t}, {.create_graph = true});
  const Variable second = grad(sum(first[0]), {x}, {.create_graph = true})[0];
  return first[1] - diffusivity * second;
}

// The largest error of the temperature; what was compared goes into the panel.
double worst_error(nn::Module& network, line_plot::Panel& panel) {
  const NoGrad no_grad;
  panel.lines.clear();
  double worst = 0;
  for (const double time : {0.0, 0.2, 0.5, 1.0, 2.0}) {
    Tensor x = xt::linspace<Scalar>(0, 1, 101);
    x.reshape({101, 1});
    const Tensor u = temperature(network, Variable(x), Variable(full({101, 1}, Scalar(time)))).value();
    line_plot::Line learned, truth{.points = {}, .pale = true};
    for (std::size_t i = 0; i < 101; ++i) {
      const double place = double(x(i, 0)), right = exact(place, time);
      learned.points.emplace_back(place, u(i, 0)), truth.points.emplace_back(place, right + 0.02);
      worst = std::max(worst, std::abs(double(u(i, 0)) - right));
    }
    panel.lines.push_back(std::move(truth)), panel.lines.push_back(std::move(learned));
  }
  return worst;
}

int run(const char* plot) {
  seed(1);
  nn::Sequential network{nn::Linear(2, 32), nn::Tanh(), nn::Linear(32, 32), nn::Tanh(), nn::Linear(32, 1)};
  constexpr int steps = 8000;
  optim::Adam optimizer(network.parameters(), {.lr = 1e-2});
  optim::CosineAnnealingLR schedule(optimizer, {.t_max = steps});
  Generator random(2);
  line_plot::Panel panel{
      .title = "From the equation alone",
      .subtitle = "at the times 0, 0.2, 0.5, 1 and 2; pale: the exact solution, 0.02 higher to be seen",
      .x_label = "place",
      .y_label = "temperature",
      .lines = {}};
  for (int step = 1; step <= steps; ++step) {
    const Variable x(random.uniform({256, 1}, 0, 1), true), t(random.uniform({256, 1}, 0, 2), true);
    optimizer.zero_grad();
    const Variable loss = mean(square(residual(network, x, t)));
    loss.backward();
    optimizer.step();
    schedule.step();
    if (step % 2000 == 0)
      std::printf("step %4d  loss %.2e  largest error of the temperature %.4f\n", step, double(loss.item()),
                  worst_error(network, panel));
  }
  if (plot) line_plot::write(plot, "The temperature of a rod", {panel}, 1, 560, 320), std::printf("plot: %s\n", plot);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("heat_equation", [&] { return run(argc > 1 ? argv[1] : nullptr); });
}
