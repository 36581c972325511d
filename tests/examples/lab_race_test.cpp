#include <doctest/doctest.h>
#include <xgrad/autograd/ops.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "context.h"
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

const Racer& racer_of(std::string_view id) {
  return *std::find_if(racers().begin(), racers().end(), [id](const Racer& one) { return one.id == id; });
}

Context quick() {
  const xgrad::datasets::Dataset one(std::vector<std::uint8_t>(4), xgrad::Shape{1, 2, 2}, {0}, {"none"});
  return {true, 1, {one, one}, false, [](double) {}};
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

TEST_CASE("The first racers go the way that their optimizers go by hand, to the same bits") {
  for (const Function& function : functions())
    for (const Racer& racer : racers()) {
      if (!racer.pattern.empty()) continue;
      INFO(racer.label, " on ", function.label);
      const bool lbfgs = racer.id == "lbfgs";
      const auto& [x0, y0] = function.starts[0];
      const auto& [x1, y1] = function.starts[1];
      const auto number = [](double value) { return static_cast<xgrad::Scalar>(value); };
      // L-BFGS has the starts one after the other, and the others side by side.
      const xgrad::Variable x(lbfgs ? xgrad::Tensor({number(x0)}) : xgrad::Tensor({number(x0), number(x1)}), true),
          y(lbfgs ? xgrad::Tensor({number(y0)}) : xgrad::Tensor({number(y0), number(y1)}), true);
      Function two = function;
      two.starts.resize(2);
      const Trajectory run = run_racer(two, racer, racer.usual / 1000, 50)[0];
      const auto optimizer = racer.make({{{"x", x}, {"y", y}}}, racer.usual / 1000);
      std::size_t evaluations = 0;
      for (bool moves = true; moves && evaluations < 50;) {
        const Position before = {x.value().data()[0], y.value().data()[0]};
        optimizer->step([&] {
          ++evaluations;
          return sum(function.value(x, y));
        });
        const Position now = {x.value().data()[0], y.value().data()[0]};
        if (evaluations < run.positions.size()) CHECK(run.positions[evaluations] == now);
        moves = now != before;
      }
    }
}

TEST_CASE("Each racer arrives on the sphere at its tuned rate") {
  const Context context = quick();
  const std::vector<Tuned> tuned = tune(context, functions()[0], 9, 500);
  REQUIRE(tuned.size() == racers().size());
  for (std::size_t r = 0; r < tuned.size(); ++r) {
    INFO(racers()[r].label, " at ", tuned[r].rate);
    CHECK(tuned[r].sweep.label == racers()[r].label);
    if (racers()[r].pattern.empty()) continue;
    CHECK(median(tuned[r].steps) <= 300);
    for (const Trajectory& run : run_racer(functions()[0], racers()[r], tuned[r].rate, 500)) {
      CHECK(run.steps.has_value());
      CHECK(run.gap <= goal);
    }
  }
}

TEST_CASE("Racers are told apart: no two have the same colour and pattern, and a colour is that of one of the first") {
  std::set<std::string> ids, lines, colors;
  for (const Racer& racer : racers()) {
    INFO(racer.label);
    CHECK(ids.insert(racer.id).second);
    CHECK(lines.insert(racer.color + " " + racer.pattern).second);
    if (racer.pattern.empty()) {
      CHECK(racer.color == racer.id);
      colors.insert(racer.color);
    }
    CHECK(colors.contains(racer.color));
    CHECK(std::set<std::string>{"", "dashed", "dotted", "dash-dot"}.contains(racer.pattern));
  }
}

TEST_CASE("A start goes the same way whichever other starts go beside it") {
  for (const Racer& racer : racers()) {
    if (racer.id == "adahessian" || racer.id == "sophia") continue;  // the signs that they draw are others
    INFO(racer.label);
    const Function& all = functions()[1];
    Function one = all;
    one.starts = {all.starts[1]};
    const Trajectory beside = run_racer(all, racer, racer.usual / 10, 60)[1],
                     alone = run_racer(one, racer, racer.usual / 10, 60)[0];
    CHECK(beside.positions.size() == alone.positions.size());
    CHECK(beside.positions.back()[0] == doctest::Approx(alone.positions.back()[0]).epsilon(1e-3));
    CHECK(beside.positions.back()[1] == doctest::Approx(alone.positions.back()[1]).epsilon(1e-3));
  }
}

TEST_CASE("A run that diverges ends as no number, and leaves those beside it alone") {
  for (const char* id : {"sgd", "sophia", "adahessian", "polyak", "sam", "muon", "lars"}) {
    const Racer& racer = racer_of(id);
    INFO(racer.label);
    Function two = functions()[2];
    two.starts = {{1, 1}, {1e12, 1e12}};  // in the minimum, and where the value is not finite
    const std::vector<Trajectory> runs = run_racer(two, racer, 1e-4, 20);
    CHECK(runs[0].distance < 0.1);
    CHECK(std::isnan(runs[1].gap));
    CHECK(!runs[1].steps);
  }
}

TEST_CASE("Evaluations of the loss are steps: SAM makes one step in two, and gradient descent beside it one in each") {
  Function slope = functions()[0];
  slope.value = [](const xgrad::Variable& x, const xgrad::Variable& y) { return x + 0 * y; };
  slope.starts = {{0, 0}};
  const auto x_after = [&](const char* id, std::size_t step) {
    return run_racer(slope, racer_of(id), 1, 20)[0].positions[step][0];
  };
  CHECK(x_after("sgd", 4) == doctest::Approx(-4));
  CHECK(x_after("sam", 1) == 0);
  CHECK(x_after("sam", 2) == doctest::Approx(-1));
  CHECK(x_after("sam", 3) == doctest::Approx(-1));
  CHECK(x_after("sam", 4) == doctest::Approx(-2.9));
}

TEST_CASE("Positions are where an optimizer is evaluated: ASGD's are the mean of those of SGD") {
  Function slope = functions()[0];
  slope.value = [](const xgrad::Variable& x, const xgrad::Variable& y) { return x + 0 * y; };
  slope.starts = {{0, 0}};
  const Trajectory sgd = run_racer(slope, racer_of("sgd"), 0.01, 10)[0],
                   asgd = run_racer(slope, racer_of("asgd"), 0.01, 10)[0];
  double total = 0;
  for (std::size_t step = 2; step <= 10; ++step) {  // as in PyTorch, the first is not in it
    total += sgd.positions[step][0];
    CHECK(asgd.positions[step][0] == doctest::Approx(total / static_cast<double>(step - 1)).epsilon(1e-3));
  }
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
