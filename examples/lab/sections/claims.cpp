#include "../claims/claims.h"

#include <functional>
#include <iterator>

namespace lab {

Section claims(const Context& context) {
  const auto on_rates = [](std::size_t number) {
    return [number](const Context& c) { return sensitivity_and_steadiness(c, number); };
  };
  const std::vector<std::function<Blocks(const Context&)>> experiments = {
      adapted_rates, momentum,    different_scales, on_rates(4), memory,          sparse_gradients, outliers,
      computation,   on_rates(9), hyperparameters,  frequency,   bias_correction, convergence};
  Section section = {.id = "claims", .title = "The article, claim by claim", .blocks = {}};
  Table overview = {"verdicts", "Thirteen things that are said about Adam and Adamax", {"claim", "verdict"}, {}};
  std::vector<Block> all;
  for (std::size_t i = 0; i < experiments.size(); ++i) {
    Blocks blocks = experiments[i](context);
    const Claim& claim = std::get<Claim>(blocks.front());
    Cell verdict(word(claim.verdict));
    verdict.is_measured = claim.measured;
    overview.rows.push_back({std::to_string(claim.number) + ". " + claim.claim, verdict});
    all.insert(all.end(), std::make_move_iterator(blocks.begin()), std::make_move_iterator(blocks.end()));
    context.progress(static_cast<double>(i + 1) / static_cast<double>(experiments.size()));
  }
  section.blocks = {
      Text{"An article from which many learn these optimizers makes thirteen claims about them. Each is tried here "
           "with the real code, and the verdict is computed from the numbers by a rule that is "
           "stated with it: another seed, or another machine, may give another one. \"Holds if\" says under which "
           "condition, or which part of it."},
      overview};
  section.blocks.insert(section.blocks.end(), std::make_move_iterator(all.begin()), std::make_move_iterator(all.end()));
  return section;
}

}  // namespace lab
