// What several experiments need: seeds, sweeps, and summaries of runs.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "context.h"
#include "rules.h"
#include "training.h"

namespace lab {

/// Unrelated seeds, the same for every optimizer that is compared.
std::vector<std::uint64_t> seeds(const Context& context, std::size_t count = 5);

/// From low to high, both included, by equal factors. Powers of ten are exact to the last digit that matters.
std::vector<double> log_spaced(double low, double high, std::size_t count);

/// A network 784-widths-10 on the training digits; `seed` is that of its weights and of the order.
Trained train_digits(const Context& context, const Rule& rule, const Settings& settings, std::uint64_t seed,
                     TrainOptions options, const std::vector<std::size_t>& widths = {32});

/// The mean of the last tenth of the losses; NaN where training diverged.
double final_loss(const Trained& trained);
/// The mean of so many losses up to each.
std::vector<double> smoothed(const std::vector<double>& losses, std::size_t window);

/// The median over the runs, in a band from the least to the largest. A shorter run has no value after its end.
Line summary(std::string label, std::string_view color, std::vector<double> x,
             const std::vector<std::vector<double>>& runs);
/// Some 300 of the points, since more are not seen: an odd number of them apart, since every second loss may be high.
Line thinned(Line line);
/// 1, 2, …, count.
std::vector<double> counted(std::size_t count);

/// The rates from `low` to `high`, which `cut` ends where the rates that were tried end.
struct RateRange {
  double low, high;
  bool cut_low, cut_high;
  double decades() const { return std::log10(high / low); }
};
/// The rates around the best one in which the loss is at most `factor` times that of the best. Its ends are
/// interpolated in the logarithms of rate and loss; next to a rate that diverged, which has no loss, it ends with the
/// last that did not. NaN where all diverged. Rates ascend.
RateRange usable_range(const std::vector<double>& rates, const std::vector<double>& losses, double factor);

/// Losses by rate (ascending) and run: losses[rate][run].
struct Sweep {
  std::string label, color;
  std::vector<double> rates;
  std::vector<std::vector<double>> losses;

  std::vector<double> medians() const;         ///< for each rate
  std::vector<double> run(std::size_t) const;  ///< for each rate
  std::size_t best() const;                    ///< the rate with the least median
  /// Of each run.
  std::vector<double> usable_decades(double factor) const;
  Line line() const;
};
/// final_loss() of train_digits() at each rate and seed. `progress` is called after each rate.
Sweep sweep_digits(const Context& context, const Rule& rule, const std::vector<double>& rates, std::size_t steps,
                   const std::vector<std::uint64_t>& seeds, const std::function<void()>& progress = {});

}  // namespace lab
