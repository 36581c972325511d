#include "widths.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "../compare.h"
#include "words/rates.h"

namespace lab::rates {

namespace say = words::rates_section;

namespace {

std::vector<std::size_t> not_apart(const std::vector<std::vector<double>>& widths, std::size_t from) {
  std::vector<std::size_t> result = {from};
  for (std::size_t i = 0; i < widths.size(); ++i)
    if (i != from && compare(widths[i], widths[from]) == Order::undecided) result.push_back(i);
  return result;
}

bool narrower(const std::vector<double>& a, const std::vector<double>& b) { return median(a) < median(b); }

}  // namespace

std::vector<std::size_t> widest(const std::vector<std::vector<double>>& widths) {
  const auto found = std::max_element(widths.begin(), widths.end(), narrower);
  return not_apart(widths, static_cast<std::size_t>(found - widths.begin()));
}

std::vector<std::size_t> narrowest(const std::vector<std::vector<double>>& widths) {
  const auto found = std::min_element(widths.begin(), widths.end(), narrower);
  return not_apart(widths, static_cast<std::size_t>(found - widths.begin()));
}

std::string span(const std::vector<double>& losses) {
  std::vector<double> known;
  std::copy_if(losses.begin(), losses.end(), std::back_inserter(known), [](double v) { return std::isfinite(v); });
  if (known.empty()) return say::nowhere_finite{};
  const auto [least, most] = std::minmax_element(known.begin(), known.end());
  const auto shown = [](double loss) { return loss > 100 ? std::string(say::many_times{}) : number_text(loss, 2); };
  const std::size_t diverged = losses.size() - known.size();
  if (diverged == 0 && shown(*least) == shown(*most)) return shown(*least);
  if (diverged == 0) return say::span{.least = shown(*least), .most = shown(*most)};
  return say::span_diverged{.diverged = diverged, .least = shown(*least), .most = shown(*most)};
}

}  // namespace lab::rates
