#include <xgrad/core/errors.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "../context.h"
#include "../csv.h"
#include "run.h"

namespace lab {
namespace {

using xgrad::message;
using Json = nlohmann::ordered_json;

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t grid = 72;
const std::vector<double> rates = {1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1, 3, 10};
constexpr std::size_t common_rate = 2;
// What is seen first: a common rate tells the rules apart better than the best ones.
constexpr std::string_view first = "saddle";
constexpr std::size_t first_rate = 3;
// With the rate that the counterexample is stated for; the best of the sweep is merely too small to go wrong.
constexpr std::size_t reddi_rate = 4;
constexpr double reddi_beta2 = 0.1;

struct Racer {
  std::string id, label;
};
std::vector<Racer> racers() {
  std::vector<Racer> all;
  for (const Rule& rule : rules()) all.push_back({std::string(rule.id), std::string(rule.label)});
  all.push_back({"lbfgs", "L-BFGS"});
  return all;
}

// A plane, and what every racer did on it: runs[start][racer][rate].
struct Race {
  std::string id, label, formula, why, x_label = "x", y_label = "y";
  double left, right, bottom, top;
  std::vector<double> surface;
  std::vector<std::size_t> frames;
  std::vector<Position> starts, minima;
  std::vector<std::vector<std::vector<Trajectory>>> runs = {};

  std::size_t best(std::size_t start, std::size_t racer) const {
    const std::vector<Trajectory>& all = runs[start][racer];
    return static_cast<std::size_t>(std::min_element(all.begin(), all.end(), better) - all.begin());
  }
};

Race race_on(const Function& f, std::size_t budget) {
  Race race = {.id = f.id,
               .label = f.label,
               .formula = f.formula,
               .why = f.why,
               .left = f.left,
               .right = f.right,
               .bottom = f.bottom,
               .top = f.top,
               .surface = sampled(f, grid, grid),
               .frames = frames(budget),
               .starts = f.starts,
               .minima = f.minima};
  const std::size_t all = racers().size();
  race.runs.assign(f.starts.size(), std::vector<std::vector<Trajectory>>(all));
  for (std::size_t r = 0; r < all; ++r)
    for (const double lr : rates) {
      std::vector<Trajectory> results = r + 1 < all ? run(f, rules()[r], {.lr = lr}, budget) : run_lbfgs(f, lr, budget);
      for (std::size_t s = 0; s < results.size(); ++s) race.runs[s][r].push_back(std::move(results[s]));
    }
  return race;
}

// The plane is x and time: its surface is the mean loss, x / 3. L-BFGS needs a loss without noise.
Race reddi_race(std::size_t budget) {
  const std::size_t every = budget / 180 / 3 * 3 + 1;  // not a multiple of the period
  Race race = {
      .id = "reddi",
      .label = "Reddi's counterexample",
      .formula = message("3x in one step, then -x in two; x in [-1, 1], rate α / √t, β₁ = 0, β₂ = ", reddi_beta2),
      .why =
          "Downhill is to the left. The rare large gradient points there, the frequent small ones do not; where "
          "the rule divides by a short memory of their size, the small ones win (Reddi et al. 2018).",
      .y_label = "step",
      .left = -1.1,
      .right = 1.1,
      .bottom = 0,
      .top = static_cast<double>(budget),
      .surface = {},
      .frames = {},
      .starts = {{0, 0}},
      .minima = {}};
  for (std::size_t r = 0; r < grid; ++r)
    for (std::size_t c = 0; c < grid; ++c)
      race.surface.push_back(race.left + (race.right - race.left) * static_cast<double>(c) / (grid - 1));
  for (std::size_t step = 0; step < budget; step += every) race.frames.push_back(step);
  race.frames.push_back(budget);
  race.runs.assign(1, std::vector<std::vector<Trajectory>>(rules().size()));
  for (std::size_t r = 0; r < rules().size(); ++r)
    for (const double lr : rates) race.runs[0][r].push_back(run_reddi(rules()[r], lr, reddi_beta2, budget, every));
  return race;
}

// Positions in twelve bits a coordinate, two characters each, over twice the width and height of the plane. The end,
// where nothing moves that is seen, is left out.
std::string packed(const Trajectory& run, const Race& race) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const auto code = [&](double value, double low, double high) {
    const double share = ((value - low) / (high - low) + 0.5) / 2;
    const auto scaled = static_cast<unsigned>(std::lround(4095 * std::clamp(share, 0.0, 1.0)));
    return std::string{digits[scaled >> 6], digits[scaled & 63]};
  };
  std::string text;
  for (const Position& at : run.positions)
    text += code(at[0], race.left, race.right) + code(at[1], race.bottom, race.top);
  while (text.size() > 4 && text.compare(text.size() - 4, 4, text, text.size() - 8, 4) == 0)
    text.resize(text.size() - 4);
  return text;
}

// The surface in sixty-four levels between its ends, in the logarithm of what is above the least.
std::string packed_surface(const std::vector<double>& values, bool logarithmic) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double range = *high - *low;
  std::string text;
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const double value : values) {
    const double above = (value - *low) / range;
    const double share = logarithmic ? std::log1p(above * 3000) / std::log1p(3000) : above;
    const auto code = static_cast<unsigned>(std::lround(4095 * share));
    text += {digits[code >> 6], digits[code & 63]};
  }
  return text;
}

