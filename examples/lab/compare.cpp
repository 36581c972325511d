#include "compare.h"

#include <xgrad/core/errors.h>

#include <algorithm>
#include <cmath>

namespace lab {

using xgrad::message;

namespace {

bool finite(const std::vector<double>& values) {
  return !values.empty() && std::all_of(values.begin(), values.end(), [](double value) { return !std::isnan(value); });
}

}  // namespace

Order compare(const std::vector<double>& first, const std::vector<double>& second) {
  if (!finite(first) || !finite(second)) return Order::undecided;
  const auto [first_least, first_most] = std::minmax_element(first.begin(), first.end());
  const auto [second_least, second_most] = std::minmax_element(second.begin(), second.end());
  if (*first_most < *second_least) return Order::lower;
  if (*second_most < *first_least) return Order::higher;
  return Order::undecided;
}

Verdict all_of(const std::vector<Verdict>& parts) {
  const auto any = [&](Verdict one) { return std::find(parts.begin(), parts.end(), one) != parts.end(); };
  if (any(Verdict::partly) || (any(Verdict::yes) && any(Verdict::no))) return Verdict::partly;
  if (any(Verdict::undecided)) return Verdict::undecided;
  return any(Verdict::no) ? Verdict::no : Verdict::yes;
}

namespace {

Verdict is_lower(Order order) {
  return order == Order::lower ? Verdict::yes : order == Order::higher ? Verdict::no : Verdict::undecided;
}

}  // namespace

Verdict lower(const std::vector<double>& first, const std::vector<double>& second) {
  return is_lower(compare(first, second));
}

Verdict at_least(const std::vector<double>& values, double least) {
  if (!finite(values)) return Verdict::undecided;
  const auto reached = std::count_if(values.begin(), values.end(), [least](double value) { return value >= least; });
  return reached == std::ssize(values) ? Verdict::yes : reached == 0 ? Verdict::no : Verdict::undecided;
}

std::string either(Verdict verdict, std::string yes, std::string no, std::string undecided) {
  return verdict == Verdict::yes ? yes : verdict == Verdict::no ? no : undecided;
}

std::string either(Order order, std::string lower, std::string higher, std::string undecided) {
  return either(is_lower(order), std::move(lower), std::move(higher), std::move(undecided));
}

Verdict decided(bool holds) { return holds ? Verdict::yes : Verdict::no; }

std::string agreement(const std::vector<double>& first, const std::vector<double>& second, bool ahead) {
  if (!finite(first) || !finite(second)) return "undecided: a training diverged";
  const double a = median(first), b = median(second), difference = std::abs(a - b) / std::max(a, b);
  const std::string percent = number_text(100 * difference, 2) + " %";
  if (!ahead && difference <= alike) return message("agrees: ", percent, " apart");
  const std::string by = message(a < b ? "lower" : "higher", " by ", percent);
  if (compare(first, second) == Order::undecided) return message("undecided: ", by, ", and the seeds overlap");
  return message(ahead && a < b ? "agrees: " : "disagrees: ", by);
}

}  // namespace lab
