#include <xgrad/core/errors.h>
#include <xgrad/nn/activations.h>
#include <xgrad/nn/flatten.h>
#include <xgrad/nn/linear.h>

#include <algorithm>
#include <cmath>

#include "../curvature/weights.h"
#include "../experiment.h"

namespace lab {
namespace {

using namespace xgrad;

constexpr double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
// Gradient descent on a quadratic diverges where λ α > 2; with m̂, a mean of gradients, where it is above this (Cohen et
// al. 2022, section 2).
constexpr double descent_edge = 2, momentum_edge = (2 + 2 * beta1) / (1 - beta1);

// 784-16-10 with tanh, whose second derivative has no jumps.
nn::Sequential smooth_network(std::uint64_t weights) {
  seed(weights);
  return nn::Sequential{nn::Flatten(), nn::Linear(784, 16), nn::Tanh(), nn::Linear(16, 10)};
}

// Training on all samples at once, with the curvature on the way.
struct Tracked {
  std::string label, color;
  double lr, edge;
  std::vector<double> at, raw, preconditioned;  // the steps, and the largest eigenvalues there
  std::vector<double> losses;

  std::vector<double> share_of_edge() const {
    std::vector<double> shares;
    for (const double value : preconditioned) shares.push_back(value * lr / edge);
    return shares;
  }
};

Tracked track(const Context& context, const Samples& samples, std::string_view id, double lr, std::size_t steps) {
  const std::size_t looks = context.pick<std::size_t>(16, 40), products = context.pick<std::size_t>(10, 20);
  nn::Sequential model = smooth_network(context.seed);
  const NamedVariables parameters = model.parameters();
  const auto optimizer = rule(id).make(parameters, {.lr = lr, .beta1 = beta1, .beta2 = beta2, .eps = eps});
  Tracked result = {message(rule(id).label, ", α = ", number_text(lr, 1)),
                    std::string(id),
                    lr,
                    id == "sgd" ? descent_edge : momentum_edge,
                    {},
                    {},
                    {},
                    {}};
  Generator generator(context.seed);
  for (std::size_t step = 1; step <= steps; ++step) {
    optimizer->zero_grad();
    const Variable value = squared_loss(model, samples);
    result.losses.push_back(value.item());
    value.backward();
    optimizer->step();
    if (step % (steps / looks) != 0) continue;
    const Hessian hessian(squared_loss(model, samples), parameters);
    const std::size_t size = weights(parameters).size();
    result.at.push_back(static_cast<double>(step));
    result.raw.push_back(largest_eigenvalue(hessian, size, products, generator));
    Vector root = preconditioner(*optimizer, beta2, eps);
    // Where no gradient has ever been there is no curvature either, and nothing to divide by.
    for (double& element : root) element = element > 2 * eps ? 1 / std::sqrt(element) : 0;
    const auto scaled = [&](Vector v) {
      for (std::size_t i = 0; i < size; ++i) v[i] *= root[i];
      v = hessian(v);
      for (std::size_t i = 0; i < size; ++i) v[i] *= root[i];
      return v;
    };
    result.preconditioned.push_back(id == "sgd" ? result.raw.back()
                                                : largest_eigenvalue(scaled, size, products, generator));
  }
  return result;
}

LineChart losses(const std::vector<Tracked>& runs, const std::string& name, const std::string& title) {
  LineChart chart = {.name = name,
                     .title = title,
                     .note = "All samples in every step, so that there is no noise: what swings is the step itself.",
                     .x = {.label = "step"},
                     .y = {.label = "squared loss", .logarithmic = true},
                     .lines = {}};
  for (std::size_t i = 0; i < runs.size(); ++i)
    chart.lines.push_back(thinned({.label = runs[i].label,
                                   .color = name == "gd-loss" ? message("n", i) : runs[i].color,
                                   .x = counted(runs[i].losses.size()),
                                   .y = runs[i].losses}));
  return chart;
}

double latest(const std::vector<double>& values) {
  return median({values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end()});
}

std::vector<Block> edge_of_stability(const Context& context) {
  const Samples samples(context.data.train.slice(0, context.pick<std::size_t>(200, 1000)));
  const std::size_t steps = context.pick<std::size_t>(1600, 4000);
  std::vector<Tracked> descent, adaptive;
  for (const double lr : {0.05, 0.1, 0.2}) {
    descent.push_back(track(context, samples, "sgd", lr, steps));
    context.progress(0.08 * static_cast<double>(descent.size()));
  }
  adaptive.push_back(track(context, samples, "adam", 3e-3, steps));
  context.progress(0.36);
  adaptive.push_back(track(context, samples, "adamax", 6e-3, steps));
  context.progress(0.48);

  LineChart sharpness = {.name = "gd-sharpness",
                         .title = "Gradient descent: the largest eigenvalue of the Hessian",
                         .note = "The marks are 2 / α for each rate: above it a quadratic would diverge.",
                         .x = {.label = "step"},
                         .y = {.label = "largest eigenvalue λ", .logarithmic = true},
                         .lines = {},
                         .marks = {}};
  LineChart edge = {.name = "adaptive-edge",
                    .title = "Adam and Adamax: the preconditioned eigenvalue, as a share of its edge",
                    .note = message("λ of P⁻¹ᐟ² H P⁻¹ᐟ², times α / ", number_text(momentum_edge, 2),
                                    ", where P is √v̂ + ε, or u. At 1 a quadratic would begin to swing."),
                    .x = {.label = "step"},
                    .y = {.label = "share of the edge", .logarithmic = true},
                    .lines = {},
                    .marks = {{"edge", 1, true}}};
  LineChart raw = {.name = "raw-sharpness",
                   .title = "Adam and Adamax: the largest eigenvalue of the Hessian itself",
                   .note = "It may be far above that of gradient descent: what counts is the preconditioned one.",
                   .x = {.label = "step"},
                   .y = {.label = "largest eigenvalue λ", .logarithmic = true},
                   .lines = {}};
  Table table = {"eigenvalues",
                 "The largest eigenvalue in the second half of training (median), and the edge",
                 {"optimizer", "λ", "preconditioned", "edge", "share of the edge", "final loss"},
                 {}};
  for (std::size_t i = 0; i < descent.size(); ++i) {
    sharpness.lines.push_back(
        {.label = descent[i].label, .color = message("n", i), .x = descent[i].at, .y = descent[i].raw});
    sharpness.marks.push_back({message("2 / ", number_text(descent[i].lr, 1)), 2 / descent[i].lr, true});
  }
  for (const Tracked& run : adaptive) {
    edge.lines.push_back({.label = run.label, .color = run.color, .x = run.at, .y = run.share_of_edge()});
    raw.lines.push_back({.label = run.label, .color = run.color, .x = run.at, .y = run.raw});
  }
  for (const auto* runs : {&descent, &adaptive})
    for (const Tracked& run : *runs)
      table.rows.push_back({run.label, latest(run.raw), latest(run.preconditioned), run.edge / run.lr,
                            latest(run.share_of_edge()), run.losses.back()});
  return {Heading{"The edge of stability"},
          Text{"On a quadratic with curvature λ, gradient descent diverges where λ is above 2 / α. A network is no "
               "quadratic: its largest eigenvalue tends to rise while it learns, until it comes to 2 / α, and to stay "
               "about there, while the loss goes on falling, no longer in every step (Cohen et al. 2021). The table "
               "says how near to the edge these runs came. The loss is half the squared distance from 1 for the label "
               "and 0 for the others, since cross entropy flattens out once all is learned. "
               "Eigenvalues are found by Lanczos's method from exact products with the Hessian, the gradient of a "
               "gradient."},
          sharpness,
          losses(descent, "gd-loss", "Gradient descent: the loss"),
          Text{message(
              "Adam divides each direction by √v̂ + ε, Adamax by u. What must not be too large is then the curvature in "
              "these units, and since m̂ is a mean over steps with β₁ = 0.9, the edge is (2 + 2 β₁) / (1 - β₁) / α = ",
              number_text(momentum_edge, 2),
              " / α (Cohen et al. 2022). The same should hold for Adamax, as long as u changes slowly: see how near it "
              "comes.")},
          edge,
          raw,
          losses(adaptive, "adaptive-loss", "Adam and Adamax: the loss"),
          table};
}

struct Solution {
  std::string label, color;
  Vector end;
  Matrix way;  // the weights at the start, and on the way
};

Solution solve(const Context& context, std::string_view id, std::uint64_t weights_seed, std::size_t steps) {
  constexpr std::size_t looks = 20;
  nn::Sequential model = smooth_network(weights_seed);
  const NamedVariables parameters = model.parameters();
  const auto optimizer = rule(id).make(parameters, {.lr = id == "sgd" ? 0.3 : rule(id).lr * 3});
  Solution result = {std::string(rule(id).label), std::string(id), {}, {weights(parameters)}};
  train(model, *optimizer, context.data.train,
        {.steps = steps, .seed = context.seed, .after_step = [&](std::size_t step) {
           if (step % (steps / looks) == 0) result.way.push_back(weights(parameters));
         }});
  result.end = weights(parameters);
  return result;
}

// The loss on the straight line, and how far it rises above the straight line between the losses at its ends.
std::vector<Block> on_the_line(const Context& context, const Samples& train_part, const Samples& test_part,
                               const std::vector<Solution>& all) {
  nn::Sequential model = smooth_network(context.seed);
  Table table = {"barriers",
                 "The barrier: how far the training loss rises above the line between its ends",
                 {"between", "barrier", "at", "loss at the ends"},
                 {}};
  std::vector<Block> blocks = {
      Heading{"On the line between two solutions"},
      Text{"Two trainings end at two places. On the straight line between them the loss says whether these lie in one "
           "valley: 0 is the first end, 1 the second (Goodfellow et al. 2015)."}};
  for (const std::size_t other : {std::size_t{1}, std::size_t{2}}) {
    const std::string name = other == 1 ? "seeds" : "optimizers";
    const std::string what =
        other == 1 ? "Adam from two starts" : message("Adam and ", all[2].label, " from one start");
    Line on_train = {.label = "training loss", .x = {}, .y = {}},
         on_test = {.label = "test loss", .x = {}, .y = {}, .dashed = true};
    const std::size_t count = context.pick<std::size_t>(31, 61);
    for (std::size_t i = 0; i < count; ++i) {
      const double t = -0.25 + 1.5 * static_cast<double>(i) / static_cast<double>(count - 1);
      const Vector at = between(all[0].end, all[other].end, t);
      on_train.x.push_back(t), on_test.x.push_back(t);
      on_train.y.push_back(loss_at(model, train_part, at));
      on_test.y.push_back(loss_at(model, test_part, at));
    }
    const double first = loss_at(model, train_part, all[0].end), second = loss_at(model, train_part, all[other].end);
    double barrier = 0, where = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double t = on_train.x[i], above = on_train.y[i] - (first + t * (second - first));
      if (t >= 0 && t <= 1 && above > barrier) barrier = above, where = t;
    }
    table.rows.push_back({what, barrier, Cell(where, 2), Cell(number_text(first) + " and " + number_text(second))});
    blocks.push_back(LineChart{.name = "line-" + name,
                               .title = what,
                               .note = "Mean cross entropy on a part of each data set.",
                               .x = {.label = "place on the line: 0 and 1 are the solutions"},
                               .y = {.label = "cross entropy", .logarithmic = true},
                               .lines = {on_train, on_test},
                               .marks = {{"Adam", 0}, {other == 1 ? "Adam, another start" : all[2].label, 1}}});
  }
  blocks.push_back(table);
  return blocks;
}

// The loss on a grid of centre + x a + y b.
Landscape landscape(const Context& context, const Samples& samples, const Vector& centre, const Vector& a,
                    const Vector& b, double left, double right, double bottom, double top) {
  Landscape map = {};
  map.left = left, map.right = right, map.bottom = bottom, map.top = top;
  map.columns = map.rows = context.pick<std::size_t>(25, 45);
  nn::Sequential model = smooth_network(context.seed);
  for (std::size_t r = 0; r < map.rows; ++r)
    for (std::size_t c = 0; c < map.columns; ++c) {
      const double x = left + (right - left) * static_cast<double>(c) / static_cast<double>(map.columns - 1);
      const double y = bottom + (top - bottom) * static_cast<double>(r) / static_cast<double>(map.rows - 1);
      Vector at = centre;
      for (std::size_t i = 0; i < at.size(); ++i) at[i] += x * a[i] + y * b[i];
      map.values.push_back(loss_at(model, samples, at));
    }
  return map;
}

Landscape slice(const Context& context, const Samples& samples, const Solution& solution) {
  nn::Sequential model = smooth_network(context.seed);
  set_weights(model.parameters(), solution.end);
  Generator generator(context.seed);
  const Vector a = filter_wise_direction(model.parameters(), generator),
               b = filter_wise_direction(model.parameters(), generator);
  Landscape map = landscape(context, samples, solution.end, a, b, -1, 1, -1, 1);
  map.name = "slice";
  map.title = "A slice around Adam's solution";
  map.note =
      "Two random directions with filter-wise scaling: a step of 1 is as long, for every unit, as its weights (Li et "
      "al. 2018). Bands are equally wide in the logarithm of the loss above its least.";
  map.x_label = "first direction";
  map.y_label = "second direction";
  map.paths = {{"Adam's solution", "adam", {0}, {0}}};
  return map;
}

Landscape plane(const Context& context, const Samples& samples, const std::vector<Solution>& all, Table& table) {
  Matrix points;
  for (const Solution& one : all) points.insert(points.end(), one.way.begin(), one.way.end());
  const Plane plane = principal_plane(points);
  std::vector<Landscape::Path> paths;
  double left = 0, right = 0, bottom = 0, top = 0;
  for (const Solution& one : all) {
    paths.push_back({one.label, one.color, {}, {}});
    for (const Vector& at : one.way) {
      Vector away = at;
      for (std::size_t i = 0; i < away.size(); ++i) away[i] -= plane.centre[i];
      paths.back().x.push_back(dot(away, plane.first));
      paths.back().y.push_back(dot(away, plane.second));
      left = std::min(left, paths.back().x.back()), right = std::max(right, paths.back().x.back());
      bottom = std::min(bottom, paths.back().y.back()), top = std::max(top, paths.back().y.back());
    }
  }
  const double dx = 0.15 * (right - left), dy = 0.15 * (top - bottom);
  Landscape map = landscape(context, samples, plane.centre, plane.first, plane.second, left - dx, right + dx,
                            bottom - dy, top + dy);
  table = {
      "variance",
      "The principal plane of all trajectories",
      {"component", "share of the variance"},
      {{"first", plane.first_share}, {"second", plane.second_share}, {"both", plane.first_share + plane.second_share}}};
  map.name = "plane";
  map.title = message("The principal plane of the trajectories: ",
                      number_text(100 * (plane.first_share + plane.second_share), 3), " % of their variance");
  map.note =
      "All start at the same point. What lies outside of the plane is not seen: the loss on the drawn way is not quite "
      "that of the real one. The dot is the end.";
  map.x_label = "first principal component";
  map.y_label = "second principal component";
  map.paths = paths;
  return map;
}

}  // namespace

