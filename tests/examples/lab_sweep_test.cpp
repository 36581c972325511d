#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "compare.h"
#include "sweep.h"
#include "words/claims.h"

using namespace lab;

namespace {

// Costs that are least at `best`, and grow with the logarithm of the distance; nothing is known above `diverges`.
Contestant valley(double usual, double best, double diverges = INFINITY) {
  return {"A", "adam", usual, [=](double rate) {
            const double cost = 1 + std::abs(std::log10(rate / best));
            return std::vector<double>(3, rate > diverges ? NAN : cost);
          }};
}

}  // namespace

TEST_CASE("A sweep goes on until its best rate lies inside, and then looks closer") {
  struct Case {
    double usual, best, diverges;
  };
  for (const Case& c : {Case{0.01, 0.01, INFINITY},
                        {0.01, 3e-5, INFINITY},
                        {0.01, 50, INFINITY},
                        {0.01, 0.8, 1},
                        {1, 0.0047, 0.2},
                        {1e-4, 2e3, INFINITY}}) {
    const Sweep sweep = fair_sweeps({valley(c.usual, c.best, c.diverges)}).front();
    INFO("usual ", c.usual, ", best ", c.best);
    CHECK(sweep.best() > 0);
    CHECK(sweep.best() + 1 < sweep.rates.size());
    // Neighbours on the finest grid are a twelfth of a decade apart, and rates are rounded to two digits.
    CHECK(std::abs(std::log10(sweep.rates[sweep.best()] / c.best)) < 0.06);
    CHECK(std::is_sorted(sweep.rates.begin(), sweep.rates.end()));
  }
}

TEST_CASE("All contestants of a sweep have as many trials, on one grid") {
  std::size_t told = 0;
  SweepOptions options;
  options.progress = [&](std::size_t tried) { told = tried; };
  const std::vector<Sweep> sweeps = fair_sweeps({valley(0.01, 0.01), valley(0.01, 1e-4), valley(0.1, 700)}, options);
  std::set<double> grid;
  for (const Sweep& sweep : sweeps) {
    CHECK(sweep.rates.size() == sweeps[0].rates.size());
    for (const double rate : sweep.rates) grid.insert(std::round(12 * std::log10(rate)));
  }
  CHECK(told == 3 * sweeps[0].rates.size());
  CHECK(sweeps[0].rates.size() > 7 + 4);  // who began far from the best needed more, and so the others got more
  for (const Sweep& sweep : sweeps)
    for (const double rate : sweep.rates)
      CHECK(std::abs(12 * std::log10(rate) - std::round(12 * std::log10(rate))) < 0.3);
}

TEST_CASE("A sweep for usable rates goes on until both ends fail, and one without a best ends by itself") {
  const Sweep wide = fair_sweeps({valley(0.01, 0.02)}, {.usable = 3}).front();
  const RateRange range = usable_range(wide.rates, wide.medians(), 3);
  CHECK_FALSE(range.cut_low);
  CHECK_FALSE(range.cut_high);
  CHECK(range.decades() == doctest::Approx(4).epsilon(0.1));  // two decades to either side cost 3 times as much
  const Sweep cut = fair_sweeps({valley(0.01, 1e-9)}, {.least = 1e-5}).front();
  CHECK(cut.rates.front() >= 1e-5);
  CHECK(cut.best() == 0);
  const Contestant flat = {"B", "sgd", 1, [](double) { return std::vector<double>{5, 5}; }};
  CHECK(fair_sweeps({flat}).front().rates.size() == 7 + 4);
  const Contestant never = {"C", "sgd", 1, [](double) { return std::vector<double>{NAN}; }};
  CHECK(fair_sweeps({never}, {.least = 1e-3}).front().rates.front() == doctest::Approx(1e-3));
  const Sweep low = fair_sweeps({valley(10, 2e-4, 1e-3)}).front();  // all of the first ones diverge
  CHECK(std::abs(std::log10(low.rates[low.best()] / 2e-4)) < 0.06);
  // No rate beyond the limits is tried, wherever the sweep begins.
  CHECK(fair_sweeps({valley(1, 1)}, {.least = 0.5, .most = 2}).front().rates.size() <= 5);
}

TEST_CASE("Of rates that cost the same the middle one is the best, and a seed's range is followed to its end") {
  const Sweep flat = {"", "", {0.1, 0.2, 0.5, 1, 2}, {{4}, {1}, {1}, {1}, {9}}};
  CHECK(flat.best() == 2);
  const auto two_seeds = [](double rate) {  // one is usable from 0.1 on, the other from 0.001 on
    return std::vector<double>{1 + std::abs(std::log10(rate)), 1 + std::abs(std::log10(rate)) / 3};
  };
  const Sweep sweep = fair_sweeps({{"A", "adam", 1, two_seeds}}, {.usable = 2}).front();
  CHECK_FALSE(sweep.goes_on(2));
  CHECK(sweep.rates.front() < 1e-3);
}

TEST_CASE("One side is lower only where no values overlap") {
  struct Case {
    std::vector<double> first, second;
    Order order;
  };
  for (const Case& c : {Case{{1, 2, 3}, {4, 5, 6}, Order::lower},
                        {{4, 5, 6}, {1, 2, 3}, Order::higher},
                        {{1, 2, 4}, {3, 5, 6}, Order::undecided},
                        {{1, 2, 3}, {3, 4, 5}, Order::undecided},
                        {{1, 2, NAN}, {4, 5, 6}, Order::undecided},
                        {{}, {1}, Order::undecided}})
    CHECK(compare(c.first, c.second) == c.order);
  CHECK(at_least({2, 3}, 2) == Verdict::yes);
  CHECK(at_least({1, 1.9}, 2) == Verdict::no);
  CHECK(at_least({1, 3}, 2) == Verdict::undecided);
  CHECK(at_least({NAN, 3}, 2) == Verdict::undecided);
}

TEST_CASE("The verdict on a whole is what its open parts leave possible") {
  using enum Verdict;
  struct Case {
    std::vector<Verdict> parts;
    Verdict all;
  };
  for (const Case& c : {Case{{yes, yes}, yes},
                        {{no, no}, no},
                        {{yes, no}, partly},
                        {{yes, undecided}, undecided},
                        {{no, undecided}, undecided},
                        {{yes, undecided, no}, partly},
                        {{undecided}, undecided},
                        {{partly, yes}, partly}})
    CHECK(all_of(c.parts) == c.all);
}

TEST_CASE("A passage shows its numbers where the text has their names") {
  const std::string text = words::claims_section::count_words{.fewer = 3, .own = "three"};
  CHECK(text == "It has three in its paper's form. 3 of the five others have fewer.");
}