Json json(const Race& race) {
  const auto [least, most] = std::minmax_element(race.surface.begin(), race.surface.end());
  Json runs = Json::array(), best = Json::array();
  for (std::size_t s = 0; s < race.starts.size(); ++s) {
    Json of_start = Json::array(), best_of_start = Json::array();
    for (std::size_t r = 0; r < race.runs[s].size(); ++r) {
      Json of_racer = Json::array();
      for (const Trajectory& run : race.runs[s][r])
        of_racer.push_back(
            {packed(run, race), run.steps ? Json(*run.steps) : Json(nullptr), Json(number_text(run.distance))});
      of_start.push_back(std::move(of_racer));
      best_of_start.push_back(race.best(s, r));
    }
    runs.push_back(std::move(of_start));
    best.push_back(std::move(best_of_start));
  }
  return {{"id", race.id},
          {"label", race.label},
          {"formula", race.formula},
          {"why", race.why},
          {"x_label", race.x_label},
          {"y_label", race.y_label},
          {"range", {race.left, race.right, race.bottom, race.top}},
          {"columns", grid},
          {"surface", packed_surface(race.surface, race.id != "reddi")},
          {"heights", {*least, *most}},
          {"frames", race.frames},
          {"starts", race.starts},
          {"minima", race.minima},
          {"runs", runs},
          {"best", best},
          {"rate", race.id == "reddi" ? Json(reddi_rate)
                   : race.id == first ? Json(first_rate)
                                      : Json("best")}};
}

std::vector<Csv> files(const std::vector<Race>& races) {
  Csv results = {"results", csv_line({"function", "start x", "start y", "optimizer", "rate", "steps to 1e-3",
                                      "value above the least", "distance", "is best rate"})};
  Csv ways = {"trajectories", csv_line({"function", "start x", "start y", "optimizer", "rate", "step", "x", "y"})};
  Csv surfaces = {"surfaces", csv_line({"function", "x", "y", "value"})};
  const std::vector<Racer> all = racers();
  for (const Race& race : races) {
    for (std::size_t s = 0; s < race.starts.size(); ++s)
      for (std::size_t r = 0; r < race.runs[s].size(); ++r)
        for (std::size_t i = 0; i < rates.size(); ++i) {
          const Trajectory& run = race.runs[s][r][i];
          const std::string begin = race.id + "," + csv_number(race.starts[s][0]) + "," +
                                    csv_number(race.starts[s][1]) + "," + all[r].label + "," + csv_number(rates[i]) +
                                    ",";
          results.lines += begin + csv_line({run.steps ? std::to_string(*run.steps) : "", csv_number(run.gap),
                                             csv_number(run.distance), i == race.best(s, r) ? "1" : "0"});
          for (std::size_t p = 0; p < run.positions.size(); ++p)
            ways.lines += begin + csv_line({std::to_string(race.frames[p]), csv_number(run.positions[p][0]),
                                            csv_number(run.positions[p][1])});
        }
    for (std::size_t i = 0; i < race.surface.size(); ++i) {
      const auto at = [](double low, double high, std::size_t index) {
        return csv_number(low + (high - low) * static_cast<double>(index) / (grid - 1));
      };
      surfaces.lines += csv_line({race.id, at(race.left, race.right, i % grid), at(race.bottom, race.top, i / grid),
                                  csv_number(race.surface[i])});
    }
  }
  return {results, ways, surfaces};
}

Cell steps(const Trajectory& run) { return run.steps ? Cell::integer(static_cast<double>(*run.steps)) : Cell(nothing); }

