#include <xgrad/core/errors.h>

#include <algorithm>

#include "../experiment.h"

namespace lab {
namespace {

using xgrad::message;

constexpr double factor = 2;  // a rate is usable where the loss is at most so many times the least

LineChart chart(const std::vector<Sweep>& sweeps, const std::string& name, const std::string& title,
                const std::vector<std::string_view>& ids) {
  LineChart chart = {.name = name,
                     .title = title,
                     .note =
                         "Median and range of three seeds. A line ends where training diverges; the dashed line is the "
                         "loss of a guess, ln 10.",
                     .x = {.label = "rate", .logarithmic = true},
                     .y = {.label = "final training loss", .logarithmic = true, .high = 20},
                     .lines = {},
                     .marks = {{"ln 10", 2.302585, true}}};
  for (const Sweep& sweep : sweeps)
    if (std::find(ids.begin(), ids.end(), sweep.color) != ids.end()) chart.lines.push_back(sweep.line());
  return chart;
}

// True where the loss at this end of the sweep is still usable: the range goes on beyond it.
bool open_end(const Sweep& sweep, std::size_t end) {
  return median(sweep.losses[end]) <= factor * median(sweep.losses[sweep.best()]);
}

HeatMap betas(const Context& context, std::string_view id, const std::vector<std::uint64_t>& all, std::size_t steps) {
  const std::vector<double> beta1 = {0, 0.5, 0.8, 0.9, 0.95, 0.99}, beta2 = {0.5, 0.9, 0.99, 0.999, 0.9999};
  HeatMap map = {
      .name = message("betas-", id),
      .title = message(rule(id).label, ": final loss over β₁ and β₂, at rate ", rule(id).lr),
      .note = message(all.size() == 1 ? "One seed" : "Median of three seeds", " after ", steps, " steps; dark is low."),
      .x_label = "β₁",
      .y_label = "β₂",
      .x = {},
      .y = {},
      .value_label = "final loss",
      .values = {},
      .logarithmic = true};
  for (const double b : beta1) map.x.push_back(message(b));
  for (const double b2 : beta2) {
    map.y.push_back(message(b2));
    map.values.emplace_back();
    for (const double b1 : beta1) {
      std::vector<double> losses;
      for (const std::uint64_t seed : all)
        losses.push_back(final_loss(
            train_digits(context, rule(id), {.lr = rule(id).lr, .beta1 = b1, .beta2 = b2}, seed, {.steps = steps})));
      map.values.back().push_back(median(losses));
    }
  }
  return map;
}

}  // namespace

Section rate_sensitivity(const Context& context) {
  const std::size_t steps = context.pick<std::size_t>(50, 800), count = context.pick<std::size_t>(16, 21);
  const std::vector<double> rates = log_spaced(1e-5, 1, count);
  const std::vector<std::uint64_t> all = seeds(context, 3);
  const double parts = static_cast<double>(rules().size() * count) * 1.3;
  double done = 0;
  std::vector<Sweep> sweeps;
  for (const Rule& rule : rules())
    sweeps.push_back(sweep_digits(context, rule, rates, steps, all, [&] { context.progress(++done / parts); }));

  Table table = {"widths",
                 "The usable range of rates: the final loss is at most twice the least of the sweep; three seeds: "
                 "median (least to largest)",
                 {"optimizer", "best rate", "loss there", "usable decades", "open at"},
                 {}};
  DotPlot plot = {
      .name = "decades",
      .title = "Width of the usable range of rates",
      .note =
          "A dot for each of three seeds, and the median. Where the range is open at an end, the sweep cuts it off.",
      .x = {.label = "decades", .low = 0},
      .groups = {}};
  for (const Sweep& sweep : sweeps) {
    const bool low = open_end(sweep, 0), high = open_end(sweep, rates.size() - 1);
    const std::vector<double> widths = sweep.usable_decades(factor);
    table.rows.push_back({sweep.label, Cell(rates[sweep.best()], 2), Cell::spread(sweep.losses[sweep.best()]),
                          Cell::spread(widths),
                          low && high ? "both ends"
                          : low       ? "1e-5"
                          : high      ? "1"
                                      : "no end"});
    plot.groups.push_back({sweep.label, sweep.color, widths});
  }
  Section section = {
      .id = "rates",
      .title = "Rate sensitivity",
      .blocks = {
          Text{message("A network 784-32-10 learns digits for ", steps, " steps of 64 images, at ", count,
                       " rates from 0.00001 to 1, with every optimizer and three seeds. Look for the floor of each "
                       "line: how low it is says how good "
                       "the optimizer can be here, how wide it is says how well one has to know the rate. Between "
                       "neighbours in the sweep the ends of the usable range are interpolated in the logarithms.")},
          chart(sweeps, "adam-like", "Adam and its relatives", {"adam", "amsgrad", "adamax", "nadam", "radam", "lion"}),
          chart(sweeps, "others", "Descent, momentum, and rates from past gradients",
                {"sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop"}),
          plot, table,
          Text{"The same for the two memories, at the default rate: β₁ is how much of the mean gradient each step "
               "keeps, β₂ how much of its size."}}};
  for (const char* id : {"adam", "adamax"}) {
    section.blocks.push_back(betas(context, id, context.quick ? std::vector{all[0]} : all, steps));
    context.progress((done += parts / 9) / parts);
  }
  return section;
}

}  // namespace lab
