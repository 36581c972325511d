#include <doctest/doctest.h>
#include <xgrad/datasets/digits.h>

#include <algorithm>
#include <cmath>

#include "rules.h"
#include "step/observe.h"

using namespace lab;
using namespace lab::step;

TEST_CASE("What is read of a step gives the step: the rate times the direction is how far the number went") {
  constexpr std::size_t steps = 30;
  const xgrad::datasets::Dataset digits = xgrad::datasets::digits(640, 1);
  const Context context{.quick = true, .seed = 3, .data = {digits, digits}, .real_digits = false, .progress = {}};
  const std::vector<Watched> all = choose(context, steps);
  CHECK(all.size() == 5);
  for (const Watched& one : all) {
    INFO(one.label());
    CHECK(one.gradient <= all[0].gradient);  // the first has the largest gradients, the third rare ones
    CHECK(one.share >= all[2].share);
  }
  CHECK(all[1].gradient < all[0].gradient / 10);
  CHECK(all[1].share >= 0.9);
  for (const char* id : {"adam", "adamax"})
    for (const bool corrected : {true, false}) {
      const Observed run = observe(context, id, corrected, steps, all);
      for (std::size_t w = 0; w < all.size(); ++w) {
        const Trace& trace = run.traces[w];
        CHECK(trace.change.size() == steps);
        double m = 0;
        for (std::size_t t = 1; t <= steps; ++t) {
          INFO(id, corrected ? " corrected, " : " not corrected, ", all[w].label(), ", step ", t);
          m = 0.9 * m + 0.1 * trace.gradient[t - 1];
          CHECK(trace.first[t - 1] == doctest::Approx(m).epsilon(1e-4).scale(all[w].gradient));
          const double rate = effective_rate(run, trace, t);
          if (m == 0) {  // before the first gradient
            CHECK(std::isnan(rate));
            CHECK(trace.change[t - 1] == 0);
          } else {
            CHECK(std::abs(trace.change[t - 1] + rate * direction(run, trace, t)) < 1e-4 * rule(id).lr);
          }
        }
      }
    }
}
