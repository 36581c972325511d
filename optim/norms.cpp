#include <xgrad/core/parallel.h>
#include <xgrad/optim/norms.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace xgrad::optim {
namespace {

// Independent sums, which compilers turn into SIMD code: they may not reorder one.
double sum_of_block(std::span<const Scalar> x) {
  std::array<double, 16> partial = {};
  for (std::size_t i = 0; i < x.size(); i += partial.size()) {
    const std::size_t lanes = std::min(partial.size(), x.size() - i);
    for (std::size_t lane = 0; lane < lanes; ++lane) partial[lane] += double(x[i + lane]) * double(x[i + lane]);
  }
  return std::accumulate(partial.begin(), partial.end(), 0.0);
}

}  // namespace

double sum_of_squares(std::span<const Scalar> x) {
  constexpr std::size_t block = std::size_t{1} << 15;
  if (x.size() <= block) return sum_of_block(x);
  std::vector<double> sums((x.size() + block - 1) / block);
  parallel_for(sums.size(), 1, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i)
      sums[i] = sum_of_block(x.subspan(i * block, std::min(block, x.size() - i * block)));
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace xgrad::optim
