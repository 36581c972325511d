// Trying rates, in the same way for every optimizer that is compared.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "experiment.h"

namespace lab {

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
  std::size_t best() const;  ///< the rate with the least median; of neighbours that have the same, the middle one
  /// Of each run.
  std::vector<RateRange> usable_ranges(double factor) const;
  std::vector<double> usable_decades(double factor) const;
  /// True where a run's usable range goes on beyond the rates that were tried: how wide it is, is not known.
  bool goes_on(double factor) const;
  Line line() const;
};

/// Who takes part in a sweep.
struct Contestant {
  std::string label, color;
  double usual;  ///< the rate around which the first ones are tried
  /// What a rate costs, a number for each seed: NaN where training diverged.
  std::function<std::vector<double>(double rate)> costs;
};

struct SweepOptions {
  std::size_t trials = 7;    ///< at first, three a decade
  std::size_t halvings = 2;  ///< of the distance between rates, around the best: to twelve a decade
  /// If not 0, each sweep also goes on until the range that is usable by this factor has ended with every seed.
  double usable = 0;
  double least = 1e-7, most = 1e4;                       ///< no rate beyond is tried
  std::function<void(std::size_t tried)> progress = {};  ///< called after each rate, with the number of all so far
};

/// A sweep for each contestant, by one procedure: rates on one grid; further ones at the end where the best one lies,
/// until it lies inside, and lower ones where all diverged; as many for the others as for who needed most; then two
/// rates beside the best, and two more, each half as far from it. All have the same number of trials, unless their
/// rates end at `least` or `most`.
std::vector<Sweep> fair_sweeps(const std::vector<Contestant>& contestants, const SweepOptions& options = {});

/// final_loss() of train_digits() for each seed. Of the settings, the rate is the one that is tried.
Contestant on_digits(const Context& context, const Rule& rule, std::size_t steps, std::vector<std::uint64_t> seeds,
                     const Settings& settings = {}, std::vector<std::size_t> widths = {32});

/// A row for each sweep: how many rates were tried, from where to where, the best, and its cost. That the best lies
/// inside can be read off it.
Table where_best_lies(const std::string& name, const std::string& caption, const std::vector<Sweep>& sweeps);

/// A row for each sweep: the usable range of its medians, the decades of all runs, and whether it goes on.
Table usable_table(const std::string& name, const std::string& caption, const std::vector<Sweep>& sweeps,
                   double factor);

}  // namespace lab
