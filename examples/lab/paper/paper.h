// The experiments of Kingma & Ba 2015, section 6.1 and 6.2, as far as the lab repeats them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "../sweep.h"
#include "words/paper.h"

namespace lab {

namespace say = words::paper_section;

constexpr std::size_t paper_batch_size = 128;

struct Contender {
  std::string_view id;
  double usual;              // the rate around which its sweep begins
  const char* place;         // what the paper says of where it ends
  bool is_constant = false;  // its rate is α in every step, not α / √t

  std::string label() const { return std::string(rule(id).label) + (is_constant ? ", constant α" : ""); }
};

// What the paper says of two optimizers: the first is ahead of the second, or they are alike.
struct Statement {
  std::string_view first, second;
  bool ahead;
};

struct Experiment {
  std::string name, title;
  std::string words;  // what it is, and what the paper says
  std::function<Trained(const Contender& one, double lr, std::uint64_t seed, std::size_t steps)> train;
  std::size_t sweep_steps, steps;
  double passes, paper_passes;  // over the data: here, and in the paper's figure
  std::vector<Contender> contenders;
  std::vector<Statement> statements;
  SweepOptions sweep = {};
  std::size_t tuning_seed_count = 2;
  double share = 0.25;  // of the section's time
};
std::vector<Experiment> paper_experiment_list(const Context& context);

/// The rate α / √t in step t, or α.
xgrad::optim::Curve rate_of(const Contender& one);
/// Logistic regression on bags of words with dropout.
Experiment sparse_experiment(const Context& context);

/// Whether two budgets differ by a factor of ten at most.
bool comparable(double passes, double paper_passes);
/// What agreement() says, where the budgets are comparable; else what is left of it: "not comparable; on our budget
/// lower by 12 %, as in the paper".
std::string on_budget(const std::string& agreement, bool is_comparable);

}  // namespace lab
