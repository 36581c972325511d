// The loss around the point where training ends, in scaled directions.
#include <xgrad/core/errors.h>
#include <xgrad/nn/losses.h>

#include <algorithm>
#include <cmath>

#include "../experiment.h"
#include "eigen.h"
#include "hessian.h"
#include "parts.h"
#include "plane.h"

namespace lab {
namespace {

using namespace xgrad;

// A network where training has left it, and the samples that its loss is seen on.
struct Place {
  nn::Sequential model;
  NamedVariables parameters;
  datasets::Dataset data;
  Height loss;
  Place(const Context& context, std::uint64_t seed)
      : model(mlp({hidden_units}, seed)),
        parameters(model.parameters()),
        data(context.data.train.slice(0, std::min(context.data.train.size(), context.pick<std::size_t>(400, 2000)))),
        loss([this] { return evaluate(model, data).loss; }) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
};

double sharpness(Place& place) {
  Tensor images = Tensor::from_shape({place.data.size(), 1, 28, 28});
  datasets::to_unit(place.data.images().data(), images.size(), images.data());
  IndexTensor labels = IndexTensor::from_shape({place.data.size()});
  for (std::size_t i = 0; i < place.data.size(); ++i) labels(i) = place.data.labels()[i];
  const Hessian hessian(place.parameters, nn::cross_entropy(place.model(Variable(std::move(images))), labels));
  return lanczos(hessian, hessian.size()).value;
}

Vector direction(const Place& place, std::uint64_t seed) {
  Generator random(seed);
  return random_direction(place.parameters, random);
}

std::vector<double> ticks(std::size_t count) {
  std::vector<double> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back(2 * static_cast<double>(i) / static_cast<double>(count - 1) - 1);
  return all;
}

std::vector<double> losses_along(Place& place, const Vector& way, const std::vector<double>& positions) {
  const Vector here = flatten(place.parameters);
  std::vector<double> losses;
  for (const double position : positions)
    losses.push_back(value_at(place.parameters, along(here, position, way), place.loss));
  return losses;
}

// Li et al. 2018 scale directions because of this: a network whose first layer is four times as large and whose second
// a quarter computes the same.
Blocks twins(const Context& context, Place& place) {
  const std::vector<double> positions = ticks(context.pick<std::size_t>(17, 61));
  const Vector here = flatten(place.parameters), drawn = direction(place, context.seed * 1000 + 23);
  const double plain_scale = norm(here) / norm(drawn);  // one length for both networks
  LineChart chart = {.name = "twins",
                     .title = say::twins_title{},
                     .note = say::twins_note{},
                     .x = {.label = "position: 1 is as far as the weights are long"},
                     .y = {.label = "cross entropy", .logarithmic = true},
                     .lines = {}};
  Table table = {.name = "twins-numbers",
                 .caption = say::twins_caption{},
                 .columns = {"network", "loss", "λ of H", "mean loss on the plain line", "on the filter-wise line"},
                 .rows = {}};
  std::vector<std::vector<double>> filter_wise;
  for (const bool twin : {false, true}) {
    if (twin) {  // the order is weight, bias, weight, bias
      const double factors[] = {4, 4, 0.25, 1};
      for (std::size_t p = 0; p < 4; ++p)
        for (Scalar& one : place.parameters[p].second.mutable_value()) one *= static_cast<Scalar>(factors[p]);
    }
    const std::vector<double> plain =
        losses_along(place, along(Vector(drawn.size(), 0), plain_scale, drawn), positions);
    filter_wise.push_back(losses_along(place, filter_normalized(place.parameters, drawn), positions));
    const std::string name = twin ? "twin" : "network";
    const char* color = twin ? "n1" : "n0";
    chart.lines.push_back({.label = name + ", plain", .color = color, .x = positions, .y = plain});
    chart.lines.push_back(
        {.label = name + ", filter-wise", .color = color, .x = positions, .y = filter_wise.back(), .dashed = true});
    const auto mean = [](const std::vector<double>& all) {
      double sum = 0;
      for (const double one : all) sum += one;
      return sum / static_cast<double>(all.size());
    };
    table.rows.push_back(
        {name, Cell(place.loss()), Cell(sharpness(place)), Cell(mean(plain)), Cell(mean(filter_wise.back()))});
  }
  assign(place.parameters, here);
  double apart = 0;
  for (std::size_t i = 0; i < positions.size(); ++i)
    apart = std::max(apart, std::abs(filter_wise[0][i] - filter_wise[1][i]));
  table.columns.push_back("largest difference from the network on that line");
  table.rows[0].push_back(0.0);
  table.rows[1].push_back(Cell(apart, 2));
  return {Text{say::twins_words{}}, chart, table};
}

}  // namespace

Blocks around_solutions(const Context& context, const Progress& progress) {
  const std::size_t steps = context.pick<std::size_t>(500, 3000), side = context.pick<std::size_t>(17, 51);
  const std::uint64_t seed = context.seed * 1000 + 21;
  Table table = {.name = "around-numbers",
                 .caption = say::around_caption{},
                 .columns = {"optimizer", "loss", "test loss", "λ of H", "‖θ‖", "median loss on the slice's edge",
                             "share of the slice below twice the loss + 0.1, %"},
                 .rows = {}};
  Choice choice = {.name = "around", .label = "Trained with", .options = {}};
  Place place(context, seed);
  const Vector start = flatten(place.parameters), first = direction(place, seed + 1),
               second = direction(place, seed + 2);
  const std::vector<double> positions = ticks(side);
  const std::vector<const char*> ids = {"sgd", "adam", "adamax"};
  Blocks about_twins;
  for (std::size_t o = 0; o < ids.size(); ++o) {
    assign(place.parameters, start);
    const Rule& one = rule(ids[o]);
    const auto optimizer = one.make(place.parameters, {.lr = one.lr});
    train(place.model, *optimizer, context.data.train, {.steps = steps, .seed = seed});
    const Vector here = flatten(place.parameters), right = filter_normalized(place.parameters, first),
                 up = filter_normalized(place.parameters, second);
    Landscape slice = {.name = message("around-", one.id),
                       .title = say::around_title{.optimizer = std::string(one.label)},
                       .note = say::around_note{},
                       .x_label = "first direction",
                       .y_label = "second direction",
                       .left = -1,
                       .right = 1,
                       .bottom = -1,
                       .top = 1,
                       .columns = side,
                       .rows = side,
                       .values = {},
                       .value_label = "training loss"};
    std::vector<double> edge;
    const double loss = place.loss();
    double low = 0;
    for (std::size_t row = 0; row < side; ++row) {
      for (std::size_t column = 0; column < side; ++column) {
        const Vector point = along(along(here, positions[column], right), positions[row], up);
        slice.values.push_back(value_at(place.parameters, point, place.loss));
        low += slice.values.back() < 2 * loss + 0.1;
        if (row == 0 || column == 0 || row + 1 == side || column + 1 == side) edge.push_back(slice.values.back());
      }
      progress((static_cast<double>(o) + static_cast<double>(row + 1) / static_cast<double>(side)) /
               static_cast<double>(ids.size()) * 0.95);
    }
    table.rows.push_back({std::string(one.label), Cell(loss), Cell(evaluate(place.model, context.data.test).loss),
                          Cell(sharpness(place)), Cell(norm(here)), Cell(median(edge)),
                          Cell(100 * low / static_cast<double>(slice.values.size()))});
    choice.options.push_back({std::string(one.label), {slice}});
    if (o + 1 == ids.size()) about_twins = twins(context, place);
  }
  Blocks blocks = {
      Heading{say::around_heading{}},
      Text{say::around_words{.steps = steps, .width = hidden_units}},
      choice,
      table,
  };
  blocks.insert(blocks.end(), about_twins.begin(), about_twins.end());
  progress(1);
  return blocks;
}

}  // namespace lab
