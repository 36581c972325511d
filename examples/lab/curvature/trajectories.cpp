// The plane in which trajectories vary most.
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>

#include <algorithm>
#include <cmath>

#include "../experiment.h"
#include "parts.h"
#include "plane.h"

namespace lab {
namespace {

using namespace xgrad;

constexpr std::size_t width = 32;

struct Trajectory {
  const Rule* rule;
  std::vector<Vector> points;  // from the start on
};

double plane_share(const Plane& plane) { return plane.shares[0] + plane.shares[1]; }

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
  const std::uint64_t seed = context.seed * 1000 + 31;
  const datasets::Dataset data = context.data.train.slice(0, std::min(samples, context.data.train.size()));
  nn::Sequential model = mlp({width}, seed);
  const NamedVariables parameters = model.parameters();
  const Vector start = flatten(parameters);
  const Height loss = [&] { return evaluate(model, data).loss; };

  std::vector<Trajectory> all;
  for (const char* id : {"sgd", "momentum", "adam", "adamax"}) {
    all.push_back({&rule(id), {start}});
    assign(parameters, start);
    const auto optimizer = rule(id).make(parameters, {.lr = rule(id).lr});
    train(model, *optimizer, context.data.train,
          {.steps = every * looks, .seed = seed, .after_step = [&](std::size_t step) {
             if (step % every == 0) all.back().points.push_back(flatten(parameters));
           }});
    progress(0.1 * static_cast<double>(all.size()));
  }
  const Plane plane = plane_of(all), walks = of_random_walks(all.size(), looks, start.size(), seed + 1);
  progress(0.5);

  Landscape map = {
      .name = "trajectories",
      .title = "Four optimizers from one start, in their principal plane",
      .note =
          "Each path is where the weights are when seen from straight above the plane. The colours are the training "
          "loss in the plane itself, which the weights are not in: see the table.",
      .x_label = "along the first principal component",
      .y_label = "along the second",
      .left = 0,
      .right = 0,
      .bottom = 0,
      .top = 0,
      .columns = side,
      .rows = side,
      .values = {}};
  Table table = {.name = "trajectories-numbers",
                 .caption = "Where the runs end",
                 .columns = {"optimizer", "training loss", "of its shadow in the plane", "way from the start",
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
                          Cell(at.off), Cell(100 * plane_share(principal_plane(one.points)))});
  }
  const Plane walk = of_random_walks(1, looks, start.size(), seed + 2);
  table.rows.push_back({"a random walk", NAN, NAN, NAN, NAN, Cell(100 * plane_share(walk))});
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
                  .caption = "Explained variance, %",
                  .columns = {"of", "first component", "second", "third", "the plane"},
                  .rows = {}};
  for (const auto& [name, of] : {std::pair("the four runs", &plane), std::pair("random walks instead", &walks)})
    shares.rows.push_back({name, Cell(100 * of->shares[0]), Cell(100 * of->shares[1]), Cell(100 * of->shares[2]),
                           Cell(100 * plane_share(*of))});
  const double gained = 100 * (plane_share(plane) - plane_share(walks));
  return {
      Heading{"The plane of the trajectories"},
      Text{message("SGD, momentum, Adam and Adamax train a network 784-", width, "-10 from one start for ",
                   every * looks, " steps, and every ", every,
                   " steps their weights are kept. The plane goes through the mean of all of these points, along the "
                   "two directions in which they "
                   "vary most: their principal components.")},
      map,
      shares,
      table,
      Text{message(
          "The plane explains ", number_text(100 * plane_share(plane)),
          " % of the variance. It means less than it seems: walks whose "
          "every step is random have a smooth principal plane too (Antognini and Sohl-Dickstein 2018). Of as many of "
          "these, as long and in as many dimensions, a plane explains ",
          number_text(100 * plane_share(walks)), " %. ",
          gained > 10    ? "The runs are well above that."
          : gained > -10 ? "The runs are not far from that."
                         : "The runs are well below that.")},
  };
}

}  // namespace lab
