// What Adam and Adamax keep for one number of a network, step by step.
#include <xgrad/core/errors.h>
#include <xgrad/optim/adam.h>

#include <algorithm>
#include <cmath>

#include "../experiment.h"
#include "by_hand.h"
#include "cards.h"
#include "observe.h"
#include "words/step.h"

namespace lab {
namespace {

namespace say = words::step_section;
using namespace step;
using xgrad::message;

std::vector<double> mapped(std::vector<double> values, const auto& function) {
  std::transform(values.begin(), values.end(), values.begin(), function);
  return values;
}
// function(t) for each step of the trace.
std::vector<double> of_steps(const Trace& trace, const auto& function) {
  std::vector<double> values;
  for (std::size_t t = 1; t <= trace.gradient.size(); ++t) values.push_back(function(t));
  return values;
}

double root_mean_square(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum / static_cast<double>(values.size()));
}

LineChart corrections_chart(std::size_t steps) {
  Line first = {.label = "1 - β₁ᵗ, of m", .x = {}, .y = {}},
       second = {.label = "1 - β₂ᵗ, of Adam's v", .x = {}, .y = {}};
  Line ratio = {.label = "√(1 - β₂ᵗ) / (1 - β₁ᵗ), of the step", .x = {}, .y = {}, .dashed = true};
  for (std::size_t t = 1; t <= steps; t += 1 + t / 30) {  // as dense as a logarithmic axis shows
    for (Line* line : {&first, &second, &ratio}) line->x.push_back(static_cast<double>(t));
    const Divisors of = corrections("adam", t);
    first.y.push_back(of.first);
    second.y.push_back(of.second);
    ratio.y.push_back(std::sqrt(of.second) / of.first);
  }
  const double least = *std::min_element(ratio.y.begin(), ratio.y.end());
  return {.name = "corrections",
          .title = say::corrections_title{},
          .note = say::corrections_note{.times = number_text(1 / least, 2)},
          .x = {.label = "step t", .logarithmic = true},
          .y = {.label = "correction", .logarithmic = true},
          .lines = {first, second, ratio}};
}

LineChart gradient_chart(const Observed& with, const Trace& trace, const std::string& name) {
  const std::vector<double> t = counted(trace.gradient.size());
  return {.name = name + "-gradient",
          .title = say::gradient_title{},
          .note = say::gradient_note{},
          .x = {.label = "step t"},
          .y = {.label = "g, m and m̂"},
          .lines = {{.label = "g", .color = "n5", .x = t, .y = trace.gradient},
                    {.label = "m", .color = "n0", .x = t, .y = trace.first},
                    {.label = "m̂",
                     .color = "n1",
                     .x = t,
                     .y = of_steps(trace, [&](std::size_t k) { return direction(with, trace, k); }),
                     .dashed = true}}};
}

LineChart size_chart(const Observed& with, const Trace& trace, const std::string& name) {
  const std::vector<double> t = counted(trace.gradient.size());
  const bool adam = with.rule == "adam";
  LineChart chart = {.name = name + "-size",
                     .title = adam ? std::string(say::adam_size_title{}) : std::string(say::adamax_size_title{}),
                     .note = adam ? std::string(say::adam_size_note{}) : std::string(say::adamax_size_note{}),
                     .x = {.label = "step t", .logarithmic = true},
                     .y = {.label = "size", .logarithmic = true},
                     .lines = {{.label = "|g|", .color = "n5", .x = t, .y = mapped(trace.gradient, [](double g) {
                                                                         return std::abs(g);
                                                                       })}}};
  if (adam) {
    const auto corrected = [&](std::size_t k) {
      return std::sqrt(trace.second[k - 1] / corrections("adam", k).second);
    };
    chart.lines.push_back(
        {.label = "√v", .color = "n0", .x = t, .y = mapped(trace.second, [](double v) { return std::sqrt(v); })});
    chart.lines.push_back({.label = "√v̂", .color = "n1", .x = t, .y = of_steps(trace, corrected)});
  } else {
    chart.lines.push_back({.label = "u", .color = "n1", .x = t, .y = trace.second});
  }
  return chart;
}

LineChart rate_chart(const Observed& with, const Observed& without, std::size_t w, const std::string& name) {
  const std::vector<double> t = counted(with.traces[w].gradient.size());
  const auto rates = [&](const Observed& run) {
    return of_steps(run.traces[w], [&](std::size_t k) { return effective_rate(run, run.traces[w], k); });
  };
  const bool adam = with.rule == "adam";
  return {.name = name + "-rate",
          .title = adam ? std::string(say::adam_rate_title{}) : std::string(say::adamax_rate_title{}),
          .note = adam ? std::string(say::adam_rate_note{}) : std::string(say::adamax_rate_note{}),
          .x = {.label = "step t", .logarithmic = true},
          .y = {.label = "effective rate", .logarithmic = true},
          .lines = {{.label = "with correction", .color = "n1", .x = t, .y = rates(with)},
                    {.label = "without", .color = "n5", .x = t, .y = rates(without), .dashed = true}}};
}

LineChart update_chart(const Observed& with, const Observed& without, std::size_t w, const std::string& name) {
  const std::vector<double> t = counted(with.traces[w].gradient.size());
  const double lr = rule(with.rule).lr;
  return {.name = name + "-update",
          .title = say::update_title{},
          .note = say::update_note{.rate = number_text(lr, 1)},
          .x = {.label = "step t", .logarithmic = true},
          .y = {.label = "update"},
          .lines = {{.label = "with correction", .color = "n1", .x = t, .y = with.traces[w].change},
                    {.label = "without", .color = "n5", .x = t, .y = without.traces[w].change, .dashed = true}},
          .marks = {{"α", lr, true}, {"-α", -lr, true}}};
}

// All that goes into a step, in numbers.
Table worked(const Observed& run, std::size_t w, const std::string& name) {
  const Trace& trace = run.traces[w];
  const bool adam = run.rule == "adam";
  const std::size_t last = trace.gradient.size();
  const auto has = std::find_if(trace.gradient.begin(), trace.gradient.end(), [](double g) { return g != 0; });
  const std::size_t from = static_cast<std::size_t>(has - trace.gradient.begin()) + 1;
  Table table = {.name = name + "-steps",
                 .caption = adam ? std::string(say::adam_worked{}) : std::string(say::adamax_worked{}),
                 .columns = {"t", "g", "m", adam ? "v" : "u", "1 - β₁ᵗ"},
                 .rows = {}};
  if (adam) table.columns.emplace_back("1 - β₂ᵗ");
  for (const char* more : {"m̂", "effective rate", "formula", "true change"}) table.columns.emplace_back(more);
  for (const std::size_t t : {from, from + 1, from + 2, from + 9, last / 2, last}) {
    if (t > last) continue;
    std::vector<Cell> row = {Cell::integer(static_cast<double>(t)), trace.gradient[t - 1], trace.first[t - 1],
                             trace.second[t - 1], corrections(run.rule, t).first};
    if (adam) row.emplace_back(corrections(run.rule, t).second);
    const double m_hat = direction(run, trace, t), rate = effective_rate(run, trace, t);
    for (const double value : {m_hat, rate, -rate * m_hat, trace.change[t - 1]}) row.emplace_back(value);
    table.rows.push_back(row);
  }
  return table;
}

std::string described(const Watched& one) {
  const std::string size = number_text(one.gradient, 2), percent = number_text(100 * one.share, 2);
  if (one.share == 1) return say::watched_always{.label = one.label(), .size = size};
  if (one.share < 0.5) return say::watched_rare{.label = one.label(), .percent = percent, .size = size};
  return say::watched{.label = one.label(), .percent = percent, .size = size};
}

std::vector<Block> charts(const Observed& with, const Observed& without, const Watched& one, std::size_t w) {
  const std::string name = message(one.id, "-", with.rule);
  return {Text{described(one)},
          gradient_chart(with, with.traces[w], name),
          size_chart(with, with.traces[w], name),
          rate_chart(with, without, w, name),
          update_chart(with, without, w, name),
          worked(with, w, name)};
}

// How far apart gradients and updates of the watched numbers are, and whether the formulas give the true change.
Table sizes(const std::vector<Observed>& runs, const std::vector<Watched>& all) {
  Table table = {.name = "sizes",
                 .caption = say::sizes_caption{},
                 .columns = {"weight", "steps with gradient, %", "gradient, Adam", "update, Adam", "gradient, Adamax",
                             "update, Adamax", "formula - truth", "where"},
                 .rows = {}};
  for (std::size_t w = 0; w < all.size(); ++w) {
    std::vector<Cell> row = {all[w].kind, 100 * all[w].share};
    double furthest = 0;
    for (const Observed& run : runs) {
      const Trace& trace = run.traces[w];
      const double lr = rule(run.rule).lr;
      for (std::size_t t = 1; t <= trace.change.size(); ++t) {
        const double step = effective_rate(run, trace, t) * direction(run, trace, t);
        furthest = std::max(furthest, std::abs((std::isnan(step) ? 0 : step) + trace.change[t - 1]) / lr);
      }
      if (!run.corrected) continue;
      row.emplace_back(root_mean_square(trace.gradient));
      row.emplace_back(root_mean_square(trace.change) / lr);
    }
    row.emplace_back(furthest, 1);
    row.emplace_back(all[w].place);
    table.rows.push_back(row);
  }
  return table;
}

// Of a column of that table, the largest over the least.
double apart(const Table& table, std::size_t column) {
  std::vector<double> values;
  for (const std::vector<Cell>& row : table.rows) values.push_back(row[column].numbers[0]);
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return *most / *least;
}

// The longest update among the first ten steps, as a multiple of the rate.
Table first_steps(const std::vector<Observed>& runs, const std::vector<Watched>& all) {
  Table table = {.name = "first-steps",
                 .caption = say::first_caption{},
                 .columns = {"weight", "Adam", "Adam, no correction", "Adamax", "Adamax, no correction"},
                 .rows = {}};
  for (std::size_t w = 0; w < all.size(); ++w) {
    std::vector<Cell> row = {all[w].kind};
    for (const Observed& run : runs) {
      double longest = 0;
      for (std::size_t t = 0; t < 10; ++t) longest = std::max(longest, std::abs(run.traces[w].change[t]));
      row.emplace_back(longest / rule(run.rule).lr);
    }
    table.rows.push_back(row);
  }
  return table;
}

// The rows of that table in which one column is above another.
std::size_t above(const Table& table, std::size_t column, std::size_t other) {
  return static_cast<std::size_t>(
      std::count_if(table.rows.begin(), table.rows.end(),
                    [&](const std::vector<Cell>& row) { return row[column].numbers[0] > row[other].numbers[0]; }));
}

std::vector<Block> by_hand() {
  constexpr double rate = 0.1;
  const std::vector<double> gradients = {2, 2, -1};
  Table table = {"by-hand",
                 say::hand_caption{},
                 {"t", "g", "m", "v", "1 - β₁ᵗ", "1 - β₂ᵗ", "m̂", "v̂", "step", "θ before", "θ after"},
                 {}};
  const std::vector<HandStep> steps = adam_by_hand(gradients, rate);
  for (std::size_t t = 1; t <= steps.size(); ++t) {
    const HandStep& one = steps[t - 1];
    std::vector<Cell> row = {Cell::integer(static_cast<double>(t)), Cell(one.g)};
    for (const double value :
         {one.m, one.v, one.m_divisor, one.v_divisor, one.m_hat, one.v_hat, one.step, one.from, one.to})
      row.emplace_back(value, 4);
    table.rows.push_back(row);
  }
  return {Heading{say::hand_heading{}},
          Text{say::hand{.first = gradients[0], .rate = rate, .second = gradients[1], .third = gradients[2]}}, table,
          Text{say::hand_lesson{.share = number_text(-steps[2].step / rate, 2)}}};
}

Table terms() {
  return {"terms",
          say::terms{},
          {"term", "meaning"},
          {{std::string(say::term_rate{}), std::string(say::term_rate_words{})},
           {std::string(say::term_seed{}), std::string(say::term_seed_words{})},
           {std::string(say::term_median{}), std::string(say::term_median_words{})},
           {std::string(say::term_decade{}), std::string(say::term_decade_words{})},
           {std::string(say::term_usable{}), std::string(say::term_usable_words{})},
           {std::string(say::term_diverges{}), std::string(say::term_diverges_words{})},
           {std::string(say::term_lambda{}), std::string(say::term_lambda_words{})}}};
}

}  // namespace

