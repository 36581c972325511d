#include "agreement.h"

#include <xgrad/core/errors.h>

#include <algorithm>
#include <cmath>

#include "../document.h"

namespace lab {

using xgrad::message;

std::string agreement(const std::vector<double>& first, const std::vector<double>& second, bool ahead) {
  for (const std::vector<double>* costs : {&first, &second})
    if (std::any_of(costs->begin(), costs->end(), [](double cost) { return std::isnan(cost); }))
      return "undecided: a training diverged";
  const double a = median(first), b = median(second), difference = std::abs(a - b) / std::max(a, b);
  const std::string percent = number_text(100 * difference, 2) + " %";
  if (!ahead && difference <= alike) return message("agrees: ", percent, " apart");
  const auto [a_least, a_most] = std::minmax_element(first.begin(), first.end());
  const auto [b_least, b_most] = std::minmax_element(second.begin(), second.end());
  const std::string by = message(a < b ? "lower" : "higher", " by ", percent);
  if (*a_most >= *b_least && *b_most >= *a_least) return message("undecided: ", by, ", and the seeds overlap");
  return message(ahead && a < b ? "agrees: " : "disagrees: ", by);
}

}  // namespace lab
