#include "sweep.h"

#include <xgrad/core/errors.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace lab {

namespace {

// The least, where what is not a number counts as the largest; the middle one of neighbours that are equal.
std::size_t least(const std::vector<double>& values) {
  const auto below = [](double a, double b) { return a < b || (!std::isnan(a) && std::isnan(b)); };
  const auto first = std::min_element(values.begin(), values.end(), below);
  const auto last = std::find_if(first, values.end(), [first](double value) { return value != *first; });
  return static_cast<std::size_t>(first - values.begin() + std::max<std::ptrdiff_t>(0, (last - first - 1) / 2));
}

}  // namespace

RateRange usable_range(const std::vector<double>& rates, const std::vector<double>& losses, double factor) {
  const std::size_t best = least(losses), last = rates.size() - 1;
  if (std::isnan(losses[best])) return {nothing, nothing, false, false};
  const double limit = factor * losses[best];
  // Between a usable rate and its neighbour, which is not.
  const auto end = [&](std::size_t in, std::size_t out) {
    if (std::isnan(losses[out])) return rates[in];
    const double share = std::log(limit / losses[in]) / std::log(losses[out] / losses[in]);
    return rates[in] * std::pow(rates[out] / rates[in], share);
  };
  std::size_t low = best, high = best;
  while (low > 0 && losses[low - 1] <= limit) --low;
  while (high < last && losses[high + 1] <= limit) ++high;
  return {low == 0 ? rates[0] : end(low, low - 1), high == last ? rates[last] : end(high, high + 1), low == 0,
          high == last};
}

std::vector<double> Sweep::medians() const {
  std::vector<double> result;
  for (const std::vector<double>& at_rate : losses) result.push_back(median(at_rate));
  return result;
}

std::vector<double> Sweep::run(std::size_t index) const {
  std::vector<double> result;
  for (const std::vector<double>& at_rate : losses) result.push_back(at_rate[index]);
  return result;
}

std::size_t Sweep::best() const { return least(medians()); }

std::vector<RateRange> Sweep::usable_ranges(double factor) const {
  std::vector<RateRange> ranges;
  for (std::size_t i = 0; i < losses.at(0).size(); ++i) ranges.push_back(usable_range(rates, run(i), factor));
  return ranges;
}

std::vector<double> Sweep::usable_decades(double factor) const {
  std::vector<double> widths;
  for (const RateRange& range : usable_ranges(factor)) widths.push_back(range.decades());
  return widths;
}

bool Sweep::goes_on(double factor) const {
  const std::vector<RateRange> ranges = usable_ranges(factor);
  return std::any_of(ranges.begin(), ranges.end(), [](const RateRange& one) { return one.cut_low || one.cut_high; });
}

Line Sweep::line() const {
  std::vector<std::vector<double>> runs;
  for (std::size_t i = 0; i < losses.at(0).size(); ++i) runs.push_back(run(i));
  return summary(label, color, rates, runs);
}

namespace {

// The rates of one contestant by their place on the finest grid, where `unit` places are the first distance.
class Search {
 public:
  Search(const Contestant& contestant, const SweepOptions& options)
      : contestant_(contestant), options_(options), unit_(1 << options.halvings) {
    const auto middle = static_cast<int>(std::lround(std::log10(contestant.usual) * 3)) * unit_;
    const auto trials = static_cast<int>(options.trials);
    for (int i = 0; i < trials; ++i) attempt(middle + (i - trials / 2) * unit_);
  }

  std::size_t count() const { return costs_.size(); }

  void extend() {
    for (bool more = true; more;) {
      const bool lower = wants(-unit_) && attempt(costs_.begin()->first - unit_);
      more = (wants(unit_) && attempt(costs_.rbegin()->first + unit_)) || lower;
    }
  }
  // At the end that is nearer to the best.
  void fill(std::size_t trials) {
    while (count() < trials) {
      const int low = costs_.begin()->first, high = costs_.rbegin()->first, middle = best();
      const bool below = middle - low <= high - middle;
      if (!attempt(below ? low - unit_ : high + unit_) && !attempt(below ? high + unit_ : low - unit_)) return;
    }
  }
  void refine() {
    for (int distance = unit_ / 2; distance > 0; distance /= 2) {
      const int middle = best();
      attempt(middle - distance);
      attempt(middle + distance);
    }
  }

