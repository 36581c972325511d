// Claim 23: accuracy, on digits that were not trained on.
#include "../sweep.h"
#include "claims.h"
#include "verdicts.h"

namespace lab {

Blocks accuracy(const Context& context) {
  const std::size_t steps = context.pick<std::size_t>(150, 1500);
  const std::vector<const char*> ids = {"adam", "adamax", "sgd", "momentum"};
  std::vector<Contestant> all;
  for (const char* id : ids) all.push_back(on_digits(context, rule(id), steps, tuning_seeds(context)));
  const std::vector<Sweep> sweeps = fair_sweeps(all);
  DotPlot plot = {.name = "23-accuracy",
                  .title = say::accuracy_title{},
                  .note = say::accuracy_note{},
                  .x = {.label = "test accuracy, %"},
                  .groups = {}};
  Table table = {"23-numbers", say::five_seeds{}, {"optimizer", "rate", "test accuracy, %", "test loss"}, {}};
  std::vector<std::vector<double>> shares;
  for (const Sweep& sweep : sweeps) {
    const double lr = sweep.rates[sweep.best()];
    std::vector<double> losses;
    shares.emplace_back();
    for (const std::uint64_t seed : seeds(context)) {
      xgrad::nn::Sequential model = mlp({32}, seed);
      const auto optimizer = rule(sweep.color).make(model.parameters(), {.lr = lr});
      train(model, *optimizer, context.data.train, {.steps = steps, .seed = seed});
      const Score score = evaluate(model, context.data.test);
      shares.back().push_back(100 * score.accuracy);
      losses.push_back(score.loss);
    }
    plot.groups.push_back({sweep.label, sweep.color, shares.back()});
    table.rows.push_back({sweep.label, Cell(lr, 2), Cell::spread(shares.back()), Cell::spread(losses)});
  }
  const auto parts = judge::accuracy(shares[0], shares[1], shares[2], shares[3]);
  const auto against = [&](std::size_t first, std::size_t second, Verdict verdict) {
    const std::string one = sweeps[first].label, other = sweeps[second].label;
    return either(verdict, say::accuracy_higher{.one = one, .other = other},
                  say::accuracy_lower{.one = one, .other = other}, say::accuracy_undecided{.one = one, .other = other});
  };
  return {Claim{23, say::accuracy_claim{}, parts.all(),
                against(0, 2, parts.part[0]) + " " + against(0, 3, parts.part[1]) + " " + against(1, 2, parts.part[2]) +
                    " " + against(1, 3, parts.part[3])},
          Text{say::accuracy_rule{.steps = steps}}, plot, where_best_lies("23-sweep", say::tuning_caption{}, sweeps),
          table};
}

}  // namespace lab
