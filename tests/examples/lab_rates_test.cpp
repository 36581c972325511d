#include <doctest/doctest.h>

#include <cmath>

#include "compare.h"
#include "rates/widths.h"
#include "sweep.h"

using namespace lab;

TEST_CASE("The usable range of rates is interpolated, and says where the sweep cuts it off") {
  struct Case {
    const char* what;
    std::vector<double> losses;  // at rates 0.01, 0.1, 1, 10
    double low, high;
    bool cut_low, cut_high;
  };
  const std::vector<double> rates = {0.01, 0.1, 1, 10};
  // The limit is 2. From loss 1 to 4, two doublings, it is crossed after half of a decade; from 1 to 8 after a third.
  const double half = std::sqrt(10), third = std::cbrt(10);
  for (const Case& c :
       {Case{"within", {8, 1, 1.5, 6}, 0.1 / third, std::pow(10, 0.5 * std::log(2 / 1.5) / std::log(2)), false, false},
        {"a valley of one rate", {9, 4, 1, 4}, 1 / half, half, false, false},
        {"cut off below", {1, 1, 4, 4}, 0.01, 0.1 * half, true, false},
        {"cut off on both sides", {2, 1, 1, 2}, 0.01, 10, true, true},
        {"diverged above", {4, 1, NAN, NAN}, 0.1 / half, 0.1, false, false},
        {"a second valley does not count", {1.5, 4, 1, 4}, 1 / half, half, false, false},
        {"a limit that is met exactly is usable", {4, 2, 1, 4}, 0.1, half, false, false}}) {
    const RateRange range = usable_range(rates, c.losses, 2);
    INFO(c.what);
    CHECK(range.low == doctest::Approx(c.low));
    CHECK(range.high == doctest::Approx(c.high));
    CHECK(range.cut_low == c.cut_low);
    CHECK(range.cut_high == c.cut_high);
  }
  CHECK(std::isnan(usable_range(rates, {NAN, NAN, NAN, NAN}, 2).decades()));
}

TEST_CASE("A sweep's best rate has the least median, and each run its own width") {
  const Sweep sweep = {"Adam", "adam", {0.1, 1, 10}, {{4, 4, 1}, {1, 2, 8}, {4, NAN, NAN}}};
  CHECK(sweep.best() == 1);
  const std::vector<double> medians = sweep.medians(), second = sweep.run(1), widths = sweep.usable_decades(2);
  CHECK(medians[0] == 4);
  CHECK(medians[1] == 2);
  CHECK(std::isnan(medians[2]));
  CHECK(second[1] == 2);
  CHECK(widths[0] == doctest::Approx(1));        // half a decade on either side of rate 1
  CHECK(widths[1] == doctest::Approx(1));        // 4 is just usable at rate 0.1; above, the run diverged
  CHECK(widths[2] == doctest::Approx(1.0 / 3));  // from rate 0.1, where the sweep begins, to a third towards 8
}

TEST_CASE("Measured costs agree with what is said, or not, or leave it undecided") {
  struct Case {
    std::vector<double> first, second;
    bool ahead;
    const char* words;
  };
  for (const Case& c : {Case{{0.8, 0.9, 0.7}, {1, 1.1, 0.95}, true, "agrees: lower by 20 %"},
                        {{1, 1.1, 0.95}, {0.8, 0.9, 0.7}, true, "disagrees: higher by 20 %"},
                        {{0.8, 0.96, 0.7}, {1, 1.1, 0.95}, true, "undecided: lower by 20 %, and the seeds overlap"},
                        {{0.98, 0.97, 0.99}, {1, 1.1, 1}, false, "agrees: 2 % apart"},
                        {{0.98, 0.97, 0.99}, {1, 1.1, 1}, true, "agrees: lower by 2 %"},
                        {{0.8, 0.9, 0.7}, {1, 1.1, 0.95}, false, "disagrees: lower by 20 %"},
                        {{0.8, 1.2, 0.7}, {1, 1.1, 0.95}, false, "undecided: lower by 20 %, and the seeds overlap"},
                        {{0.8, NAN, 0.7}, {1, 1.1, 0.95}, true, "undecided: a training diverged"}})
    CHECK(agreement(c.first, c.second, c.ahead) == c.words);
}

TEST_CASE("A range goes on beyond the sweep if that of one run does") {
  const Sweep within = {"", "", {0.1, 1, 10}, {{4, 9}, {1, 2}, {4, 8}}},
              cut = {"", "", {0.1, 1, 10}, {{4, 3}, {1, 2}, {4, 8}}};
  CHECK(!within.goes_on(2));
  CHECK(cut.goes_on(2));
}

TEST_CASE("The widest range is called so only if nothing else reaches it with any seed") {
  using Indices = std::vector<std::size_t>;
  const std::vector<std::vector<double>> apart = {{1, 1.1}, {3, 3.1}, {2, 2.2}},
                                         overlap = {{1, 2.5}, {3, 3.1}, {2, 3.05}};
  CHECK(rates::widest(apart) == Indices{1});
  CHECK(rates::narrowest(apart) == Indices{0});
  CHECK(rates::widest(overlap) == Indices{1, 2});
  CHECK(rates::narrowest(overlap) == Indices{0, 2});
}

TEST_CASE("Losses far above that of a guess are not told apart") {
  CHECK(rates::span({0.5, 2.26, 1}) == "0.5 to 2.3");
  CHECK(rates::span({1.2, 105507}) == "1.2 to more than 100");
  CHECK(rates::span({1.2, NAN, 3}) == "1.2 to 3, and 1 diverged");
  CHECK(rates::span({NAN}) == "nowhere finite: all diverged");
  CHECK(rates::span({0.4}) == "0.4");
}
