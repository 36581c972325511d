#include "verdicts.h"

#include "../compare.h"

namespace lab::judge {

namespace {

std::vector<double> ratios(const std::vector<double>& of, const std::vector<double>& to) {
  std::vector<double> all;
  for (std::size_t i = 0; i < of.size(); ++i) all.push_back(of[i] / to.at(i));
  return all;
}

}  // namespace

Decided valley(const std::vector<double>& seeds, const std::vector<double>& orders, const std::vector<double>& common) {
  const Verdict a_tenth = at_least(ratios(orders, seeds), 0.1);
  if (a_tenth == Verdict::no) return Decided::by_the_start;
  if (a_tenth == Verdict::undecided) return Decided::undecided;
  const Verdict half = at_least(ratios(common, orders), 0.5);
  return half == Verdict::no    ? Decided::in_the_common_steps
         : half == Verdict::yes ? Decided::later
                                : Decided::undecided;
}

Edge edge(double eigenvalue, double threshold, double largest_gradient_over_first) {
  const double share = eigenvalue / threshold;
  if (share > 0.75 && share < 1.33) return Edge::at;
  if (!(share <= 0.75)) return Edge::above;  // or not a number
  return largest_gradient_over_first > 1.5 ? Edge::below_after_growth : Edge::below;
}

}  // namespace lab::judge
