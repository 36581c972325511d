#include "run.h"

#include <xgrad/autograd/ops.h>
#include <xgrad/optim/lbfgs.h>
#include <xgrad/optim/schedule.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace lab {

using namespace xgrad;

std::vector<std::size_t> frames(std::size_t budget) {
  std::vector<std::size_t> steps;
  // Odd distances, so that a swing from side to side stays one.
  for (std::size_t step = 0; step <= budget; step += step < 60 ? 1 : step < 300 ? 3 : 5) steps.push_back(step);
  return steps;
}

namespace {

bool finite(Position at) { return std::isfinite(at[0]) && std::isfinite(at[1]); }

// What is known of a run after each of its steps.
class Recorder {
 public:
  Recorder(const Function& function, std::size_t budget) : function_(function), frames_(frames(budget)) {}

  void record(std::size_t step, Position at, double value) {
    const double gap = value - function_.least;
    if (!(gap <= goal))
      result_.steps.reset();
    else if (!result_.steps)
      result_.steps = step;
    while (frame_ < frames_.size() && frames_[frame_] <= step && frame_ == result_.positions.size() && finite(at)) {
      result_.positions.push_back(at);
      ++frame_;
    }
    result_.gap = std::isfinite(gap) ? gap : std::numeric_limits<double>::quiet_NaN();
    result_.distance = distance(function_, at);
  }
  Trajectory take() { return std::move(result_); }

 private:
  const Function& function_;
  std::vector<std::size_t> frames_;
  std::size_t frame_ = 0;
  Trajectory result_ = {};
};

}  // namespace

std::vector<Trajectory> run(const Function& function, const Rule& rule, const Settings& settings, std::size_t budget) {
  const std::size_t count = function.starts.size();
  Tensor x0 = Tensor::from_shape({count}), y0 = x0;
  for (std::size_t i = 0; i < count; ++i) {
    x0.data()[i] = static_cast<Scalar>(function.starts[i][0]);
    y0.data()[i] = static_cast<Scalar>(function.starts[i][1]);
  }
  const Variable x(std::move(x0), true), y(std::move(y0), true);
  const auto optimizer = rule.make({{"x", x}, {"y", y}}, settings);
  std::vector<Recorder> recorders(count, Recorder(function, budget));
  for (std::size_t step = 0; step <= budget; ++step) {
    optimizer->zero_grad();
    const Variable value = function.value(x, y);
    for (std::size_t i = 0; i < count; ++i)
      recorders[i].record(step, {x.value().data()[i], y.value().data()[i]}, value.value().data()[i]);
    if (step == budget) break;
    sum(value).backward();
    optimizer->step();
  }
  std::vector<Trajectory> results;
  for (Recorder& recorder : recorders) results.push_back(recorder.take());
  return results;
}

std::vector<Trajectory> run_lbfgs(const Function& function, double lr, std::size_t budget) {
  std::vector<Trajectory> results;
  for (const Position& start : function.starts) {
    const Variable x(Tensor({static_cast<Scalar>(start[0])}), true), y(Tensor({static_cast<Scalar>(start[1])}), true);
    optim::LBFGS optimizer({{"x", x}, {"y", y}}, {.lr = lr, .max_iterations = 1});
    Recorder recorder(function, budget);
    std::size_t evaluations = 0;
    const auto closure = [&] {
      ++evaluations;
      return sum(function.value(x, y));
    };
    double value = closure().item();
    recorder.record(0, start, value);
    evaluations = 0;
    while (evaluations < budget) {
      const std::size_t before = evaluations;
      const Position last = {x.item(), y.item()};
      const double last_value = value;
      value = optimizer.step(closure);
      // Until the step is made, the position is the one before it.
      for (std::size_t step = before + 1; step < std::min(evaluations, budget); ++step)
        recorder.record(step, last, last_value);
      const Position at = {x.item(), y.item()};
      recorder.record(std::min(evaluations, budget), at, value);
      if (at == last) break;  // it has come to its end
    }
    results.push_back(recorder.take());
  }
  return results;
}

namespace {

// Calls seen(step, x) after each step.
void descend_reddi(const Rule& rule, double lr, double beta2, std::size_t budget, std::size_t c,
                   const std::function<void(std::size_t, double)>& seen) {
  const Variable x(Tensor({0}), true);
  const Settings settings = {.lr = lr, .beta1 = rule.has_beta2 ? std::optional(0.0) : std::nullopt, .beta2 = beta2};
  const auto optimizer = rule.make({{"x", x}}, settings);
  optim::InverseSqrtLR schedule(*optimizer, {});
  const auto large = static_cast<double>(c);
  for (std::size_t step = 1; step <= budget; ++step) {
    optimizer->zero_grad();
    ((step % c == 1 ? large : -1.0) * sum(x)).backward();
    optimizer->step();
    schedule.step();
    x.mutable_value() = Tensor({std::clamp<Scalar>(x.item(), -1, 1)});
    seen(step, x.item());
  }
}

}  // namespace

Trajectory run_reddi(const Rule& rule, double lr, double beta2, std::size_t budget, std::size_t frame_every,
                     std::size_t c) {
  Trajectory result = {};
  result.positions.push_back({0, 0});
  descend_reddi(rule, lr, beta2, budget, c, [&](std::size_t step, double x) {
    if (step == budget || step % frame_every == 0) result.positions.push_back({x, static_cast<double>(step)});
    if (x > goal - 1)
      result.steps.reset();
    else if (!result.steps)
      result.steps = step;
    result.distance = x + 1;
  });
  result.gap = result.distance / static_cast<double>(c);
  return result;
}

double mean_of_last_period(const Rule& rule, double lr, double beta2, std::size_t budget, std::size_t c) {
  double sum = 0;
  descend_reddi(rule, lr, beta2, budget, c, [&](std::size_t step, double x) {
    if (step + c > budget) sum += x;
  });
  return sum / static_cast<double>(c);
}

double longest_memory(double beta2) { return 2 / (1 - beta2) - 1; }

}  // namespace lab