  Sweep sweep() const {
    Sweep result = {contestant_.label, contestant_.color, {}, {}};
    for (const auto& [place, costs] : costs_) {
      result.rates.push_back(rate(place));
      result.losses.push_back(costs);
    }
    return result;
  }

 private:
  double rate(int place) const { return rounded(std::pow(10, static_cast<double>(place) / (3 * unit_)), 2); }
  bool attempt(int place) {
    if (rate(place) < options_.least || rate(place) > options_.most) return false;
    if (!costs_.contains(place)) costs_[place] = contestant_.costs(rate(place));
    return true;
  }
  int best() const { return std::next(costs_.begin(), static_cast<std::ptrdiff_t>(sweep().best()))->first; }
  // Whether the sweep has to go on at its lower end (step < 0), or at its upper one.
  bool wants(int step) const {
    const Sweep now = sweep();
    const std::vector<double> medians = now.medians();
    const std::size_t end = step < 0 ? 0 : medians.size() - 1, best = least(medians);
    if (std::isnan(medians[best])) return step < 0;  // all diverged
    if (best == end) return true;
    if (options_.usable == 0) return false;
    const std::vector<RateRange> ranges = now.usable_ranges(options_.usable);
    return std::any_of(ranges.begin(), ranges.end(),
                       [step](const RateRange& one) { return step < 0 ? one.cut_low : one.cut_high; });
  }

  const Contestant& contestant_;
  const SweepOptions& options_;
  int unit_;
  std::map<int, std::vector<double>> costs_;
};

}  // namespace

std::vector<Sweep> fair_sweeps(const std::vector<Contestant>& contestants, const SweepOptions& options) {
  std::size_t tried = 0;
  std::vector<Contestant> told = contestants;
  for (Contestant& one : told)
    one.costs = [&, costs = one.costs](double rate) {
      std::vector<double> result = costs(rate);
      if (options.progress) options.progress(++tried);
      return result;
    };
  std::vector<Search> searches;
  for (const Contestant& one : told) searches.emplace_back(one, options);
  std::size_t most = 0;
  for (bool all_inside = false; !all_inside;) {
    const std::size_t before = most;
    for (Search& search : searches) search.extend(), most = std::max(most, search.count());
    for (Search& search : searches) search.fill(most);
    all_inside = most == before;  // where nothing was filled in, no best can have come to lie at an end
  }
  std::vector<Sweep> sweeps;
  for (Search& search : searches) {
    search.refine();
    sweeps.push_back(search.sweep());
  }
  return sweeps;
}

Contestant on_digits(const Context& context, const Rule& rule, std::size_t steps, std::vector<std::uint64_t> seeds,
                     const Settings& settings, std::vector<std::size_t> widths) {
  return {std::string(rule.label), std::string(rule.id), rule.lr, [=, &context, &rule](double lr) {
            Settings with_rate = settings;
            with_rate.lr = lr;
            std::vector<double> losses;
            for (const std::uint64_t seed : seeds)
              losses.push_back(final_loss(train_digits(context, rule, with_rate, seed, {.steps = steps}, widths)));
            return losses;
          }};
}

Table where_best_lies(const std::string& name, const std::string& caption, const std::vector<Sweep>& sweeps) {
  Table table = {name, caption, {"optimizer", "rates tried", "from", "to", "best rate", "cost there"}, {}};
  for (const Sweep& sweep : sweeps)
    table.rows.push_back({sweep.label, Cell::integer(static_cast<double>(sweep.rates.size())),
                          Cell(sweep.rates.front(), 2), Cell(sweep.rates.back(), 2), Cell(sweep.rates[sweep.best()], 2),
                          Cell::spread(sweep.losses[sweep.best()])});
  return table;
}

Table usable_table(const std::string& name, const std::string& caption, const std::vector<Sweep>& sweeps,
                   double factor) {
  Table table = {name, caption, {"optimizer", "usable from", "to", "decades", "goes on beyond the sweep"}, {}};
  for (const Sweep& sweep : sweeps) {
    const RateRange range = usable_range(sweep.rates, sweep.medians(), factor);
    table.rows.push_back({sweep.label, Cell(range.low, 2), Cell(range.high, 2),
                          Cell::spread(sweep.usable_decades(factor)), sweep.goes_on(factor) ? "yes" : "no"});
  }
  return table;
}

}  // namespace lab
