// The optimizers on functions of two numbers.
#include <algorithm>
#include <cmath>
#include <future>
#include <nlohmann/json.hpp>

#include "../context.h"
#include "plane.h"
#include "reddi.h"
#include "words/race.h"

namespace lab {
namespace {

namespace say = words::race_section;
using namespace race_parts;

constexpr std::string_view first = "saddle";  // what is seen first: it tells the rules apart best
constexpr std::size_t common_rate = 2;        // 0.01, as an example of one rate for all

Cell steps(const Trajectory& run) { return run.steps ? Cell::integer(static_cast<double>(*run.steps)) : Cell(nothing); }

std::size_t arrived(const Tuned& one) {
  return static_cast<std::size_t>(
      std::count_if(one.steps.begin(), one.steps.end(), [](double value) { return !std::isnan(value); }));
}

Table results(const Race& race, const std::vector<Tuned>& tuned, std::size_t budget) {
  Table table = {.name = "table-" + race.id,
                 .caption = say::results_caption{.budget = budget,
                                                 .function = race.label,
                                                 .starts = tuned[0].steps.size(),
                                                 .x = number_text(race.starts[0][0], 2),
                                                 .y = number_text(race.starts[0][1], 2)},
                 .columns = {"optimizer", "best rate", "starts that arrive", "steps, median", "steps, first start",
                             "distance, first start", "steps at 0.01", "distance at 0.01"},
                 .rows = {}};
  for (std::size_t r = 0; r < tuned.size(); ++r) {
    const Trajectory &at_best = race.runs[0][r].back(), &at_common = race.runs[0][r][common_rate];
    table.rows.push_back({tuned[r].sweep.label, Cell(tuned[r].rate, 2),
                          Cell::integer(static_cast<double>(arrived(tuned[r]))), Cell::integer(median(tuned[r].steps)),
                          steps(at_best), at_best.distance, steps(at_common), at_common.distance});
  }
  return table;
}

Table reddi_results(const Race& race, std::size_t budget) {
  Table table = {.name = "table-" + race.id,
                 .caption = say::reddi_caption{.beta2 = reddi_beta2, .budget = budget, .rate = reddi_rate},
                 .columns = {"optimizer", "steps", "distance from -1", "distance at 0.01 / √t", "remark"},
                 .rows = {}};
  for (std::size_t r = 0; r < race.runs[0].size(); ++r) {
    const Trajectory& run = race.runs[0][r].back();
    table.rows.push_back({std::string(rules()[r].label), steps(run), run.distance,
                          race.runs[0][r][common_rate].distance, race.remarks[r]});
  }
  return table;
}

HeatMap overview(const std::vector<Race>& races, const std::vector<std::vector<Tuned>>& tuned) {
  HeatMap map = {.name = "overview",
                 .title = say::overview_title{},
                 .note = say::overview_note{.starts = tuned[0][0].steps.size()},
                 .x_label = "function",
                 .y_label = "optimizer",
                 .x = {},
                 .y = {},
                 .value_label = "steps",
                 .values = {},
                 .logarithmic = true};
  for (std::size_t f = 0; f < tuned.size(); ++f) map.x.push_back(races[f].label);
  for (std::size_t r = 0; r < tuned[0].size(); ++r) {
    map.y.push_back(tuned[0][r].sweep.label);
    map.values.emplace_back();
    for (const std::vector<Tuned>& on_function : tuned) {
      const double count = median(on_function[r].steps);
      map.values.back().push_back(count > 0 ? count : nothing);
    }
  }
  return map;
}

}  // namespace

Section race(const Context& context) {
  const std::size_t budget = 500, reddi_budget = context.pick<std::size_t>(1500, 6000),
                    starts = context.pick<std::size_t>(31, 101);
  std::vector<Race> races;
  std::vector<std::vector<Tuned>> tuned;
  std::vector<Choice::Option> tables;
  const double parts = static_cast<double>(functions().size() + 3);
  struct OnFunction {
    std::vector<Tuned> tuned;
    Race race;
  };
  std::vector<std::future<OnFunction>> on_functions;
  for (const Function& function : functions())
    on_functions.push_back(std::async(std::launch::async, [&] {
      std::vector<Tuned> with_rates = tune(context, function, starts, budget);
      Race of_all = race_on(function, with_rates, budget);
      return OnFunction{std::move(with_rates), std::move(of_all)};
    }));
  for (std::size_t f = 0; f < functions().size(); ++f) {
    const Function& function = functions()[f];
    OnFunction result = on_functions[f].get();
    tuned.push_back(std::move(result.tuned));
    races.push_back(std::move(result.race));
    std::vector<Sweep> sweeps;
    for (const Tuned& one : tuned.back()) sweeps.push_back(one.sweep);
    tables.push_back({function.label,
                      {results(races.back(), tuned.back(), budget),
                       where_best_lies("sweep-" + function.id,
                                       say::sweep_caption{.fewer = starts / few, .starts = starts}, sweeps)}});
    context.progress(static_cast<double>(races.size()) / parts);
  }
  races.push_back(reddi_race(reddi_budget));
  tables.push_back({races.back().label, {reddi_results(races.back(), reddi_budget)}});
  context.progress((parts - 2) / parts);

  nlohmann::ordered_json all = {{"rates", rates},
                                {"racers", nlohmann::ordered_json::array()},
                                {"first", 0},
                                {"races", nlohmann::ordered_json::array()}};
  for (const Racer& racer : racers())
    all["racers"].push_back(
        {{"id", racer.id}, {"label", racer.label}, {"color", racer.color}, {"pattern", racer.pattern}});
  for (std::size_t i = 0; i < races.size(); ++i) {
    all["races"].push_back(json(races[i]));
    if (races[i].id == first) all["first"] = i;
  }
  std::vector<Block> blocks = {Text{say::introduction{.budget = budget, .starts = starts}},
                               Custom{.name = "play",
                                      .kind = "race",
                                      .title = say::play_title{},
                                      .note = say::play_note{},
                                      .json = all.dump(),
                                      .files = files(races)},
                               overview(races, tuned),
                               Text{say::racers{}},
                               Text{say::layers{}},
                               Text{say::rates_differ{}},
                               Choice{.name = "tables", .label = say::tables_label{}, .options = tables},
                               Heading{say::reddi_heading{}},
                               Text{say::reddi_text{.beta2 = reddi_beta2}},
                               reddi_memory(context.pick<std::size_t>(6000, 30000))};
  for (Block& block : reddi_breaking(context)) blocks.push_back(std::move(block));
  blocks.emplace_back(Box{say::think{}, say::think_words{}});
  blocks.emplace_back(Box{say::remember{}, say::remember_words{}});
  return {.id = "race", .title = say::title{}, .blocks = std::move(blocks)};
}

}  // namespace lab
