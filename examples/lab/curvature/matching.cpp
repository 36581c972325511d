#include "matching.h"

#include <limits>

namespace lab {

std::vector<std::size_t> assignment(const std::vector<Vector>& gain) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const std::size_t n = gain.size(), none = n;
  // Prices of rows and columns leave each cost = -gain at least 0, and 0 where a row has its column. Column n stands
  // for the row that is looking for one.
  Vector row_price(n, 0), column_price(n + 1, 0);
  std::vector<std::size_t> row_of(n + 1, none);
  for (std::size_t row = 0; row < n; ++row) {
    Vector distance(n, infinite);
    std::vector<std::size_t> before(n, none);
    std::vector<bool> reached(n + 1, false);
    std::size_t column = n;
    row_of[n] = row;
    while (row_of[column] != none) {
      reached[column] = true;
      const std::size_t from = row_of[column];
      double least = infinite;
      std::size_t nearest = none;
      for (std::size_t j = 0; j < n; ++j) {
        if (reached[j]) continue;
        const double cost = -gain[from][j] - row_price[from] - column_price[j];
        if (cost < distance[j]) distance[j] = cost, before[j] = column;
        if (distance[j] < least) least = distance[j], nearest = j;
      }
      for (std::size_t j = 0; j <= n; ++j) {
        if (reached[j])
          row_price[row_of[j]] += least, column_price[j] -= least;
        else if (j < n)
          distance[j] -= least;
      }
      column = nearest;
    }
    for (; column != n; column = before[column]) row_of[column] = row_of[before[column]];
  }
  std::vector<std::size_t> result(n);
  for (std::size_t j = 0; j < n; ++j) result[row_of[j]] = j;
  return result;
}

Vector matched(const Vector& network, const Vector& like, std::size_t inputs, std::size_t width) {
  // (width, inputs), (width,), (outputs, width), (outputs,)
  const std::size_t biases = width * inputs, output = biases + width;
  const std::size_t outputs = (network.size() - output) / (width + 1);
  const auto all_of = [=](const Vector& of, std::size_t unit) {  // that feeds a unit, and that it feeds
    Vector all(of.begin() + static_cast<std::ptrdiff_t>(unit * inputs),
               of.begin() + static_cast<std::ptrdiff_t>((unit + 1) * inputs));
    all.push_back(of[biases + unit]);
    for (std::size_t o = 0; o < outputs; ++o) all.push_back(of[output + o * width + unit]);
    return all;
  };
  std::vector<Vector> gain(width, Vector(width));
  for (std::size_t i = 0; i < width; ++i)
    for (std::size_t j = 0; j < width; ++j) gain[i][j] = dot(all_of(like, i), all_of(network, j));
  const std::vector<std::size_t> unit = assignment(gain);
  Vector result = network;
  for (std::size_t i = 0; i < width; ++i) {
    for (std::size_t k = 0; k < inputs; ++k) result[i * inputs + k] = network[unit[i] * inputs + k];
    result[biases + i] = network[biases + unit[i]];
    for (std::size_t o = 0; o < outputs; ++o) result[output + o * width + i] = network[output + o * width + unit[i]];
  }
  return result;
}

}  // namespace lab
