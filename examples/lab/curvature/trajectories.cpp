// The plane in which trajectories vary most.
#include <xgrad/core/random.h>

#include <algorithm>
#include <cmath>

#include "../compare.h"
#include "../experiment.h"
#include "parts.h"
#include "plane.h"

namespace lab {
namespace {

using namespace xgrad;

struct Trajectory {
  const Rule* rule;
  std::vector<Vector> points;  // from the start on
};

double percent(const Plane& plane) { return 100 * (plane.shares[0] + plane.shares[1]); }

// As many trajectories of as many points, in which each step is random: what a plane explains of nothing.
Plane of_random_walks(std::size_t trajectories, std::size_t steps, std::size_t size, std::uint64_t seed) {
  Generator random(seed);
  std::vector<Vector> points = {Vector(size, 0)};
  for (std::size_t one = 0; one < trajectories; ++one) {
    Vector at(size, 0);
    for (std::size_t step = 0; step < steps; ++step) {
      for (double& coordinate : at) coordinate += random.uniform(-1, 1);
      points.push_back(at);
    }
  }
  return principal_plane(points);
}

Plane plane_of(const std::vector<Trajectory>& all) {
  std::vector<Vector> points = {all.front().points.front()};  // the common start, once
  for (const Trajectory& one : all) points.insert(points.end(), one.points.begin() + 1, one.points.end());
  return principal_plane(points);
}

// Four optimizers from the weights as they are.
std::vector<Trajectory> trained(const Context& context, nn::Sequential& model, std::uint64_t seed, std::size_t every,
                                std::size_t looks) {
  const NamedVariables parameters = model.parameters();
  const Vector start = flatten(parameters);
  std::vector<Trajectory> all;
  for (const char* id : {"sgd", "momentum", "adam", "adamax"}) {
    all.push_back({&rule(id), {start}});
    assign(parameters, start);
    const auto optimizer = rule(id).make(parameters, {.lr = rule(id).lr});
    train(model, *optimizer, context.data.train,
          {.steps = every * looks, .seed = seed, .after_step = [&](std::size_t step) {
             if (step % every == 0) all.back().points.push_back(flatten(parameters));
           }});
  }
  return all;
}

struct Extent {
  double low, high;
  explicit Extent(const std::vector<double>& values) {
    const auto [least, largest] = std::minmax_element(values.begin(), values.end());
    const double margin = 0.25 * (*largest - *least);
    low = *least - margin, high = *largest + margin;
  }
};

}  // namespace

Blocks trajectories(const Context& context, const Progress& progress) {
  const std::size_t every = context.pick<std::size_t>(25, 50), looks = context.pick<std::size_t>(16, 40),
                    side = context.pick<std::size_t>(19, 51), samples = context.pick<std::size_t>(400, 2000);
  const datasets::Dataset data = context.data.train.slice(0, std::min(samples, context.data.train.size()));
  const std::vector<std::uint64_t> starts = seeds(context);
  std::vector<double> shares_of_runs, shares_of_walks;
  for (std::size_t i = 1; i < starts.size(); ++i) {
    nn::Sequential other = mlp({hidden_units}, starts[i]);
    const std::vector<Trajectory> runs = trained(context, other, starts[i], every, looks);
    shares_of_runs.push_back(percent(plane_of(runs)));
    shares_of_walks.push_back(percent(of_random_walks(runs.size(), looks, runs[0].points[0].size(), starts[i])));
    progress(0.5 * static_cast<double>(i) / static_cast<double>(starts.size()));
  }
  // The first of the starts is drawn.
  const std::uint64_t seed = starts[0];
  nn::Sequential model = mlp({hidden_units}, seed);
  const NamedVariables parameters = model.parameters();
  const Vector start = flatten(parameters);
  const Height loss = [&] { return evaluate(model, data).loss; };
  const std::vector<Trajectory> all = trained(context, model, seed, every, looks);
  const Plane plane = plane_of(all), walks = of_random_walks(all.size(), looks, start.size(), seed);
  shares_of_runs.push_back(percent(plane));
  shares_of_walks.push_back(percent(walks));
  progress(0.5);

  Landscape map = {.name = "trajectories",
                   .title = say::plane_title{},
                   .note = say::plane_note{},
                   .x_label = "along the first principal component",
                   .y_label = "along the second",
                   .left = 0,
                   .right = 0,
                   .bottom = 0,
                   .top = 0,
                   .columns = side,
                   .rows = side,
                   .values = {},
                   .value_label = "training loss"};
  Table table = {.name = "trajectories-numbers",
                 .caption = say::plane_ends{},
                 .columns = {"optimizer", "training loss", "loss at the projected point", "distance from the start",
                             "distance from the plane", "explained by a plane of its own, %"},
                 .rows = {}};
  std::vector<double> xs, ys;
  for (const Trajectory& one : all) {
    Landscape::Path path = {
        .label = std::string(one.rule->label), .color = std::string(one.rule->id), .x = {}, .y = {}};
    for (const Vector& point : one.points) {
      const Plane::Point at = plane.project(point);
      path.x.push_back(at.x), path.y.push_back(at.y);
      xs.push_back(at.x), ys.push_back(at.y);
    }
    map.paths.push_back(path);
    const Vector& end = one.points.back();
    const Plane::Point at = plane.project(end);
    table.rows.push_back({path.label, Cell(value_at(parameters, end, loss)),
                          Cell(value_at(parameters, plane.at(at.x, at.y), loss)), Cell(norm(along(end, -1, start))),
                          Cell(at.off), Cell(percent(principal_plane(one.points)))});
  }
  const Plane walk = of_random_walks(1, looks, start.size(), seed + 2);
  table.rows.push_back({"a random walk", NAN, NAN, NAN, NAN, Cell(percent(walk))});
  const Extent across(xs), up(ys);
  map.left = across.low, map.right = across.high, map.bottom = up.low, map.top = up.high;
  for (std::size_t row = 0; row < side; ++row) {
    for (std::size_t column = 0; column < side; ++column) {
      const auto place = [side](const Extent& box, std::size_t i) {
        return box.low + (box.high - box.low) * static_cast<double>(i) / static_cast<double>(side - 1);
      };
      map.values.push_back(value_at(parameters, plane.at(place(across, column), place(up, row)), loss));
    }
    progress(0.5 + 0.5 * static_cast<double>(row + 1) / static_cast<double>(side));
  }

  Table shares = {.name = "explained",
                  .caption = say::plane_explained{},
                  .columns = {"of", "first component", "second", "third", "the plane"},
                  .rows = {}};
  for (const auto& [name, of] : {std::pair("the four runs", &plane), std::pair("random walks instead", &walks)})
    shares.rows.push_back(
        {name, Cell(100 * of->shares[0]), Cell(100 * of->shares[1]), Cell(100 * of->shares[2]), Cell(percent(*of))});
  const std::string runs_hold = number_text(median(shares_of_runs)), walks_hold = number_text(median(shares_of_walks));
  Table seeds_table = {.name = "explained-seeds",
                       .caption = say::plane_five{},
                       .columns = {"of", "the plane, %"},
                       .rows = {{"the four runs", Cell::spread(shares_of_runs)},
                                {"random walks instead", Cell::spread(shares_of_walks)}}};
  return {
      Heading{say::plane_heading{}},
      Text{say::plane_words{.every = every, .steps = every * looks, .width = hidden_units}},
      map,
      seeds_table,
      shares,
      table,
      Text{say::plane_result{.runs = runs_hold, .walks = walks_hold}},
      Text{either(compare(shares_of_runs, shares_of_walks), say::plane_below{}, say::plane_above{},
                  say::plane_undecided{})},
  };
}

}  // namespace lab
