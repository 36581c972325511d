// The loss on the straight line between two solutions.
#include <xgrad/core/errors.h>

#include <algorithm>
#include <cmath>

#include "../compare.h"
#include "../experiment.h"
#include "matching.h"
#include "parts.h"
#include "plane.h"
#include "verdicts.h"

namespace lab {
namespace {

using namespace xgrad;

struct Run {
  std::string_view rule;
  std::uint64_t start, first_order, order;  // seeds: of the weights, of the samples in the first steps, and then
};

struct Lengths {
  std::size_t steps, first;  // all of them, and the first ones, in which the rate is constant
};

// Where training ends. Its rate falls linearly to 0 after the first steps, so that it ends at rest. Every run has the
// same number of steps and the same rates, whatever it has in common with another.
Vector solution(const Context& context, const Run& run, const Lengths& lengths) {
  nn::Sequential model = mlp({hidden_units}, run.start);
  const Rule& one = rule(run.rule);
  const auto optimizer = one.make(model.parameters(), {.lr = 3 * one.lr});
  const std::size_t rest = lengths.steps - lengths.first;
  const optim::Curve falls = [rest](double base, std::int64_t count) {
    return base * (1 - static_cast<double>(count) / static_cast<double>(rest));
  };
  train(model, *optimizer, context.data.train, {.steps = lengths.first, .seed = run.first_order});
  train(model, *optimizer, context.data.train, {.steps = rest, .seed = run.order + 7000, .schedule = falls});
  return flatten(model.parameters());
}

// Pairs of one kind, one for each seed.
struct Kind {
  std::string label, color;
  std::vector<std::pair<Vector, Vector>> pairs = {};
  std::vector<std::vector<double>> train = {}, test = {};  // losses on the line, for each pair
  std::vector<double> barriers = {}, test_barriers = {}, halfway_accuracy = {}, distances = {};
};

void walk(const Context& context, Kind& kind, const std::vector<double>& positions, std::size_t samples) {
  nn::Sequential model = mlp({hidden_units}, 1);
  const NamedVariables parameters = model.parameters();
  const auto some = [samples](const datasets::Dataset& data) { return data.slice(0, std::min(samples, data.size())); };
  const datasets::Dataset train = some(context.data.train), test = some(context.data.test);
  for (const auto& [from, to] : kind.pairs) {
    const Vector way = along(to, -1, from);
    std::vector<double> on_train, on_test;
    for (const double position : positions) {
      assign(parameters, along(from, position, way));
      on_train.push_back(evaluate(model, train).loss);
      const Score score = evaluate(model, test);
      on_test.push_back(score.loss);
      if (position == 0.5) kind.halfway_accuracy.push_back(100 * score.accuracy);
    }
    kind.barriers.push_back(barrier(positions, on_train));
    kind.test_barriers.push_back(barrier(positions, on_test));
    kind.distances.push_back(norm(way));
    kind.train.push_back(std::move(on_train));
    kind.test.push_back(std::move(on_test));
  }
}

std::vector<double> line_positions(std::size_t inner) {
  std::vector<double> positions;  // 0 and 1 are exact
  const auto steps = static_cast<int>(inner);
  for (int i = -steps / 4; i <= steps + steps / 4; ++i) positions.push_back(static_cast<double>(i) / steps);
  return positions;
}

std::string decided(judge::Decided when, std::size_t shared) {
  switch (when) {
    case judge::Decided::by_the_start:
      return say::between_start{};
    case judge::Decided::in_the_common_steps:
      return say::between_common{.shared = shared};
    case judge::Decided::later:
      return say::between_later{.shared = shared};
    case judge::Decided::undecided:
      return say::between_undecided{};
  }
  return "";
}

}  // namespace

Blocks between_solutions(const Context& context, const Progress& progress) {
  const Lengths lengths = {context.pick<std::size_t>(500, 3000), context.pick<std::size_t>(100, 500)};
  const std::size_t samples = context.pick<std::size_t>(300, 5000);
  std::vector<Kind> kinds = {{"two seeds", "n0"},
                             {"two seeds, hidden units matched", "n2"},
                             {"Adam and SGD from one start", "n1"},
                             {"one start, two orders", "n4"},
                             {message("one start, the first ", lengths.first, " steps in common"), "n6"}};
  const std::vector<std::uint64_t> all = seeds(context);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::uint64_t a = all[i], b = a + 100;
    const Vector adam = solution(context, {"adam", a, a, a}, lengths),
                 other = solution(context, {"adam", b, b, b}, lengths);
    kinds[0].pairs.emplace_back(adam, other);
    kinds[1].pairs.emplace_back(adam, matched(other, adam, 28 * 28, hidden_units));
    kinds[2].pairs.emplace_back(adam, solution(context, {"sgd", a, a, a}, lengths));
    kinds[3].pairs.emplace_back(adam, solution(context, {"adam", a, b, b}, lengths));
    kinds[4].pairs.emplace_back(adam, solution(context, {"adam", a, a, b}, lengths));
    progress(0.5 * static_cast<double>(i + 1) / static_cast<double>(all.size()));
  }
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
  LineChart on_train = chart("between-train", say::between_train{}, say::between_note{}),
            on_test = chart("between-test", say::between_test{}, say::between_note{});
  Table table = {.name = "between",
                 .caption = say::between_caption{},
                 .columns = {"solutions", "barrier", "training loss, first", "second", "barrier in test loss",
                             "test accuracy halfway, %", "distance"},
                 .rows = {}};
  const auto at = [&](const std::vector<std::vector<double>>& losses, double position) {
    const auto index =
        static_cast<std::size_t>(std::find(positions.begin(), positions.end(), position) - positions.begin());
    std::vector<double> values;
    for (const std::vector<double>& one : losses) values.push_back(one[index]);
    return Cell::spread(values);
  };
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    Kind& kind = kinds[i];
    walk(context, kind, positions, samples);
    on_train.lines.push_back(summary(kind.label, kind.color, positions, kind.train));
    on_test.lines.push_back(summary(kind.label, kind.color, positions, kind.test));
    table.rows.push_back({kind.label, Cell::spread(kind.barriers), at(kind.train, 0), at(kind.train, 1),
                          Cell::spread(kind.test_barriers), Cell::spread(kind.halfway_accuracy),
                          Cell::spread(kind.distances)});
    progress(0.5 + 0.5 * static_cast<double>(i + 1) / static_cast<double>(kinds.size()));
  }
  const auto compared = [&](std::size_t one) {
    const std::string own = number_text(median(kinds[one].barriers)), seeds = number_text(median(kinds[0].barriers));
    return either(compare(kinds[one].barriers, kinds[0].barriers), say::barrier_lower{.own = own, .seeds = seeds},
                  say::barrier_higher{.own = own, .seeds = seeds}, say::barrier_undecided{.own = own, .seeds = seeds});
  };
  return {
      Heading{say::between_heading{}},
      Text{say::between_words{.first = lengths.first, .steps = lengths.steps, .width = hidden_units}},
      on_train,
      on_test,
      table,
      Text{say::between_matching{.matched = compared(1)}},
      Text{say::between_result{
          .common = compared(4), .optimizers = compared(2), .orders = compared(3), .shared = lengths.first}},
      Text{decided(judge::valley(kinds[0].barriers, kinds[3].barriers, kinds[4].barriers), lengths.first)},
  };
}

}  // namespace lab
