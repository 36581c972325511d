#include "run.h"

#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
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

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// The starts side by side: their x and y, at which the function is evaluated, and the parameters that are moved.
struct SideBySide {
  SideBySide(const Function& function, Starts starts) {
    const std::size_t count = function.starts.size();
    Tensor x0 = Tensor::from_shape({count}), y0 = x0;
    for (std::size_t i = 0; i < count; ++i) {
      x0.data()[i] = static_cast<Scalar>(function.starts[i][0]);
      y0.data()[i] = static_cast<Scalar>(function.starts[i][1]);
      if (starts == Starts::elements) continue;
      positions.emplace_back(Tensor({{x0.data()[i], y0.data()[i]}}), true);
      sum(positions[i]).backward();  // so that there is a gradient, to be written to
      groups.push_back({{"position " + std::to_string(i), positions[i]}});
    }
    x = Variable(std::move(x0), true), y = Variable(std::move(y0), true);
    if (starts == Starts::elements) groups = {{{"x", x}, {"y", y}}};
  }

  void hand_out_gradients() const {
    for (std::size_t i = 0; i < positions.size(); ++i)
      positions[i].mutable_grad() = Tensor({{x.grad().data()[i], y.grad().data()[i]}});
  }
  void collect() const {
    for (std::size_t i = 0; i < positions.size(); ++i)
      move(i, {positions[i].value().data()[0], positions[i].value().data()[1]});
  }
  void move(std::size_t i, Position to) const {
    x.mutable_value().data()[i] = static_cast<Scalar>(to[0]);
    y.mutable_value().data()[i] = static_cast<Scalar>(to[1]);
  }

  Variable x, y;
  std::vector<Variable> positions = {};  // one for each start, or none where x and y are the parameters
  std::vector<optim::ParameterList> groups = {};
};

std::vector<Trajectory> run_side_by_side(const Function& function, Starts starts, const MakeOptimizer& make,
                                         std::size_t budget) {
  const SideBySide all(function, starts);
  const std::size_t count = function.starts.size();
  const auto optimizer = make(all.groups);
  std::vector<Recorder> recorders(count, Recorder(function, budget));
  std::vector<bool> lost(count);
  const auto record = [&](std::size_t step, const Tensor& values) {
    for (std::size_t i = 0; i < count; ++i) {
      const Position at = {all.x.value().data()[i], all.y.value().data()[i]};
      if (lost[i])
        recorders[i].record(step, {not_a_number, not_a_number}, not_a_number);
      else
        recorders[i].record(step, at, values.data()[i]);
    }
  };
  // A sum that is to be a loss must be finite: what has diverged so far that it could not be waits in a minimum.
  const auto most = static_cast<double>(std::numeric_limits<Scalar>::max()) / static_cast<double>(count);
  const auto put_aside = [&](const Tensor& values) {
    bool any = false;
    for (std::size_t i = 0; i < count; ++i)
      if (!(std::abs(values.data()[i]) < most)) any = lost[i] = true, all.move(i, function.minima[0]);
    return any;
  };
  for (std::size_t step = 0; step <= budget; ++step) {
    all.x.clear_grad(), all.y.clear_grad();
    const bool elsewhere = !optimizer->evaluation_weights().empty();
    if (elsewhere) {
      const optim::EvaluationWeights guard(*optimizer);
      const NoGrad no_grad;
      record(step, function.value(all.x, all.y).value());
    }
    Variable value = function.value(all.x, all.y);
    if (optimizer->needs_closure() && put_aside(value.value())) value = function.value(all.x, all.y);
    if (!elsewhere) record(step, value.value());
    if (step == budget) break;
    if (optimizer->needs_closure()) {
      optimizer->step([&] { return sum(value); });
    } else {
      sum(value).backward();
      all.hand_out_gradients();
      optimizer->step();
      all.collect();
    }
  }
  std::vector<Trajectory> results;
  for (Recorder& recorder : recorders) results.push_back(recorder.take());
  return results;
}

Trajectory run_alone(const Function& function, Position start, const MakeOptimizer& make, std::size_t budget) {
  const Variable x(Tensor({static_cast<Scalar>(start[0])}), true), y(Tensor({static_cast<Scalar>(start[1])}), true);
  const auto optimizer = make({{{"x", x}, {"y", y}}});
  Recorder recorder(function, budget);
  std::size_t evaluations = 0;
  const auto closure = [&] {
    ++evaluations;
    return sum(function.value(x, y));
  };
  const auto value_here = [&] {
    const NoGrad no_grad;
    return static_cast<double>(function.value(x, y).item());
  };
  double value = value_here();
  recorder.record(0, start, value);
  while (evaluations < budget) {
    const std::size_t before = evaluations;
    const Position last = {x.item(), y.item()};
    const double last_value = value;
    Position at = {not_a_number, not_a_number};
    value = not_a_number;
    try {
      optimizer->step(closure);
      at = {x.item(), y.item()}, value = value_here();
    } catch (const ValueError&) {
      // The loss is not finite: it has diverged.
    }
    // Until the step is made, the position is the one before it.
    for (std::size_t step = before + 1; step < std::min(evaluations, budget); ++step)
      recorder.record(step, last, last_value);
    recorder.record(std::min(evaluations, budget), at, value);
    if (at == last || !std::isfinite(value)) break;  // it has come to its end
  }
  return recorder.take();
}

}  // namespace

std::vector<Trajectory> run(const Function& function, Starts starts, const MakeOptimizer& make, std::size_t budget) {
  // Estimates of curvature draw signs: a run is to be the same, whatever has been drawn before.
  default_generator() = Generator(1);
  if (starts != Starts::alone) return run_side_by_side(function, starts, make, budget);
  std::vector<Trajectory> results;
  for (const Position& start : function.starts) results.push_back(run_alone(function, start, make, budget));
  return results;
}

std::vector<Trajectory> run(const Function& function, const Rule& rule, const Settings& settings, std::size_t budget) {
  return run(
      function, Starts::elements, [&](const auto& groups) { return rule.make(groups[0], settings); }, budget);
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
