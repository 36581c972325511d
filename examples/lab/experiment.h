// What several experiments need: seeds, sweeps, and summaries of runs.
#pragma once

#include <string>
#include <vector>

#include "context.h"
#include "rules.h"
#include "training.h"

namespace lab {

/// Unrelated seeds, the same for every optimizer that is compared.
std::vector<std::uint64_t> seeds(const Context& context, std::size_t count = 5);
/// Others, to choose a rate with: a rate that was chosen on the runs that are judged would flatter them.
std::vector<std::uint64_t> tuning_seeds(const Context& context, std::size_t count = 3);

/// From low to high, both included, by equal factors. Powers of ten are exact to the last digit that matters.
std::vector<double> log_spaced(double low, double high, std::size_t count);

/// A network 784-widths-10 on the training digits; `seed` is that of its weights and of the order.
Trained train_digits(const Context& context, const Rule& rule, const Settings& settings, std::uint64_t seed,
                     TrainOptions options, const std::vector<std::size_t>& widths = {32});

/// The mean of the last tenth of the losses; NaN where training diverged.
double final_loss(const Trained& trained);
/// The mean of so many losses up to each.
std::vector<double> smoothed(const std::vector<double>& losses, std::size_t window);

/// The median over the runs, in a band from the least to the largest. A shorter run has no value after its end.
Line summary(std::string label, std::string_view color, std::vector<double> x,
             const std::vector<std::vector<double>>& runs);
/// Some 300 of the points, since more are not seen: an odd number of them apart, since every second loss may be high.
Line thinned(Line line);
/// 1, 2, …, count.
std::vector<double> counted(std::size_t count);

}  // namespace lab
