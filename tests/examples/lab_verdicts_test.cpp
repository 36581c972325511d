// The threshold of each verdict, with measurements that are made up: on both sides, and in between.
#include <doctest/doctest.h>

#include <cmath>

#include "claims/verdicts.h"

using namespace lab;
using judge::Values;
using enum Verdict;

namespace {

const Values low = {1, 2, 3, 4, 5}, high = {6, 7, 8, 9, 10}, between = {1, 2, 3, 8, 9}, around = {5, 6, 7, 8, 9};

Values times(double factor, Values values) {
  for (double& value : values) value *= factor;
  return values;
}

}  // namespace

TEST_CASE("Verdicts that compare two sides") {
  struct Case {
    const char* what;
    Verdict got, wanted;
  };
  for (const Case& c : {
           Case{"1 shorter and lower", judge::adapted_rates(low, high, low, high).all(), yes},
           {"1 longer and higher", judge::adapted_rates(high, low, high, low).all(), no},
           {"1 shorter, but higher", judge::adapted_rates(low, high, high, low).all(), partly},
           {"1 no shorter than noise makes it", judge::adapted_rates(around, between, low, high).all(), undecided},
           {"2 faster and escapes", judge::momentum(low, high, high, low).all(), yes},
           {"2 slower, escapes", judge::momentum(high, low, high, low).all(), partly},
           {"2 slower, stays", judge::momentum(high, low, low, high).all(), no},
           {"2 overlapping steps", judge::momentum(between, around, high, low).all(), undecided},
           {"7 all three", judge::outliers({high, high, high}, {low, low, low}).all(), yes},
           {"7 jumps less, waits longer", judge::outliers({low, high, between}, {high, low, around}).all(), partly},
           {"7 none", judge::outliers({low, low, low}, {high, high, high}).all(), no},
           {"7 the loss is open", judge::outliers({high, high, between}, {low, low, around}).all(), undecided},
           {"11 both", judge::frequency(low, high, low, high).all(), yes},
           {"11 neither", judge::frequency(high, low, high, low).all(), no},
           {"11 one open", judge::frequency(high, low, between, around).all(), undecided},
           {"23 above both", judge::accuracy(high, high, low, low).all(), yes},
           {"23 below both", judge::accuracy(low, low, high, high).all(), no},
           {"23 Adam above, AdaMax below", judge::accuracy(high, low, low, high).all(), partly},
           {"23 one open", judge::accuracy(high, between, low, around).all(), undecided},
       })
    CHECK_MESSAGE(c.got == c.wanted, c.what);
}

TEST_CASE("Verdicts with a threshold") {
  struct Case {
    const char* what;
    Verdict got, wanted;
  };
  for (const Case& c : {
           Case{"3 ten times lower, both", judge::different_scales({10, 12}, {44, 50}).all(), yes},
           {"3 lower along the axes only", judge::different_scales({1e9, 1e8}, {9.9, 2}).all(), partly},
           {"3 turned: starts on both sides of ten", judge::different_scales({1e9, 1e8}, {7, 12}).all(), undecided},
           {"3 neither", judge::different_scales({2, 9}, {1, 2}).all(), no},
           {"4 narrower than a decade", judge::very_sensitive({0.5, 0.99}), yes},
           {"4 a decade", judge::very_sensitive({1, 1.5}), no},
           {"4 on both sides", judge::very_sensitive({0.9, 1.1}), undecided},
           {"19 two decades", judge::insensitive({2, 2.5}), yes},
           {"19 less", judge::insensitive({1.2, 1.99}), no},
           {"19 on both sides", judge::insensitive({1.9, 2.1}), undecided},
           {"10 by the count only", judge::fewer_to_tune(true, {1.01, 1.04}).all(), partly},
           {"10 and eps matters", judge::fewer_to_tune(true, {1.06, 1.3}).all(), yes},
           {"10 eps may matter", judge::fewer_to_tune(true, {1.01, 1.3}).all(), undecided},
           {"10 not even by the count", judge::fewer_to_tune(false, {1.01, 1.02}).all(), no},
           {"12 a jump of 1.5", judge::bias_correction({1.5, 3.2}), yes},
           {"12 less", judge::bias_correction({0.3, 1.4}), no},
           {"12 on both sides", judge::bias_correction({1.4, 1.6}), undecided},
           {"13 every run", judge::convergence(20, 20, 20).all(), yes},
           {"13 no batches", judge::convergence(20, 0, 20).all(), partly},
           {"13 none", judge::convergence(0, 0, 20).all(), no},
           {"13 some with batches", judge::convergence(20, 7, 20).all(), undecided},
           {"14 the variance", judge::variance({0.97, 1.04}), yes},
           {"14 five times", judge::variance({4.9, 5.1}), no},
           {"14 a tenth of it", judge::variance({0.1, 0.11}), no},
           {"14 on both sides", judge::variance({1.04, 1.06}), undecided},
           {"16 everywhere", judge::optimum({1, 1}, {1, 1}, {-1, -0.95}).all(), yes},
           {"16 on the bowl only", judge::optimum({1, 1}, {0.1, 0.2}, {1, 0.9}).all(), partly},
           {"16 nowhere", judge::optimum({0.5, 0.9}, {0.1, 0.2}, {1, 0.9}).all(), no},
           {"16 Reddi's example at some rates", judge::optimum({1, 1}, {1, 1}, {-1, 0.9}).all(), undecided},
       })
    CHECK_MESSAGE(c.got == c.wanted, c.what);
}

TEST_CASE("Times are judged by the interval of their median") {
  // Of nine values the interval goes from the second to the eighth: fewer beyond it have a probability of 10 / 512.
  const Values nine = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  CHECK(judge::median_interval(nine) == std::pair(2.0, 8.0));
  // Of eleven, two may not be cut off at each end: 67 / 2048 is more than 2.5 %.
  CHECK(judge::median_interval({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}) == std::pair(2.0, 10.0));
  CHECK(judge::median_interval({3, 1, 2}) == std::pair(1.0, 3.0));
  Values many;
  for (int i = 1; i <= 25; ++i) many.push_back(i);
  CHECK(judge::median_interval(many) == std::pair(8.0, 18.0));
  CHECK(judge::faster(times(0.1, nine)) == yes);         // up to 0.8
  CHECK(judge::faster(times(1, nine)) == no);            // from 2
  CHECK(judge::faster(times(0.15, nine)) == undecided);  // from 0.3 to 1.2
  CHECK(judge::faster({0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 82}) ==
        yes);  // one turn that something else slowed down
}
