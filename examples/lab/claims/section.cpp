#include <algorithm>
#include <functional>
#include <iterator>

#include "claims.h"

namespace lab {

Section claims(const Context& context) {
  const std::vector<std::function<Blocks(const Context&)>> experiments = {
      adapted_rates,  momentum, different_scales, sensitivity,     memory,         data_memory, sparse_gradients,
      limit_of_norms, outliers, computation,      hyperparameters, fewer_settings, frequency,   bias_correction,
      convergence,    variance, infinity_norm,    optimum,         low_pass,       accuracy};
  Section section = {.id = "claims", .title = say::title{}, .blocks = {}};
  std::vector<Blocks> of_claims;  // each begins with its claim
  for (std::size_t i = 0; i < experiments.size(); ++i) {
    for (Block& block : experiments[i](context)) {
      if (std::holds_alternative<Claim>(block)) of_claims.emplace_back();
      of_claims.back().push_back(std::move(block));
    }
    context.progress(static_cast<double>(i + 1) / static_cast<double>(experiments.size()));
  }
  std::sort(of_claims.begin(), of_claims.end(), [](const Blocks& a, const Blocks& b) {
    return std::get<Claim>(a.front()).number < std::get<Claim>(b.front()).number;
  });
  Table overview = {"verdicts", "", {"claim", "verdict"}, {}};
  for (const Blocks& blocks : of_claims) {
    const auto& claim = std::get<Claim>(blocks.front());
    Cell verdict(word(claim.verdict));
    verdict.is_measured = claim.measured;
    verdict.badge = word(claim.verdict);
    Cell what(std::to_string(claim.number) + ". " + claim.claim);
    what.link = "claim-" + std::to_string(claim.number);
    overview.rows.push_back({what, verdict});
  }
  overview.caption = say::overview{.count = overview.rows.size()};
  section.blocks = {Text{say::introduction{.count = overview.rows.size()}}, Text{say::verdicts{}}, Text{say::tuning{}},
                    overview, Text{say::left_out{}}};
  for (Blocks& blocks : of_claims)
    section.blocks.insert(section.blocks.end(), std::make_move_iterator(blocks.begin()),
                          std::make_move_iterator(blocks.end()));
  section.blocks.emplace_back(Box{say::think{}, say::think_words{}});
  section.blocks.emplace_back(Box{say::remember{}, say::remember_words{}});
  return section;
}

}  // namespace lab
