// The loss on the straight line between two solutions.
#include <xgrad/core/errors.h>

#include <algorithm>
#include <cmath>

#include "../experiment.h"
#include "matching.h"
#include "parts.h"
#include "plane.h"

namespace lab {
namespace {

using namespace xgrad;

constexpr std::size_t width = 32;

struct Run {
  std::string_view rule;
  std::uint64_t start, order;  // seeds
  std::size_t shared = 0;      // the first so many steps are those of the order `start`
};

// Where training ends; its rate falls linearly to 0, so that it ends at rest.
Vector solution(const Context& context, const Run& run, std::size_t steps) {
  nn::Sequential model = mlp({width}, run.start);
  const Rule& one = rule(run.rule);
  const auto optimizer = one.make(model.parameters(), {.lr = 3 * one.lr});
  const optim::Curve falls = [steps](double base, std::int64_t count) {
    return base * (1 - static_cast<double>(count) / static_cast<double>(steps));
  };
  if (run.shared > 0) train(model, *optimizer, context.data.train, {.steps = run.shared, .seed = run.start});
  train(model, *optimizer, context.data.train, {.steps = steps, .seed = run.order, .schedule = falls});
  return flatten(model.parameters());
}

struct Pair {
  std::string label, color;
  Vector from, to;
};

struct Between {
  std::vector<double> train, test;
  double halfway_accuracy;
};

Between walk(const Context& context, const Pair& pair, const std::vector<double>& positions, std::size_t samples) {
  nn::Sequential model = mlp({width}, 1);
  const NamedVariables parameters = model.parameters();
  const auto some = [samples](const datasets::Dataset& data) { return data.slice(0, std::min(samples, data.size())); };
  const datasets::Dataset train = some(context.data.train), test = some(context.data.test);
  const Vector way = along(pair.to, -1, pair.from);
  Between result = {{}, {}, 0};
  for (const double position : positions) {
    assign(parameters, along(pair.from, position, way));
    result.train.push_back(evaluate(model, train).loss);
    const Score score = evaluate(model, test);
    result.test.push_back(score.loss);
    if (position == 0.5) result.halfway_accuracy = score.accuracy;
  }
  return result;
}

std::vector<double> line_positions(std::size_t inner) {
  std::vector<double> positions;  // 0 and 1 are exact
  const auto steps = static_cast<int>(inner);
  for (int i = -steps / 4; i <= steps + steps / 4; ++i) positions.push_back(static_cast<double>(i) / steps);
  return positions;
}

}  // namespace

Blocks between_solutions(const Context& context, const Progress& progress) {
  const std::size_t steps = context.pick<std::size_t>(500, 3000), shared = context.pick<std::size_t>(100, 500),
                    samples = context.pick<std::size_t>(500, 5000);
  const std::uint64_t a = context.seed * 1000 + 11, b = context.seed * 1000 + 12;
  const Vector adam = solution(context, {"adam", a, a}, steps), other = solution(context, {"adam", b, b}, steps);
  progress(0.2);
  const std::vector<Pair> pairs = {
      {"Adam, two seeds", "n0", adam, other},
      {"Adam, two seeds, hidden units matched", "n2", adam, matched(other, adam, 28 * 28, width)},
      {"Adam and SGD from one start", "n1", adam, solution(context, {"sgd", a, a}, steps)},
      {"Adam from one start, two orders", "n4", adam, solution(context, {"adam", a, b}, steps)},
      {message("Adam, the first ", shared, " steps in common"), "n6", solution(context, {"adam", a, a, shared}, steps),
       solution(context, {"adam", a, b, shared}, steps)},
  };
  progress(0.5);
  const std::vector<double> positions = line_positions(context.pick<std::size_t>(12, 40));
  const auto chart = [](std::string name, std::string title, std::string note) {
    return LineChart{.name = std::move(name),
                     .title = std::move(title),
                     .note = std::move(note),
                     .x = {.label = "position on the line: 0 is the first solution, 1 the second"},
                     .y = {.label = "cross entropy", .logarithmic = true},
                     .lines = {},
                     .marks = {{"first", 0}, {"second", 1}}};
  };
  LineChart on_train = chart("between-train", "Training loss on the line between two solutions", ""),
            on_test = chart("between-test", "Test loss on the same lines", "");
  Table table = {.name = "between",
                 .caption =
                     "How high the barrier is: the largest height of the loss above the straight line between its "
                     "values at the ends",
                 .columns = {"solutions", "training loss, first", "second", "barrier", "test loss, first", "second",
                             "barrier in test loss", "test accuracy halfway, %", "distance"},
                 .rows = {}};
  std::vector<double> barriers;
  for (const Pair& pair : pairs) {
    const Between seen = walk(context, pair, positions, samples);
    on_train.lines.push_back({.label = pair.label, .color = pair.color, .x = positions, .y = seen.train});
    on_test.lines.push_back({.label = pair.label, .color = pair.color, .x = positions, .y = seen.test});
    const auto at = [&](const std::vector<double>& losses, double position) {
      return losses[static_cast<std::size_t>(std::find(positions.begin(), positions.end(), position) -
                                             positions.begin())];
    };
    barriers.push_back(barrier(positions, seen.train));
    table.rows.push_back({pair.label, Cell(at(seen.train, 0)), Cell(at(seen.train, 1)), Cell(barriers.back()),
                          Cell(at(seen.test, 0)), Cell(at(seen.test, 1)), Cell(barrier(positions, seen.test)),
                          Cell(100 * seen.halfway_accuracy), Cell(norm(along(pair.to, -1, pair.from)))});
    progress(0.5 + 0.5 * static_cast<double>(barriers.size()) / static_cast<double>(pairs.size()));
  }
  const auto compared = [&](std::size_t one, const char* lower, const char* not_lower) {
    return message(barriers[one] < barriers[0] ? lower : not_lower, " (", number_text(barriers[one]), " against ",
                   number_text(barriers[0]), ")");
  };
  return {
      Heading{"Between two solutions"},
      Text{message("Each pair of networks 784-", width, "-10 has learned digits for ", steps,
                   " steps with a rate that falls to 0. The figure shows the loss of (1 - a) θ₁ + a θ₂: both ends are "
                   "good, but what "
                   "lies between them need not be. A barrier says that training has come to two different valleys "
                   "(Goodfellow et al. "
                   "2015; Frankle et al. 2020).")},
      on_train,
      on_test,
      table,
      Text{message("Hidden units can change places without a change of the function, so that two seeds may find the "
                   "same units in "
                   "another order. Once each unit of the second network stands where the most similar one of the first "
                   "does (Ainsworth et al. "
                   "2023), the barrier is ",
                   compared(1, "lower", "not lower"), ". Two optimizers from one start: ",
                   compared(2, "lower than between seeds", "no lower than between seeds"),
                   ". Two orders of the samples from one start: ", compared(3, "lower", "no lower"), ", and after ",
                   shared, " common steps: ", compared(4, "lower", "no lower"), ". ",
                   barriers[3] < 0.1 * barriers[0]
                       ? "Here the start decides in which valley training ends; the order of the samples does little."
                   : barriers[4] < 0.5 * barriers[3]
                       ? "So it is decided in these first steps, for the greater part, in which valley training ends."
                       : "So these first steps have not yet decided in which valley training ends.")},
  };
}

}  // namespace lab
