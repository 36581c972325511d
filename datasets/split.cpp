#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/datasets/split.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace xgrad::datasets {

std::vector<std::vector<std::int64_t>> random_parts(std::size_t count, const std::vector<double>& shares,
                                                    std::uint64_t seed, std::span<const std::int64_t> classes) {
  const bool positive = std::all_of(shares.begin(), shares.end(), [](double share) { return share > 0; });
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (!positive || !(std::abs(sum - 1) < 1e-9))
    throw ValueError(message("[random_split] expected shares above 0 that add up to 1, got ",
                             positive ? message("a sum of ", sum) : std::string("one that is not")));
  if (!classes.empty() && classes.size() != count)
    throw ValueError(message("[random_split] expected a class for each of ", count, " samples, got ", classes.size()));
  const IndexTensor order = Generator(seed).permutation(count);
  std::map<std::int64_t, std::vector<std::int64_t>> by_class;
  for (const std::int64_t sample : order)
    by_class[classes.empty() ? 0 : classes[static_cast<std::size_t>(sample)]].push_back(sample);

  // What is owed to a part goes on from class to class, so that parts are of the right size on the whole too.
  std::vector<std::size_t> part_of(count);
  std::vector<double> owed(shares.size());
  for (const auto& [one_class, samples] : by_class) {
    for (std::size_t part = 0; part < shares.size(); ++part)
      owed[part] += shares[part] * static_cast<double>(samples.size());
    for (const std::int64_t sample : samples) {
      const auto most = std::max_element(owed.begin(), owed.end());
      *most -= 1;
      part_of[static_cast<std::size_t>(sample)] = static_cast<std::size_t>(most - owed.begin());
    }
  }
  std::vector<std::vector<std::int64_t>> parts(shares.size());
  for (const std::int64_t sample : order) parts[part_of[static_cast<std::size_t>(sample)]].push_back(sample);
  for (const auto& part : parts)
    if (part.empty())
      throw ValueError(message("[random_split] of ", count, " samples, a share of ",
                               shares[static_cast<std::size_t>(&part - parts.data())], " is none"));
  return parts;
}

std::vector<double> balanced_weights(std::span<const std::int64_t> classes) {
  std::map<std::int64_t, double> counts;
  for (const std::int64_t one : classes) ++counts[one];
  std::vector<double> weights;
  weights.reserve(classes.size());
  for (const std::int64_t one : classes) weights.push_back(1 / counts[one]);
  return weights;
}

void check_selection(std::span<const std::int64_t> indices, std::size_t count) {
  if (indices.empty()) throw ValueError("[select] expected one index or more, got none");
  for (const std::int64_t index : indices)
    if (index < 0 || static_cast<std::size_t>(index) >= count)
      throw ValueError(message("[select] sample ", index, " is not one of ", count));
}

}  // namespace xgrad::datasets
