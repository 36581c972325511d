// What Adam and Adamax keep for one number of a network, step by step.
#include <xgrad/core/errors.h>
#include <xgrad/optim/adam.h>

#include <algorithm>
#include <cmath>

#include "../experiment.h"
#include "observe.h"

namespace lab {
namespace {

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
          .title = "The corrections: what the moments are divided by",
          .note = message("Without them, Adam's step is the corrected one divided by the dashed line: at first up to ",
                          number_text(1 / least, 2),
                          " times as long. β₁ = 0.9 forgets in some ten steps, β₂ = 0.999 in a thousand."),
          .x = {.label = "step t", .logarithmic = true},
          .y = {.label = "correction", .logarithmic = true},
          .lines = {first, second, ratio}};
}

LineChart gradient_chart(const Observed& with, const Trace& trace, const std::string& name) {
  const std::vector<double> t = counted(trace.gradient.size());
  return {.name = name + "-gradient",
          .title = "Gradient g, first moment m, and m̂",
          .note = "m = β₁ m + (1 - β₁) g: a mean over some ten steps, which starts at 0. m̂ = m / (1 - β₁ᵗ).",
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
  LineChart chart = {
      .name = name + "-size",
      .title = adam ? "The size of gradients: √v and √v̂" : "The size of gradients: u",
      .note = adam ? "v = β₂ v + (1 - β₂) g²: a mean over some thousand steps, which starts at 0. v̂ = v / (1 - β₂ᵗ)."
                   : "u = max(β₂ u, |g|): it jumps to a larger gradient at once, and forgets by a thousandth a step. "
                     "It starts right, and needs no correction.",
      .x = {.label = "step t", .logarithmic = true},
      .y = {.label = "size", .logarithmic = true},
      .lines = {
          {.label = "|g|", .color = "n5", .x = t, .y = mapped(trace.gradient, [](double g) { return std::abs(g); })}}};
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
          .title = adam ? "Effective rate: α / (√v̂ + ε)" : "Effective rate: α / u",
          .note = message("What m̂ is multiplied by, and without correction m: high where gradients have been small. ",
                          adam ? "Without correction √v takes the place of √v̂."
                               : "u is not corrected: the lines differ only because the runs do."),
          .x = {.label = "step t", .logarithmic = true},
          .y = {.label = "effective rate", .logarithmic = true},
          .lines = {{.label = "with correction", .color = "n1", .x = t, .y = rates(with)},
                    {.label = "without", .color = "n5", .x = t, .y = rates(without), .dashed = true}}};
}

LineChart update_chart(const Observed& with, const Observed& without, std::size_t w, const std::string& name) {
  const std::vector<double> t = counted(with.traces[w].gradient.size());
  const double lr = rule(with.rule).lr;
  return {.name = name + "-update",
          .title = "Update: how far the number really went",
          .note = message("θ after the step - θ before it. The marks are α = ", number_text(lr, 1), " and -α."),
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
  Table table = {
      .name = name + "-steps",
      .caption = message("Some steps in numbers, from the first gradient on, to be followed with a calculator: ",
                         adam ? "g, m and v give m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ), the formula "
                                "- α m̂ / (√v̂ + ε)"
                              : "g, m and u give m̂ = m / (1 - β₁ᵗ), the formula - α m̂ / u",
                         ", and what the number really did"),
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

std::vector<Block> charts(const Observed& with, const Observed& without, const Watched& one, std::size_t w) {
  const std::string name = message(one.id, "-", with.rule);
  return {
      Text{message(one.label(), ". With Adam its gradient has the root mean square ", number_text(one.gradient, 2),
                   " and is not 0 in ", number_text(100 * one.share, 2), " % of the steps.",
                   one.share < 0.5 ? " In between, m fades by a tenth a step, and the number goes on with it." : "")},
      gradient_chart(with, with.traces[w], name),
      size_chart(with, with.traces[w], name),
      rate_chart(with, without, w, name),
      update_chart(with, without, w, name),
      worked(with, w, name)};
}

// How far apart gradients and updates of the watched numbers are, and whether the formulas give the true change.
Table sizes(const std::vector<Observed>& runs, const std::vector<Watched>& all) {
  Table table = {.name = "sizes",
                 .caption =
                     "Root mean squares over all steps, and the largest difference between the formula and what "
                     "the number really did; updates in units of α",
                 .columns = {"number", "steps with gradient, %", "gradient, Adam", "update, Adam", "gradient, Adamax",
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
                 .caption = "The longest of the first ten updates, in units of α",
                 .columns = {"number", "Adam", "Adam, no correction", "Adamax", "Adamax, no correction"},
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

// "with 5 of 5 numbers", of those in which one column of that table is above another.
std::string above(const Table& table, std::size_t column, std::size_t other) {
  const auto count = std::count_if(table.rows.begin(), table.rows.end(), [&](const std::vector<Cell>& row) {
    return row[column].numbers[0] > row[other].numbers[0];
  });
  return message(count, " of ", table.rows.size(), " numbers");
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
  Choice choice = {.name = "weight", .label = "Look at", .options = {}};
  for (std::size_t w = 0; w < all.size(); ++w)
    for (const std::size_t r : {std::size_t{0}, std::size_t{2}})
      choice.options.push_back(
          {message(all[w].kind, ", ", rule(runs[r].rule).label), charts(runs[r], runs[r + 1], all[w], w)});
  const Table size = sizes(runs, all), first = first_steps(runs, all);
  return {
      .id = "step",
      .title = "Inside one step",
      .blocks = {
          Text{
              message("A network 784-32-10 learns digits for ", steps,
                      " steps of 64 images, and in each step the gradient and the optimizer's own state are read for a "
                      "few of its numbers, which are unlike each other. Adam: θ ← θ - α m̂ / (√v̂ + ε). Adamax: θ ← θ - "
                      "α m̂ / u (Kingma & Ba 2015, Algorithms 1 and 2). α is ",
                      rule("adam").lr, " for Adam and ", rule("adamax").lr, " for Adamax, ε is ",
                      xgrad::optim::AdamOptions{}.eps, ".")},
          corrections_chart(context.pick<std::size_t>(1000, 5000)),
          choice,
          size,
          Text{message("Both rules divide by the size of the gradients. So these numbers, whose gradients differ by a "
                       "factor of ",
                       number_text(apart(size, 2), 2), " with Adam and ", number_text(apart(size, 4), 2),
                       " with Adamax, make updates that differ by factors of ", number_text(apart(size, 3), 2), " and ",
                       number_text(apart(size, 5), 2), ".")},
          first,
          Text{message(
              "Without correction both of Adam's moments are too small at first, but the root of v is too small "
              "by more, which makes steps longer: here for ",
              above(first, 2, 1),
              ". Adamax has nothing to correct in u, so that m, too small without correction, makes its first "
              "steps shorter: here for ",
              above(first, 3, 4), ". A number that has had no gradient yet does not move.")},
      }};
}

}  // namespace lab
