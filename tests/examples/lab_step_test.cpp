#include <doctest/doctest.h>
#include <xgrad/datasets/digits.h>

#include <algorithm>
#include <cmath>

#include "rules.h"
#include "step/by_hand.h"
#include "step/cards.h"
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

TEST_CASE("Adam's first steps by hand are those of the formula") {
  const std::vector<HandStep> steps = adam_by_hand({2, 2, -1}, 0.1);
  CHECK(steps.size() == 3);
  double m = 0, v = 0, x = 1;
  for (std::size_t t = 1; t <= steps.size(); ++t) {
    const HandStep& one = steps[t - 1];
    const double power = static_cast<double>(t);
    m = 0.9 * m + 0.1 * one.g;
    v = 0.999 * v + 0.001 * one.g * one.g;
    const double m_hat = m / (1 - std::pow(0.9, power)), v_hat = v / (1 - std::pow(0.999, power));
    CHECK(one.from == doctest::Approx(x).epsilon(1e-6));
    x -= 0.1 * m_hat / (std::sqrt(v_hat) + 1e-8);
    CHECK(one.m == doctest::Approx(m).epsilon(1e-5));
    CHECK(one.v == doctest::Approx(v).epsilon(1e-5));
    CHECK(one.m_hat == doctest::Approx(m_hat).epsilon(1e-5));
    CHECK(one.v_hat == doctest::Approx(v_hat).epsilon(1e-5));
    CHECK(one.to == doctest::Approx(x).epsilon(1e-6));
    CHECK(one.step == doctest::Approx(one.to - one.from).epsilon(1e-6));
  }
  CHECK(steps[0].step == doctest::Approx(-0.1).epsilon(1e-5));
}

TEST_CASE("Each rule that races has a card") {
  const Cards all = rule_cards();
  CHECK(all.cards.size() == rules().size() + 1);
  for (std::size_t i = 0; i < rules().size(); ++i) {
    CHECK(all.cards[i].id == rules()[i].id);
    CHECK(all.cards[i].name == rules()[i].label);
  }
  CHECK(all.cards.back().id == "lbfgs");
}
