// How much the rate matters to each optimizer, and the betas to Adam and Adamax.
#include <algorithm>
#include <iterator>
#include <numbers>

#include "../compare.h"
#include "betas.h"
#include "widths.h"
#include "words/rates.h"

namespace lab {
namespace {

namespace say = words::rates_section;
using namespace rates;

constexpr double factor = 2;  // a rate is usable where the loss is at most so many times the least

bool among(const Sweep& sweep, const std::vector<std::string_view>& ids) {
  return std::find(ids.begin(), ids.end(), sweep.color) != ids.end();
}

LineChart chart(const std::vector<Sweep>& sweeps, const std::string& name, const std::string& title,
                const std::vector<std::string_view>& ids) {
  LineChart chart = {.name = name,
                     .title = title,
                     .note = say::sweep_note{},
                     .x = {.label = "rate", .logarithmic = true},
                     .y = {.label = "final training loss", .logarithmic = true, .high = 5},
                     .lines = {},
                     .marks = {{"ln 10", std::numbers::ln10, true}}};
  for (const Sweep& sweep : sweeps)
    if (among(sweep, ids)) chart.lines.push_back(sweep.line());
  return chart;
}

// The lines laid over each other: rates in units of the best rate, losses in units of the least.
LineChart aligned(const std::vector<Sweep>& sweeps, const std::vector<std::string_view>& ids) {
  LineChart chart = {.name = "aligned",
                     .title = say::aligned{},
                     .note = say::aligned_note{.factor = factor},
                     .x = {.label = "rate / best rate", .logarithmic = true},
                     .y = {.label = "loss / least loss", .logarithmic = true, .high = 6},
                     .lines = {},
                     .marks = {{number_text(factor) + " times", factor, true}, {"best", 1}}};
  for (const Sweep& sweep : sweeps) {
    if (!among(sweep, ids)) continue;
    const std::size_t best = sweep.best();
    Line line = {.label = sweep.label, .color = sweep.color, .x = sweep.rates, .y = sweep.medians()};
    const double least = line.y[best], rate = line.x[best];
    for (double& x : line.x) x /= rate;
    for (double& y : line.y) y /= least;
    chart.lines.push_back(line);
  }
  return chart;
}

std::string decades(const Sweep& sweep) { return number_text(median(sweep.usable_decades(factor))); }

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string extremes(const std::vector<Sweep>& sweeps) {
  std::vector<const Sweep*> known;
  std::vector<std::vector<double>> widths;
  std::vector<std::string> cut;
  for (const Sweep& sweep : sweeps)
    if (sweep.goes_on(factor)) {
      cut.push_back(sweep.label);
    } else {
      known.push_back(&sweep);
      widths.push_back(sweep.usable_decades(factor));
    }
  if (known.empty()) return say::none_known{};
  const auto names = [&](const std::vector<std::size_t>& some) {
    std::vector<std::string> all;
    for (const std::size_t i : some) all.push_back(say::named{.decades = decades(*known[i]), .name = known[i]->label});
    return list(all);
  };
  const std::vector<std::size_t> wide = widest(widths), narrow = narrowest(widths);
  const Sweep &most = *known[wide[0]], &least = *known[narrow[0]];
  std::string text = wide.size() == 1 ? std::string(say::widest{.decades = decades(most), .name = most.label})
                                      : std::string(say::widest_undecided{.names = names(wide)});
  text += " ";
  text += narrow.size() == 1 ? std::string(say::narrowest{.decades = decades(least), .name = least.label})
                             : std::string(say::narrowest_undecided{.names = names(narrow)});
  if (cut.empty()) return text;
  text += " ";
  text += say::cut_off{.names = list(cut)};
  return text;
}

// What the sweeps say, whatever that is.
std::string lesson(const std::vector<Sweep>& sweeps) {
  const auto loss = [](const Sweep& sweep) { return median(sweep.losses[sweep.best()]); };
  const auto [low, high] = std::minmax_element(sweeps.begin(), sweeps.end(),
                                               [&](const Sweep& a, const Sweep& b) { return loss(a) < loss(b); });
  const auto find = [&](std::string_view id) -> const Sweep& {
    return *std::find_if(sweeps.begin(), sweeps.end(), [&](const Sweep& sweep) { return sweep.color == id; });
  };
  const Sweep &adam = find("adam"), &adamax = find("adamax");
  std::string text = extremes(sweeps) + " ";
  const std::string a = decades(adam), x = decades(adamax);
  text += either(compare(adam.usable_decades(factor), adamax.usable_decades(factor)),
                 say::adamax_wider{.adam = a, .adamax = x}, say::adamax_narrower{.adam = a, .adamax = x},
                 say::adamax_undecided{.adam = a, .adamax = x});
  return text + " " +
         std::string(say::tuning_matters{.adam = loss(adam),
                                         .best = low->label,
                                         .high = loss(*high),
                                         .highest = median(adam.losses.back()),
                                         .low = loss(*low),
                                         .lowest = median(adam.losses.front()),
                                         .worst = high->label});
}

}  // namespace

Section rate_sensitivity(const Context& context) {
  const std::size_t steps = context.pick<std::size_t>(60, 800);
  std::vector<Contestant> contestants;
  for (const Rule& rule : rules()) contestants.push_back(on_digits(context, rule, steps, seeds(context)));
  // How many rates the sweeps will need is not known: some twenty for each.
  const auto tried = [&](std::size_t count) {
    context.progress(0.8 * std::min(1.0, static_cast<double>(count) / (20.0 * static_cast<double>(rules().size()))));
  };
  const std::vector<Sweep> sweeps =
      fair_sweeps(contestants, {.halvings = context.pick<std::size_t>(1, 2), .usable = factor, .progress = tried});
  DotPlot plot = {.name = "decades",
                  .title = say::width{},
                  .note = say::width_note{},
                  .x = {.label = "decades", .low = 0},
                  .groups = {}};
  for (const Sweep& sweep : sweeps) plot.groups.push_back({sweep.label, sweep.color, sweep.usable_decades(factor)});

  Choice choice = {.name = "betas", .label = say::betas_label{}, .options = {}};
  for (const char* id : {"adam", "adamax"}) {
    choice.options.push_back({std::string(rule(id).label), beta_maps(context, rule(id), steps)});
    context.progress(0.8 + 0.1 * static_cast<double>(choice.options.size()));
  }
  const std::string procedure = context.quick ? std::string(say::procedure_quick{.factor = factor})
                                              : std::string(say::procedure{.factor = factor});
  return {.id = "rates",
          .title = say::title{},
          .blocks = {
              Text{say::introduction{.steps = steps}}, Text{procedure},
              chart(sweeps, "adam-like", say::relatives{}, {"adam", "amsgrad", "adamax", "nadam", "radam", "lion"}),
              chart(sweeps, "others", say::others{}, {"sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop"}),
              aligned(sweeps, {"sgd", "nesterov", "adagrad", "rmsprop", "adam", "adamax", "radam", "lion"}), plot,
              where_best_lies("sweep", say::sweep_caption{}, sweeps),
              usable_table("widths", say::widths_caption{.factor = factor}, sweeps, factor), Text{say::widths_note{}},
              Text{lesson(sweeps)}, Heading{say::betas_heading{}}, Text{say::betas{}}, choice,
              Box{say::think{}, say::think_words{}}, Box{say::remember{}, say::remember_words{}}}};
}

}  // namespace lab
