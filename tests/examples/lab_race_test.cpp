#include <doctest/doctest.h>
#include <xgrad/autograd/ops.h>

#include <cmath>
#include <limits>

#include "race/racers.h"
#include "race/reddi.h"

using namespace lab;
using namespace lab::race_parts;

namespace {

// Where a number goes that begins at 0, with these gradients.
std::vector<double> way(const char* id, const Settings& settings, const std::vector<double>& gradients) {
  const xgrad::Variable x(xgrad::Tensor({0}), true);
  const auto optimizer = rule(id).make({{"x", x}}, settings);
  std::vector<double> result;
  for (const double g : gradients) {
    optimizer->zero_grad();
    (g * sum(x)).backward();
    optimizer->step();
    result.push_back(x.item());
  }
  return result;
}

const std::vector<double> some_gradients = {3, -1, -1, 0.5, 3, -2, 0.1, -1};

}  // namespace

TEST_CASE("beta2 is RMSprop's alpha and Adadelta's rho") {
  for (const double memory : {0.1, 0.9}) {
    double v = 0, w = 0, a = 0, rms = 0, delta = 0;
    const std::vector<double> rmsprop = way("rmsprop", {.lr = 0.1, .beta2 = memory}, some_gradients),
                              adadelta = way("adadelta", {.lr = 1, .beta2 = memory}, some_gradients);
    for (std::size_t i = 0; i < some_gradients.size(); ++i) {
      INFO("beta2 ", memory, ", step ", i + 1);
      const double g = some_gradients[i];
      v = memory * v + (1 - memory) * g * g;
      rms -= 0.1 * g / (std::sqrt(v) + 1e-8);
      CHECK(rmsprop[i] == doctest::Approx(rms).epsilon(1e-5));
      w = memory * w + (1 - memory) * g * g;
      const double d = std::sqrt(a + 1e-6) / std::sqrt(w + 1e-6) * g;
      a = memory * a + (1 - memory) * d * d;
      delta -= d;
      CHECK(adadelta[i] == doctest::Approx(delta).epsilon(1e-4));
    }
  }
}

TEST_CASE("RAdam with a memory that is too short never adapts: it is descent along the corrected mean") {
  CHECK(longest_memory(0.5) == doctest::Approx(3));
  CHECK(longest_memory(0.9) > 5);
  for (const double beta1 : {0.0, 0.9}) {
    const std::vector<double> radam = way("radam", {.lr = 0.1, .beta1 = beta1, .beta2 = 0.5}, some_gradients);
    double m = 0, x = 0;
    for (std::size_t i = 0; i < some_gradients.size(); ++i) {
      m = beta1 * m + (1 - beta1) * some_gradients[i];
      x -= 0.1 * m / (1 - std::pow(beta1, static_cast<double>(i + 1)));
      CHECK(radam[i] == doctest::Approx(x).epsilon(1e-5));
    }
  }
  CHECK(run_reddi(rule("radam"), 0.1, 0.1, 300, 300).distance ==
        doctest::Approx(run_reddi(rule("sgd"), 0.1, 0.1, 300, 300).distance));
}

TEST_CASE("A rare gradient that is rarer still breaks Adam with a long memory") {
  CHECK(run_reddi(rule("adam"), 0.1, 0.1, 1500, 1500).positions.back()[0] > 0.9);
  CHECK(run_reddi(rule("adam"), 1, 0.999, 1500, 1500).positions.back()[0] < -0.9);
  const Breaking adam = break_adam({0.1, 0.999}, {3, 300}, 6000);
  CHECK(adam.mean[0][0] > 0.9);
  CHECK(adam.mean[1][0] < -0.9);
  CHECK(adam.mean[1][1] > 0);
  CHECK(adam.smallest(0).value() == 3);
  CHECK(adam.smallest(1).value() == 300);
  const Breaking none = {{0.999}, {3, 10}, {{-1, -0.5}}};
  CHECK(!none.smallest(0));
}

TEST_CASE("Positions of Reddi's x begin at 0 and end at the last step") {
  const Trajectory run = run_reddi(rule("sgd"), 0.1, 0.1, 10, 4);
  CHECK(run.positions.size() == 4);  // after 0, 4, 8 and 10 steps
  CHECK(run.positions[0] == Position{0, 0});
  CHECK(run.positions[2][1] == 8);
  CHECK(run.positions[3][1] == 10);
  CHECK(run.positions[3][0] == doctest::Approx(run.distance - 1));
}

TEST_CASE("What a run costs orders runs as they are better, and a rate by the median of its starts") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Trajectory quick = {{}, 10, 0, 0}, slow = {{}, 400, 0, 0}, near = {{}, {}, 0.01, 0.1}, far = {{}, {}, 5, 2},
                   diverged = {{}, {}, nan, nan};
  CHECK(cost(quick, 500) == 10);
  CHECK(cost(quick, 500) < cost(slow, 500));
  CHECK(cost(slow, 500) < cost(near, 500));
  CHECK(cost(near, 500) < cost(far, 500));
  CHECK(std::isnan(cost(diverged, 500)));
  CHECK(cost({{}, 500, 0, 0}, 500) < cost({{}, {}, goal * 1.01, 0.1}, 500));
}

TEST_CASE("Drawn starts lie in the plane, and are the same for the same seed") {
  const Function& saddle = functions().back();
  const Function a = with_drawn_starts(saddle, 7, 20), b = with_drawn_starts(saddle, 7, 20);
  CHECK(a.starts.size() == 20);
  CHECK(a.starts == b.starts);
  CHECK(a.starts != with_drawn_starts(saddle, 8, 20).starts);
  for (const Position& start : a.starts) {
    CHECK(start[0] >= saddle.left);
    CHECK(start[0] < saddle.right);
    CHECK(start[1] >= saddle.bottom);
    CHECK(start[1] < saddle.top);
  }
}
