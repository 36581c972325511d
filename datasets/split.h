// Which samples are for what: parts of a dataset, and how often each is drawn.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace xgrad::datasets {

/// The numbers of samples, in random order, cut into parts with these shares of them, each within one sample. With
/// `classes` (count,), such as labels(), each class is shared out by itself, so that every part has its share of it.
/// ValueError unless shares are above 0 and add up to 1, and for a part without samples.
std::vector<std::vector<std::int64_t>> random_parts(std::size_t count, const std::vector<double>& shares,
                                                    std::uint64_t seed, std::span<const std::int64_t> classes = {});

/// The same as datasets: random_split(data, {0.8, 0.2}, seed)[1] is a fifth of the samples.
template <class Data>
std::vector<Data> random_split(const Data& data, const std::vector<double>& shares, std::uint64_t seed,
                               std::span<const std::int64_t> classes = {}) {
  std::vector<Data> parts;
  for (const std::vector<std::int64_t>& part : random_parts(data.size(), shares, seed, classes))
    parts.push_back(data.select(part));
  return parts;
}

/// A weight for each sample with which LoaderOptions::weights draws all classes equally often: 1 / (the number of
/// samples of its class).
std::vector<double> balanced_weights(std::span<const std::int64_t> classes);

/// ValueError for an index outside [0, count), and for none.
void check_selection(std::span<const std::int64_t> indices, std::size_t count);

}  // namespace xgrad::datasets
