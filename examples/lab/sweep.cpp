#include "sweep.h"

#include <xgrad/core/errors.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace lab {

namespace {
constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
}

namespace {

// The least, where what is not a number counts as the largest.
std::size_t least(const std::vector<double>& values) {
  const auto below = [](double a, double b) { return a < b || (!std::isnan(a) && std::isnan(b)); };
  return static_cast<std::size_t>(std::min_element(values.begin(), values.end(), below) - values.begin());
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

std::vector<double> Sweep::usable_decades(double factor) const {
  std::vector<double> widths;
  for (std::size_t i = 0; i < losses.at(0).size(); ++i) widths.push_back(usable_range(rates, run(i), factor).decades());
  return widths;
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
    const int reach = static_cast<int>(options.trials) / 2 * unit_;
    for (int place = middle - reach; count() < options.trials; place += unit_) attempt(place);
  }

  std::size_t count() const { return costs_.size(); }

  void extend() {
    while (wants(costs_.begin()->first, -unit_) || wants(costs_.rbegin()->first, unit_)) {
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
  int best() const {
    std::vector<double> medians;
    for (const auto& [place, costs] : costs_) medians.push_back(median(costs));
    return std::next(costs_.begin(), static_cast<std::ptrdiff_t>(least(medians)))->first;
  }
  // Where the sweep has to go on at this end, it does.
  bool wants(int end, int step) {
    const double cost = median(costs_[end]), limit = options_.usable * median(costs_[best()]);
    const double inside = median(costs_[end - step]);
    // Where all rates cost the same, further ones would too.
    const bool falls = end == best() && (cost < inside || (std::isnan(inside) && !std::isnan(cost)));
    return (falls || cost <= limit) && attempt(end + step);
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

Contestant on_digits(const Context& context, const Rule& rule, std::size_t steps, std::vector<std::uint64_t> seeds) {
  return {std::string(rule.label), std::string(rule.id), rule.lr, [&context, &rule, steps, seeds](double lr) {
            std::vector<double> losses;
            for (const std::uint64_t seed : seeds)
              losses.push_back(final_loss(train_digits(context, rule, {.lr = lr}, seed, {.steps = steps})));
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

}  // namespace lab