Section curvature(const Context& context) {
  Section section = {.id = "curvature", .title = "Curvature", .blocks = edge_of_stability(context)};
  const std::size_t steps = context.pick<std::size_t>(200, 2000), part = context.pick<std::size_t>(200, 1000);
  const Samples train_part(context.data.train.slice(0, part)), test_part(context.data.test.slice(0, part));
  // Adam, Adam from another start, and from the first start SGD, momentum and Adamax.
  std::vector<Solution> all = {solve(context, "adam", context.seed, steps),
                               solve(context, "adam", context.seed + 1, steps)};
  for (const char* id : {"sgd", "momentum", "adamax"}) all.push_back(solve(context, id, context.seed, steps));
  context.progress(0.6);
  const std::vector<Block> lines = on_the_line(context, train_part, test_part, all);
  section.blocks.insert(section.blocks.end(), lines.begin(), lines.end());
  context.progress(0.7);
  section.blocks.emplace_back(Heading{"Landscape"});
  section.blocks.emplace_back(
      Text{"The loss is a function of thousands of weights; two directions of them make a picture. Which two decides "
           "on what is seen: random ones around a solution, or those in which the trajectories spread most."});
  section.blocks.emplace_back(slice(context, train_part, all[0]));
  context.progress(0.85);
  all.erase(all.begin() + 1);
  Table variance;
  section.blocks.emplace_back(plane(context, train_part, all, variance));
  section.blocks.emplace_back(std::move(variance));
  return section;
}

}  // namespace lab
