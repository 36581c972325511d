// What Adam and Adamax keep for one weight, step by step.
#include <xgrad/core/errors.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "../context.h"
#include "../experiment.h"

namespace lab {
namespace {

using namespace xgrad;

constexpr std::size_t width = 32, pixels = 28 * 28;

/// A weight to look at, by its place in a parameter.
struct Watched {
  std::string name, label, why;
  std::string parameter;
  std::size_t index;
};

/// What was read of it after each step.
struct Trace {
  std::vector<double> gradient, first, second, change;
};

struct Observed {
  std::string_view rule;
  bool corrected;
  std::vector<Trace> traces;  // one for each watched weight
};

// How often a pixel has ink.
std::vector<double> ink(const datasets::Dataset& data) {
  std::vector<double> share(pixels, 0);
  const auto images = data.images();
  for (std::size_t i = 0; i < images.size(); ++i) share[i % pixels] += images[i] > 0;
  for (double& one : share) one /= static_cast<double>(data.size());
  return share;
}

std::size_t nearest(const std::vector<double>& values, double wanted) {
  const auto closer = [wanted](double a, double b) { return std::abs(a - wanted) < std::abs(b - wanted); };
  return static_cast<std::size_t>(std::min_element(values.begin(), values.end(), closer) - values.begin());
}

// In the first layer, the weights of a pixel to the first hidden unit; parameters are named by their place: Flatten,
// Linear, ReLU, Linear.
std::vector<Watched> watched(const Context& context) {
  const std::vector<double> share = ink(context.data.train);
  const std::size_t often = nearest(share, 1), rare = nearest(share, 0.01);
  const auto percent = [&](std::size_t pixel) { return number_text(100 * share[pixel], 2) + " % of the images"; };
  return {
      {"output", "A weight of the output layer",
       "It gets a gradient in every step, and much of that is noise of the batch.", "3.weight", 0},
      {"bias", "The bias of class 0", "Its gradient is the mean error of the class: it changes sign all the time.",
       "3.bias", 0},
      {"often", "A weight of a pixel that is often inked", "There is ink in " + percent(often) + ".", "1.weight",
       often},
      {"rare", "A weight of a pixel that is rarely inked",
       "There is ink in " + percent(rare) + ": most gradients are 0, and the steps go on from memory in between.",
       "1.weight", rare},
  };
}

Observed observe(const Context& context, std::string_view id, bool corrected, std::size_t steps,
                 const std::vector<Watched>& all) {
  nn::Sequential model = mlp({width}, context.seed);
  const NamedVariables parameters = model.parameters();
  const auto optimizer = rule(id).make(parameters, {.lr = rule(id).lr, .bias_correction = corrected});
  std::vector<Variable> of;
  for (const Watched& one : all)
    of.push_back(std::find_if(parameters.begin(), parameters.end(), [&](const auto& p) {
                   return p.first == one.parameter;
                 })->second);
  Observed result = {id, corrected, std::vector<Trace>(all.size())};
  std::vector<double> before(all.size());
  const auto value = [&](std::size_t w) { return static_cast<double>(of[w].value().data()[all[w].index]); };
  const auto slot = [&](std::size_t w, const char* name) {
    return static_cast<double>(optimizer->state(all[w].parameter, name).data()[all[w].index]);
  };
  train(model, *optimizer, context.data.train,
        {.steps = steps,
         .seed = context.seed,
         .before_step =
             [&](std::size_t) {
               for (std::size_t w = 0; w < all.size(); ++w) {
                 before[w] = value(w);
                 result.traces[w].gradient.push_back(of[w].grad().data()[all[w].index]);
               }
             },
         .after_step =
             [&](std::size_t) {
               for (std::size_t w = 0; w < all.size(); ++w) {
                 result.traces[w].first.push_back(slot(w, "exp_avg"));
                 result.traces[w].second.push_back(slot(w, id == "adam" ? "exp_avg_sq" : "exp_inf"));
                 result.traces[w].change.push_back(value(w) - before[w]);
               }
             }});
  return result;
}

optim::Corrections corrections(std::string_view id, std::size_t t) {
  return id == "adam" ? optim::Adam::corrections({}, static_cast<double>(t))
                      : optim::Adamax::corrections({}, static_cast<double>(t));
}

// Each value divided by the slot's correction at its step.
std::vector<double> corrected(const std::vector<double>& values, std::string_view id, std::size_t which) {
  std::vector<double> result(values.size());
  for (std::size_t t = 0; t < values.size(); ++t) result[t] = values[t] / corrections(id, t + 1)[which];
  return result;
}

std::vector<double> mapped(std::vector<double> values, const auto& function) {
  std::transform(values.begin(), values.end(), values.begin(), function);
  return values;
}

LineChart corrections_chart(std::size_t steps) {
  Line first = {.label = "1 - β₁ᵗ, of m", .x = {}, .y = {}},
       second = {.label = "1 - β₂ᵗ, of Adam's v", .x = {}, .y = {}};
  Line ratio = {.label = "√(1 - β₂ᵗ) / (1 - β₁ᵗ), of the step", .x = {}, .y = {}, .dashed = true};
  for (std::size_t t = 1; t <= steps; t += 1 + t / 30) {  // as dense as a logarithmic axis shows
    for (Line* line : {&first, &second, &ratio}) line->x.push_back(static_cast<double>(t));
    const optim::Corrections of = corrections("adam", t);
    first.y.push_back(of[0]);
    second.y.push_back(of[1]);
    ratio.y.push_back(std::sqrt(of[1]) / of[0]);
  }
  const double least = *std::min_element(ratio.y.begin(), ratio.y.end());
  return {.name = "corrections",
          .title = "The corrections: what the moments are divided by",
          .note = message("Without them, Adam's step is the corrected one divided by the dashed line: at first up to ",
                          number_text(1 / least, 2), " times as long. β₁ forgets in some ten steps, β₂ in a thousand."),
          .x = {.label = "step t", .logarithmic = true},
          .y = {.label = "correction", .logarithmic = true},
          .lines = {first, second, ratio}};
}

LineChart gradient_chart(const Trace& trace, std::string_view id, const std::string& name) {
  const std::vector<double> t = counted(trace.gradient.size());
  return {.name = name + "-gradient",
          .title = "Gradient and first moment",
          .note = "m = β₁ m + (1 - β₁) g: a mean over some ten steps. m̂ = m / (1 - β₁ᵗ).",
          .x = {.label = "step t"},
          .y = {.label = "g, m and m̂"},
          .lines = {{.label = "g", .color = "n5", .x = t, .y = trace.gradient},
                    {.label = "m", .color = "n0", .x = t, .y = trace.first},
                    {.label = "m̂", .color = "n1", .x = t, .y = corrected(trace.first, id, 0), .dashed = true}}};
}

LineChart size_chart(const Trace& trace, std::string_view id, const std::string& name) {
  const std::vector<double> t = counted(trace.gradient.size());
  const auto root = [](double v) { return std::sqrt(v); };
  LineChart chart = {
      .name = name + "-size",
      .title = id == "adam" ? "The size of gradients: √v and √v̂" : "The size of gradients: u",
      .note = id == "adam"
                  ? "v = β₂ v + (1 - β₂) g²: a mean over some thousand steps, that starts at 0. v̂ = v / (1 - β₂ᵗ)."
                  : "u = max(β₂ u, |g|): it jumps to a larger gradient at once, and forgets by a thousandth a step. It "
                    "needs "
                    "no correction.",
      .x = {.label = "step t"},
      .y = {.label = "size", .logarithmic = true},
      .lines = {
          {.label = "|g|", .color = "n5", .x = t, .y = mapped(trace.gradient, [](double g) { return std::abs(g); })}}};
  if (id == "adam") {
    chart.lines.push_back({.label = "√v", .color = "n0", .x = t, .y = mapped(trace.second, root)});
    chart.lines.push_back({.label = "√v̂", .color = "n1", .x = t, .y = mapped(corrected(trace.second, id, 1), root)});
  } else {
    chart.lines.push_back({.label = "u", .color = "n1", .x = t, .y = trace.second});
  }
  return chart;
}

// The rate that stands before m̂ (with corrections) or m (without).
std::vector<double> effective_rate(const Observed& run, const Trace& trace) {
  const double lr = rule(run.rule).lr, eps = 1e-8;
  std::vector<double> size = trace.second;
  if (run.rule == "adam")
    size = mapped(run.corrected ? corrected(size, run.rule, 1) : size, [](double v) { return std::sqrt(v); });
  return mapped(size, [=](double s) { return lr / (s + eps); });
}

LineChart rate_chart(const Observed& with, const Observed& without, std::size_t w, const std::string& name) {
  const std::vector<double> t = counted(with.traces[w].gradient.size());
  return {.name = name + "-rate",
          .title = with.rule == "adam" ? "Effective rate: α / (√v̂ + ε)" : "Effective rate: α / u",
          .note = "What the first moment is multiplied by: high where gradients have been small.",
          .x = {.label = "step t"},
          .y = {.label = "effective rate", .logarithmic = true},
          .lines = {{.label = "with correction", .color = "n1", .x = t, .y = effective_rate(with, with.traces[w])},
                    {.label = "without",
                     .color = "n5",
                     .x = t,
                     .y = effective_rate(without, without.traces[w]),
                     .dashed = true}}};
}

LineChart update_chart(const Observed& with, const Observed& without, std::size_t w, const std::string& name) {
  const std::vector<double> t = counted(with.traces[w].gradient.size());
  const double lr = rule(with.rule).lr;
  return {.name = name + "-update",
          .title = "Update: how far the weight really went",
          .note = message("θ after the step - θ before it. The marks are α = ", number_text(lr, 1), " and -α."),
          .x = {.label = "step t"},
          .y = {.label = "update"},
          .lines = {{.label = "with correction", .color = "n1", .x = t, .y = with.traces[w].change},
                    {.label = "without", .color = "n5", .x = t, .y = without.traces[w].change, .dashed = true}},
          .marks = {{"α", lr, true}, {"-α", -lr, true}}};
}

std::vector<Block> charts(const Observed& with, const Observed& without, const Watched& weight, std::size_t w) {
  const std::string name = message(weight.name, "-", with.rule);
  return {Text{weight.why}, gradient_chart(with.traces[w], with.rule, name),
          size_chart(with.traces[w], with.rule, name), rate_chart(with, without, w, name),
          update_chart(with, without, w, name)};
}

// The longest update among the first ten steps, as a multiple of the rate.
Table first_steps(const std::vector<Observed>& runs, const std::vector<Watched>& all) {
  Table table = {.name = "first-steps",
                 .caption = "The longest of the first ten updates, in units of α",
                 .columns = {"weight", "Adam", "Adam, no correction", "Adamax", "Adamax, no correction"},
                 .rows = {}};
  for (std::size_t w = 0; w < all.size(); ++w) {
    std::vector<Cell> row = {all[w].label};
    for (const Observed& run : runs) {
      double longest = 0;
      for (std::size_t t = 0; t < 10; ++t) longest = std::max(longest, std::abs(run.traces[w].change[t]));
      row.emplace_back(longest / rule(run.rule).lr);
    }
    table.rows.push_back(row);
  }
  return table;
}

}  // namespace

Section inside_one_step(const Context& context) {
  const std::size_t steps = context.pick<std::size_t>(200, 400);
  const std::vector<Watched> all = watched(context);
  std::vector<Observed> runs;
  for (const char* id : {"adam", "adamax"})
    for (const bool corrected : {true, false}) {
      runs.push_back(observe(context, id, corrected, steps, all));
      context.progress(static_cast<double>(runs.size()) / 4);
    }
  Choice choice = {.name = "weight", .label = "Look at", .options = {}};
  for (std::size_t w = 0; w < all.size(); ++w)
    for (const std::size_t r : {std::size_t{0}, std::size_t{2}})
      choice.options.push_back(
          {message(all[w].label, ", ", rule(runs[r].rule).label), charts(runs[r], runs[r + 1], all[w], w)});
  return {
      .id = "step",
      .title = "Inside one step",
      .blocks = {
          Text{message(
              "A network 784-", width, "-10 learns digits for ", steps,
              " steps of 64 images, and after each step the "
              "optimizer's own state is read for a few weights. Adam: θ ← θ - α m̂ / (√v̂ + ε). Adamax: θ ← θ - α m̂ / u "
              "(Kingma & Ba 2015, Algorithms 1 and 2).")},
          corrections_chart(context.pick<std::size_t>(1000, 5000)),
          choice,
          first_steps(runs, all),
          Text{"Without correction both moments are too small at first, but the root of v is too small by more: Adam's "
               "first steps are "
               "longer. Adamax has nothing to correct in u, so that without correction of m its first steps are "
               "shorter."},
      }};
}

}  // namespace lab