Section inside_one_step(const Context& context) {
  const std::size_t steps = context.pick<std::size_t>(200, 300);
  const std::vector<Watched> all = choose(context, steps);
  context.progress(0.2);
  std::vector<Observed> runs;
  for (const char* id : {"adam", "adamax"})
    for (const bool corrected : {true, false}) {
      runs.push_back(observe(context, id, corrected, steps, all));
      context.progress(0.2 + 0.2 * static_cast<double>(runs.size()));
    }
  Choice choice = {.name = "weight", .label = say::watch_label{}, .options = {}};
  for (std::size_t w = 0; w < all.size(); ++w)
    for (const std::size_t r : {std::size_t{0}, std::size_t{2}})
      choice.options.push_back(
          {message(all[w].kind, ", ", rule(runs[r].rule).label), charts(runs[r], runs[r + 1], all[w], w)});
  const Table size = sizes(runs, all), first = first_steps(runs, all);
  const auto factor = [&](std::size_t column) { return number_text(apart(size, column), 2); };
  std::vector<Block> blocks = {Text{say::introduction{}}, terms()};
  for (Block& block : by_hand()) blocks.push_back(std::move(block));
  const std::vector<Block> rest = {
      Heading{say::cards_heading{}},
      Text{say::cards{}},
      rule_cards(),
      Heading{say::network_heading{}},
      Text{say::network{.adam = rule("adam").lr,
                        .adamax = rule("adamax").lr,
                        .eps = xgrad::optim::AdamOptions{}.eps,
                        .steps = steps}},
      corrections_chart(context.pick<std::size_t>(1000, 5000)),
      choice,
      size,
      Text{say::sizes_lesson{.adam_gradients = factor(2),
                             .adam_updates = factor(3),
                             .adamax_gradients = factor(4),
                             .adamax_updates = factor(5)}},
      first,
      Text{say::first_lesson{.count = all.size(), .longer = above(first, 2, 1), .shorter = above(first, 3, 4)}},
      Box{say::think{}, say::think_words{}},
      Box{say::remember{}, say::remember_words{}}};
  blocks.insert(blocks.end(), rest.begin(), rest.end());
  return {.id = "step", .title = say::title{}, .blocks = std::move(blocks)};
}

}  // namespace lab
