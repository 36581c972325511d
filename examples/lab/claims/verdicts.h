// From measurements to verdicts. All numbers come one for each seed, in the same order of seeds.
#pragma once

#include <array>
#include <vector>

#include "../compare.h"

namespace lab::judge {

using Values = std::vector<double>;

/// A verdict and those of its parts, in the order of the claim's words.
template <std::size_t parts>
struct Parts {
  std::array<Verdict, parts> part;
  Verdict all() const { return all_of({part.begin(), part.end()}); }
};

/// 1. `shrunk`: length of late steps over that of early ones, on digits and for gradients of noise alone, from which
/// nothing can be learned. Steps must shrink by more than noise makes them, and Adam's loss be below SGD's.
Parts<2> adapted_rates(const Values& shrunk, const Values& shrunk_by_noise, const Values& adam, const Values& sgd);
/// 2. Steps that Adam needs, and shares of starts that leave the minimum next to them, with β₁ = 0.9 and with 0.
Parts<2> momentum(const Values& steps, const Values& steps_without, const Values& share, const Values& share_without);
/// 3. SGD's end over Adam's, scales along the axes and turned: ten times lower, both.
Parts<2> different_scales(const Values& along, const Values& turned);
/// 4. Widths of the usable range, in decades: less than one.
Verdict very_sensitive(const Values& decades);
/// 19. Two decades: a rate may be wrong by a factor of ten either way.
Verdict insensitive(const Values& decades);
/// 7. All larger for AdaMax: the jump at the spike, the steps until it has recovered, the loss with spikes over
/// without.
Parts<3> outliers(const std::array<Values, 3>& adamax, const std::array<Values, 3>& adam);
/// 8. Paired ratios of times, one for each turn: AdaMax's median time is at most 0.9 of Adam's, at a level of 95 %.
Verdict faster(Values ratios);
/// The least and the largest value that the median of what was drawn from may have, at a level of 95 % (the sign test).
std::pair<double, double> median_interval(Values values);
/// 10. It has no eps by the paper's formula, and eps changes Adam's loss by a twentieth at least.
Parts<2> fewer_to_tune(bool eps_has_no_effect, const Values& effect_of_eps);
/// 11. How far a rare, and a frequent gradient moves its parameter; effective rates in a wide and a narrow network.
Parts<2> frequency(const Values& rare, const Values& frequent, const Values& wide, const Values& narrow);
/// 12. The longest of the first ten steps without correction, over that with it: 1.5 at least.
Verdict bias_correction(const Values& jump);
/// 13. Runs that the condition ended, of all runs: with all samples, and with batches.
Parts<2> convergence(std::size_t whole, std::size_t noisy, std::size_t runs);
/// 14. v̂ over the variance of the gradient: the same within a twentieth.
Verdict variance(const Values& ratio);
/// 16. On a bowl the least value is reached; so it is from each start on a function with many minima; Reddi's example
/// ends at the best point, -1, to a tenth.
Parts<3> optimum(const Values& bowl, const Values& share, const Values& reddi_end);
/// 23. Shares of right answers: Adam's and AdaMax's above both others'.
Parts<4> accuracy(const Values& adam, const Values& adamax, const Values& sgd, const Values& momentum);

}  // namespace lab::judge
