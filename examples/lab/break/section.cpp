// Six ways to fail, what the library says of each, and what helps.
#include <xgrad/core/errors.h>

#include "failures.h"

namespace lab {

Section break_it(const Context& context) {
  const Signs well = healthy(context);
  context.progress(0.08);
  std::vector<Failure> failures;
  const auto add = [&](Failure failure) {
    failures.push_back(std::move(failure));
    context.progress(0.08 + 0.92 * static_cast<double>(failures.size()) / 6);
  };
  add(rate_too_high(context, well));
  add(zero_weights(context, well));
  add(shuffled_labels(context));
  add(dead_relu(context, well));
  add(eps_too_small(context, well));
  add(no_correction(context, well));

  Table overview = {.name = "overview",
                    .caption = "Symptom, diagnosis and cure",
                    .columns = {"failure", "symptom: loss at the end", "healthy", "diagnosis", "its value",
                                "healthy value", "cure", "loss with the cure"},
                    .rows = {}};
  for (const Failure& failure : failures) overview.rows.push_back(failure.row);
  Section section = {
      .id = "break",
      .title = "Break it",
      .blocks = {
          Text{xgrad::message(
              "Six things that go wrong, done on purpose. A network 784-32-32-10 learns digits with Adam (α = ",
              number_text(usual_rate, 1), ") for ", usual_steps(context),
              " steps, healthy and broken, and then with a cure. A loss curve says that something is wrong; which "
              "number says "
              "what? Before a step, explain() gives gradient norms, the ratio of update to weight, and the share of "
              "elements that go as far as the rule lets them; a start can be compared with the loss of guessing, ln "
              "10.")},
          overview,
          Text{"The losses are training losses, but for shuffled labels, where the test loss is what fails. \"-\" is a "
               "loss that is "
               "not a number."},
      }};
  for (Failure& failure : failures)
    for (Block& block : failure.blocks) section.blocks.push_back(std::move(block));
  return section;
}

}  // namespace lab
