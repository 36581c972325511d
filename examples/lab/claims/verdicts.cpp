#include "verdicts.h"

#include <algorithm>
#include <cmath>

namespace lab::judge {

namespace {

Verdict higher(const Values& first, const Values& second) { return lower(second, first); }

Verdict opposite(Verdict verdict) {
  return verdict == Verdict::yes ? Verdict::no : verdict == Verdict::no ? Verdict::yes : verdict;
}

Verdict of_count(std::size_t count, std::size_t all) {
  return count == all ? Verdict::yes : count == 0 ? Verdict::no : Verdict::undecided;
}

}  // namespace

Parts<2> adapted_rates(const Values& shrunk, const Values& shrunk_by_noise, const Values& adam, const Values& sgd) {
  return {{lower(shrunk, shrunk_by_noise), lower(adam, sgd)}};
}

Parts<2> momentum(const Values& steps, const Values& steps_without, const Values& share, const Values& share_without) {
  return {{lower(steps, steps_without), higher(share, share_without)}};
}

Parts<2> different_scales(const Values& along, const Values& turned) {
  return {{at_least(along, 10), at_least(turned, 10)}};
}

Verdict very_sensitive(const Values& decades) { return opposite(at_least(decades, 1)); }
Verdict insensitive(const Values& decades) { return at_least(decades, 2); }

Parts<3> outliers(const std::array<Values, 3>& adamax, const std::array<Values, 3>& adam) {
  return {{higher(adamax[0], adam[0]), higher(adamax[1], adam[1]), higher(adamax[2], adam[2])}};
}

std::pair<double, double> median_interval(Values values) {
  std::sort(values.begin(), values.end());
  const std::size_t count = values.size();
  // So many values may be cut off at each end: that fewer lie beyond the median has a probability of at most 2.5 %.
  double term = std::pow(0.5, static_cast<double>(count)), below = term;
  std::size_t cut = 0;
  while (below <= 0.025 && 2 * (cut + 1) < count) {
    ++cut;
    term *= static_cast<double>(count - cut + 1) / static_cast<double>(cut);
    below += term;
  }
  if (below > 0.025 && cut > 0) --cut;
  return {values[cut], values[count - 1 - cut]};
}

Verdict faster(Values ratios) {
  const auto [low, high] = median_interval(std::move(ratios));
  return high <= 0.9 ? Verdict::yes : low > 0.9 ? Verdict::no : Verdict::undecided;
}

Parts<2> fewer_to_tune(bool eps_has_no_effect, const Values& effect_of_eps) {
  return {{decided(eps_has_no_effect), at_least(effect_of_eps, 1.05)}};
}

Parts<2> frequency(const Values& rare, const Values& frequent, const Values& wide, const Values& narrow) {
  return {{lower(rare, frequent), lower(wide, narrow)}};
}

Verdict bias_correction(const Values& jump) { return at_least(jump, 1.5); }

Parts<2> convergence(std::size_t whole, std::size_t noisy, std::size_t runs) {
  return {{of_count(whole, runs), of_count(noisy, runs)}};
}

Verdict variance(const Values& ratio) {
  Values distance;
  for (const double one : ratio) distance.push_back(std::max(one, 1 / one));
  return opposite(at_least(distance, 1.05));
}

Parts<3> optimum(const Values& bowl, const Values& share, const Values& reddi_end) {
  return {{at_least(bowl, 1), at_least(share, 1), opposite(at_least(reddi_end, -0.9))}};
}

Parts<4> accuracy(const Values& adam, const Values& adamax, const Values& sgd, const Values& momentum) {
  return {{higher(adam, sgd), higher(adam, momentum), higher(adamax, sgd), higher(adamax, momentum)}};
}

}  // namespace lab::judge