Table results(const Race& race, std::size_t budget) {
  Table table = {
      .name = "table-" + race.id,
      .caption = message(
          race.label, " from (", number_text(race.starts[0][0], 2), ", ", number_text(race.starts[0][1], 2), "), ",
          budget, " steps: until they stay within 0.001 of the least value, and how far from the minimum they end"),
      .columns = {"optimizer", "best rate", "steps", "distance", "steps at 0.01", "distance at 0.01"},
      .rows = {}};
  const std::vector<Racer> all = racers();
  for (std::size_t r = 0; r < race.runs[0].size(); ++r) {
    const std::size_t best = race.best(0, r);
    const Trajectory &at_best = race.runs[0][r][best], &at_common = race.runs[0][r][common_rate];
    table.rows.push_back(
        {all[r].label, Cell(rates[best], 1), steps(at_best), at_best.distance, steps(at_common), at_common.distance});
  }
  return table;
}

HeatMap overview(const std::vector<Race>& races) {
  HeatMap map = {
      .name = "overview",
      .title = "Steps until it stays within 0.001 of the least value, each at its best rate, from the first start",
      .note = "Few steps are dark. An empty cell did not come there within the budget at any rate of the sweep.",
      .x_label = "function",
      .y_label = "optimizer",
      .x = {},
      .y = {},
      .value_label = "steps",
      .values = {},
      .logarithmic = true};
  const std::vector<Racer> all = racers();
  for (const Race& race : races)
    if (race.id != "reddi") map.x.push_back(race.label);
  for (std::size_t r = 0; r < all.size(); ++r) {
    map.y.push_back(all[r].label);
    map.values.emplace_back();
    for (const Race& race : races) {
      if (race.id == "reddi") continue;
      const Trajectory& run = race.runs[0][r][race.best(0, r)];
      map.values.back().push_back(run.steps ? static_cast<double>(*run.steps) : nothing);
    }
  }
  return map;
}

// Where the memory is long enough to remember the large gradient, the right end is found.
HeatMap memory(std::size_t budget) {
  const std::vector<double> betas = {0.1, 0.5, 0.9, 0.99, 0.999};
  HeatMap map = {.name = "reddi-memory",
                 .title = "Reddi's counterexample: where x ends, by the memory β₂",
                 .note = message("Rate 0.1 / √t, ", budget, " steps. -1 is right, 1 is as wrong as can be."),
                 .x_label = "β₂",
                 .y_label = "optimizer",
                 .x = {},
                 .y = {},
                 .value_label = "final x",
                 .values = {}};
  for (const double beta2 : betas)
    map.x.push_back(number_text(beta2, 4).substr(0, number_text(beta2, 4).find_last_not_of('0') + 1));
  for (const char* id : {"adam", "amsgrad", "adamax", "radam"}) {
    map.y.emplace_back(rule(id).label);
    map.values.emplace_back();
    for (const double beta2 : betas)
      map.values.back().push_back(run_reddi(rule(id), 0.1, beta2, budget, budget).positions.back()[0]);
  }
  return map;
}

}  // namespace

Section race(const Context& context) {
  const std::size_t budget = 500, reddi_budget = context.pick<std::size_t>(1500, 6000);
  std::vector<Race> races;
  const double parts = static_cast<double>(functions().size() + 2);
  for (const Function& function : functions()) {
    races.push_back(race_on(function, budget));
    context.progress(static_cast<double>(races.size()) / parts);
  }
  races.push_back(reddi_race(reddi_budget));
  context.progress((parts - 1) / parts);

  Json all = {
      {"rates", rates}, {"common", common_rate}, {"racers", Json::array()}, {"first", 0}, {"races", Json::array()}};
  for (const Racer& racer : racers()) all["racers"].push_back({{"id", racer.id}, {"label", racer.label}});
  for (std::size_t i = 0; i < races.size(); ++i) {
    all["races"].push_back(json(races[i]));
    if (races[i].id == first) all["first"] = i;
  }
  Choice tables = {.name = "tables", .label = "Results on", .options = {}};
  for (const Race& one : races)
    tables.options.push_back({one.label, {results(one, one.id == "reddi" ? reddi_budget : budget)}});

  return {.id = "race",
          .title = "Race",
          .blocks = {
              Text{message("Every optimizer starts at the same point and has the same budget: ", budget,
                           " steps. Press play, or go step by step. First give each its best rate of the sweep, then "
                           "all of them the "
                           "same: much of what is said about optimizers is about their rate.")},
              Custom{.name = "play",
                     .kind = "race",
                     .title = "The way down",
                     .note = "Shades are the value of the function, darker is lower. A cross marks each minimum.",
                     .json = all.dump(),
                     .files = files(races)},
              overview(races),
              Text{"A step of L-BFGS is one evaluation in its line search. Adadelta's rate is a factor, for which its "
                   "paper has 1. "
                   "AdamW and AdamaxW are not here: without weight decay they are Adam and Adamax."},
              tables,
              memory(context.pick<std::size_t>(6000, 30000)),
          }};
}

}  // namespace lab
