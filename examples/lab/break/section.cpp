// Six ways to fail, what the library says of each, and what helps.
#include "failures.h"

namespace lab {

Section break_it(const Context& context) {
  const Runs well = healthy(context);
  context.progress(0.06);
  std::vector<Failure> failures;
  const auto add = [&](Failure failure) {
    failures.push_back(std::move(failure));
    context.progress(0.06 + 0.94 * static_cast<double>(failures.size()) / 6);
  };
  add(rate_too_high(context, well));
  add(zero_weights(context, well));
  add(shuffled_labels(context));
  add(dead_relu(context, well));
  add(eps_too_small(context, well));
  add(no_correction(context, well));

  Table overview = {.name = "overview",
                    .caption = say::overview{},
                    .columns = {"failure", "healthy loss", "broken loss", "broken against healthy", "cured loss",
                                "cured against healthy"},
                    .rows = {}};
  Table diagnoses = {.name = "diagnoses",
                     .caption = say::diagnoses{},
                     .columns = {"failure", "the number that tells", "broken", "healthy", "cure"},
                     .rows = {}};
  for (const Failure& one : failures) {
    overview.rows.push_back({one.name, spread(one.healthy), spread(one.broken), standing(one.broken, one.healthy),
                             spread(one.cured),
                             one.cured == one.healthy ? "the same runs" : standing(one.cured, one.healthy)});
    diagnoses.rows.push_back({one.name, one.diagnosis, one.shown, one.shown_healthy, one.cure});
  }
  Section section = {.id = "break",
                     .title = say::title{},
                     .blocks = {Text{say::introduction{.rate = usual_rate, .steps = usual_steps(context)}},
                                Text{say::five_seeds{}}, overview, Text{say::overview_note{}}, diagnoses}};
  for (Failure& failure : failures)
    for (Block& block : failure.blocks) section.blocks.push_back(std::move(block));
  section.blocks.emplace_back(Box{say::think{}, say::think_words{}});
  section.blocks.emplace_back(Box{say::remember{}, say::remember_words{}});
  return section;
}

}  // namespace lab
