// How much the rate matters to each optimizer, and the betas to Adam and Adamax.
#include <xgrad/core/errors.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../sweep.h"

namespace lab {
namespace {

using namespace xgrad;

constexpr double factor = 2;  // a rate is usable where the loss is at most so many times the least

const Mark guess = {"ln 10", std::numbers::ln10, true};

LineChart chart(const std::vector<Sweep>& sweeps, const std::string& name, const std::string& title,
                const std::vector<std::string_view>& ids) {
  LineChart chart = {.name = name,
                     .title = title,
                     .note =
                         "Median and range of three seeds. A line ends where training diverges; the dashed line is the "
                         "loss of a guess, ln 10.",
                     .x = {.label = "rate", .logarithmic = true},
                     .y = {.label = "final training loss", .logarithmic = true, .high = 5},
                     .lines = {},
                     .marks = {guess}};
  for (const Sweep& sweep : sweeps)
    if (std::find(ids.begin(), ids.end(), sweep.color) != ids.end()) chart.lines.push_back(sweep.line());
  return chart;
}

// The lines laid over each other: rates in units of the best rate, losses in units of the least.
LineChart aligned(const std::vector<Sweep>& sweeps, const std::vector<std::string_view>& ids) {
  LineChart chart = {.name = "aligned",
                     .title = "The same, each in units of its own best rate and least loss",
                     .note = message("Medians. Below the dashed line a rate is usable: its loss is at most ", factor,
                                     " times the least. The wider the valley there, the less a wrong guess costs."),
                     .x = {.label = "rate / best rate", .logarithmic = true},
                     .y = {.label = "loss / least loss", .logarithmic = true, .high = 6},
                     .lines = {},
                     .marks = {{message(factor, " times"), factor, true}, {"best", 1}}};
  for (const Sweep& sweep : sweeps) {
    if (std::find(ids.begin(), ids.end(), sweep.color) == ids.end()) continue;
    const std::size_t best = sweep.best();
    Line line = {.label = sweep.label, .color = sweep.color, .x = sweep.rates, .y = sweep.medians()};
    const double least = line.y[best], rate = line.x[best];
    for (double& x : line.x) x /= rate;
    for (double& y : line.y) y /= least;
    chart.lines.push_back(line);
  }
  return chart;
}

// Adds a row for each sweep; of all columns but the decades, the numbers are those of the medians of the seeds.
Table widths(const std::vector<Sweep>& sweeps) {
  Table table = {"widths",
                 message("The usable range of rates: where the final loss is at most ", factor,
                         " times that at the best rate. Loss and decades: median (least to largest) of three seeds"),
                 {"optimizer", "best rate", "loss there", "usable from", "to", "decades", "cut off at"},
                 {}};
  for (const Sweep& sweep : sweeps) {
    const RateRange range = usable_range(sweep.rates, sweep.medians(), factor);
    table.rows.push_back({sweep.label, Cell(sweep.rates[sweep.best()], 2), Cell::spread(sweep.losses[sweep.best()]),
                          Cell(range.low, 2), Cell(range.high, 2), Cell::spread(sweep.usable_decades(factor)),
                          range.cut_low && range.cut_high ? "both ends"
                          : range.cut_low                 ? number_text(sweep.rates.front(), 1)
                          : range.cut_high                ? number_text(sweep.rates.back(), 1)
                                                          : "no end"});
  }
  return table;
}

double width(const Sweep& sweep) { return median(sweep.usable_decades(factor)); }

// "Adam's (2.39 decades)"
std::string named(const Sweep& sweep) {
  const RateRange range = usable_range(sweep.rates, sweep.medians(), factor);
  return message(sweep.label, "'s (", number_text(width(sweep)), " decades",
                 range.cut_low || range.cut_high ? ", cut off by the sweep" : "", ")");
}

// What the sweeps say, whatever that is.
std::string lesson(const std::vector<Sweep>& sweeps) {
  const auto by_width = [](const Sweep& a, const Sweep& b) { return width(a) < width(b); };
  const auto by_loss = [](const Sweep& a, const Sweep& b) {
    return median(a.losses[a.best()]) < median(b.losses[b.best()]);
  };
  const auto [narrow, wide] = std::minmax_element(sweeps.begin(), sweeps.end(), by_width);
  const auto [low, high] = std::minmax_element(sweeps.begin(), sweeps.end(), by_loss);
  const auto best = [](const Sweep& sweep) { return number_text(median(sweep.losses[sweep.best()])); };
  const auto find = [&](std::string_view id) -> const Sweep& {
    return *std::find_if(sweeps.begin(), sweeps.end(), [&](const Sweep& sweep) { return sweep.color == id; });
  };
  const Sweep &adam = find("adam"), &adamax = find("adamax");
  const std::vector<double> a = adam.usable_decades(factor), b = adamax.usable_decades(factor);
  std::size_t wider = 0;
  for (std::size_t i = 0; i < a.size(); ++i) wider += b[i] > a[i];
  return message("The widest range is ", named(*wide), ", the narrowest ", named(*narrow), ". Adamax's is ",
                 number_text(width(adamax)), " decades wide where Adam's is ", number_text(width(adam)),
                 ", and wider than it with ", wider, " of ", a.size(),
                 " seeds. At its own best rate each optimizer ends between ", best(*low), " (", low->label, ") and ",
                 best(*high), " (", high->label, "), while Adam alone goes from ", best(adam), " at its best rate to ",
                 number_text(median(adam.losses.front())), " at the lowest rate and ",
                 number_text(median(adam.losses.back())),
                 " at the highest: compare optimizers only where each has its rate tuned.");
}

/// The loss of each pair of betas, at a few rates: losses[rate][beta2][beta1].
struct Betas {
  std::vector<double> beta1, beta2, rates;
  std::vector<std::vector<std::vector<double>>> losses = {};
};

Betas try_betas(const Context& context, const Rule& rule, const std::vector<std::uint64_t>& all, std::size_t steps,
                const std::function<void()>& progress) {
  Betas betas = {.beta1 = context.quick ? std::vector<double>{0, 0.5, 0.9, 0.99}
                                        : std::vector<double>{0, 0.5, 0.8, 0.9, 0.95, 0.99},
                 .beta2 = context.quick ? std::vector<double>{0.5, 0.9, 0.99, 0.999}
                                        : std::vector<double>{0.5, 0.9, 0.99, 0.999, 0.9999},
                 .rates = {rule.lr, 3 * rule.lr, 10 * rule.lr, 30 * rule.lr}};
  for (const double lr : betas.rates) {
    auto& of_rate = betas.losses.emplace_back();
    for (const double beta2 : betas.beta2) {
      auto& row = of_rate.emplace_back();
      for (const double beta1 : betas.beta1) {
        std::vector<double> runs;
        for (const std::uint64_t seed : all)
          runs.push_back(final_loss(
              train_digits(context, rule, {.lr = lr, .beta1 = beta1, .beta2 = beta2}, seed, {.steps = steps})));
        row.push_back(median(runs));
      }
      progress();
    }
  }
  return betas;
}

// True where nothing bounds a step of this rule: m can outlive what it is divided by.
bool unbounded(std::string_view id, double beta1, double beta2) {
  return std::isinf(id == "adam" ? optim::Adam::bound({.beta1 = beta1, .beta2 = beta2})
                                 : optim::Adamax::bound({.beta1 = beta1, .beta2 = beta2}));
}

// "0.61 to 1300, and 2 diverged"
std::string span(const std::vector<double>& values) {
  std::vector<double> known;
  std::copy_if(values.begin(), values.end(), std::back_inserter(known), [](double v) { return std::isfinite(v); });
  if (known.empty()) return "nowhere finite";
  const auto [least, most] = std::minmax_element(known.begin(), known.end());
  return message("between ", number_text(*least, 2), " and ", number_text(*most, 2),
                 known.size() < values.size() ? message(", and ", values.size() - known.size(), " diverged") : "");
}

std::vector<Block> maps(const Rule& rule, const Betas& betas, const std::string& runs) {
  const auto draw = [&](const char* name, const std::string& title, const std::string& note) {
    HeatMap map = {.name = message("betas-", rule.id, name),
                   .title = title,
                   .note = note,
                   .x_label = "β₁",
                   .y_label = "β₂",
                   .x = {},
                   .y = {},
                   .value_label = "final loss",
                   .values = betas.losses[0],
                   .logarithmic = true,
                   .high = std::numbers::ln10};
    for (const double b : betas.beta1) map.x.push_back(message(b));
    for (const double b : betas.beta2) map.y.push_back(message(b));
    return map;
  };
  HeatMap fixed = draw("", message(rule.label, ": final loss at rate ", rule.lr),
                       message(runs, "; dark is low. Nothing is paler than the loss of a guess, ln 10."));
  HeatMap tuned = draw("-tuned", message(rule.label, ": final loss at the best of four rates"),
                       "The same, with a rate chosen for each pair: what is left is the betas' own doing.");
  HeatMap rate = draw("-rate", message(rule.label, ": that best rate"),
                      message("Tried: ", number_text(betas.rates[0], 2), ", ", number_text(betas.rates[1], 2), ", ",
                              number_text(betas.rates[2], 2), " and ", number_text(betas.rates[3], 2), "."));
  rate.value_label = "rate";
  rate.low_is_good = false;
  rate.high.reset();
  std::vector<double> inside, beyond;
  double least = std::numbers::ln10;
  for (std::size_t y = 0; y < betas.beta2.size(); ++y)
    for (std::size_t x = 0; x < betas.beta1.size(); ++x) {
      std::size_t best = 0;
      for (std::size_t r = 1; r < betas.rates.size(); ++r)
        if (!(betas.losses[r][y][x] >= betas.losses[best][y][x]) && !std::isnan(betas.losses[r][y][x])) best = r;
      tuned.values[y][x] = betas.losses[best][y][x];
      least = std::fmin(least, tuned.values[y][x]);
      rate.values[y][x] = std::isnan(tuned.values[y][x]) ? tuned.values[y][x] : betas.rates[best];
      (unbounded(rule.id, betas.beta1[x], betas.beta2[y]) ? beyond : inside).push_back(fixed.values[y][x]);
    }
  fixed.low = tuned.low = least;  // so that one colour is one loss on both maps
  const char* condition = rule.id == "adam" ? "β₁² ≥ β₂" : "β₁ ≥ β₂";
  return {Text{message("Where ", condition,
                       ", m remembers a large gradient for longer than its divisor does, and nothing bounds a step of ",
                       rule.label, ": in these ", beyond.size(), " cells the loss at the default rate is ",
                       span(beyond), ", in the other ", inside.size(), " ", span(inside), ".")},
          fixed, tuned, rate};
}

}  // namespace

Section rate_sensitivity(const Context& context) {
  const std::size_t steps = context.pick<std::size_t>(50, 800), count = context.pick<std::size_t>(16, 21);
  const std::vector<double> rates = log_spaced(1e-5, 1, count);
  const std::vector<std::uint64_t> all = seeds(context, 3);
  const std::vector<std::uint64_t> few = context.quick ? std::vector{all[0]} : all;
  double done = 0;  // in trainings
  const double trainings =
      static_cast<double>(rules().size() * count * all.size()) + (context.quick ? 2 * 64 : 2 * 360);
  const auto trained = [&](std::size_t more) { context.progress((done += static_cast<double>(more)) / trainings); };

  std::vector<Sweep> sweeps;
  for (const Rule& rule : rules())
    sweeps.push_back(sweep_digits(context, rule, rates, steps, all, [&] { trained(all.size()); }));
  DotPlot plot = {
      .name = "decades",
      .title = "Width of the usable range of rates",
      .note = "A dot for each of three seeds, and the median. The table says which ranges the sweep cuts off.",
      .x = {.label = "decades", .low = 0},
      .groups = {}};
  for (const Sweep& sweep : sweeps) plot.groups.push_back({sweep.label, sweep.color, sweep.usable_decades(factor)});

  Choice choice = {.name = "betas", .label = "The betas of", .options = {}};
  for (const char* id : {"adam", "adamax"}) {
    const Betas betas =
        try_betas(context, rule(id), few, steps, [&] { trained(few.size() * (context.quick ? 4 : 6)); });
    choice.options.push_back(
        {std::string(rule(id).label),
         maps(rule(id), betas,
              message(few.size() == 1 ? "One seed" : "Median of three seeds", ", ", steps, " steps"))});
  }
  return {
      .id = "rates",
      .title = "Rate sensitivity",
      .blocks = {
          Text{
              message("A network 784-32-10 learns digits for ", steps, " steps of 64 images, at ", count,
                      " rates from 0.00001 to 1, with every optimizer and three seeds; its final loss is the mean over "
                      "the last tenth of the steps. Look for the floor of each line: how low it is says how good the "
                      "optimizer can be here, how wide it is says how well one has to know the rate. Too low a rate "
                      "does not get far in these steps; too high a rate leaps over the valley.")},
          chart(sweeps, "adam-like", "Adam and its relatives", {"adam", "amsgrad", "adamax", "nadam", "radam", "lion"}),
          chart(sweeps, "others", "Descent, momentum, and rates from past gradients",
                {"sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop"}),
          aligned(sweeps, {"sgd", "nesterov", "adagrad", "rmsprop", "adam", "adamax", "radam", "lion"}), plot,
          widths(sweeps),
          Text{
              "Between neighbours in the sweep the ends of the usable range are interpolated in the logarithms of rate "
              "and loss; beside a rate at which training diverged, the range ends with the last at which it did not. "
              "Where the range is cut off, the sweep ends while the loss is still that low: the true range is wider."},
          Text{lesson(sweeps)}, Heading{"The two memories"},
          Text{"β₁ is how much of the mean gradient m each step keeps, β₂ how much of the size v or u: 0.9 forgets in "
               "some ten steps, 0.999 in a thousand. Dark cells are good. A large dark area means that the choice "
               "hardly "
               "matters. Compare the first map with the second: what disappears was a matter of the rate."},
          choice}};
}

}  // namespace lab
