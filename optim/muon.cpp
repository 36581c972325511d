#include <xgrad/core/parallel.h>
#include <xgrad/optim/matrices.h>
#include <xgrad/optim/muon.h>
#include <xgrad/optim/ranges.h>

namespace xgrad::optim {
namespace {

void multiply(Tensor& x, double factor) {
  for_elements(x.size(), [to = x.data(), by = Scalar(factor)](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) to[i] *= by;
  });
}

// X = (a I + b A + c A^2) X for A = X X^T; of a tall X from the right, for the smaller A = X^T X.
void newton_schulz(Tensor& x, std::int64_t steps) {
  const std::size_t rows = x.shape()[0], columns = x.shape()[1], n = std::min(rows, columns);
  const bool tall = rows > columns;
  Tensor a = uninitialized({n, n}), polynomial = uninitialized({n, n}), next = uninitialized({rows, columns});
  for (std::int64_t step = 0; step < steps; ++step) {
    gemm(x, x, a, {.transpose_a = tall, .transpose_b = !tall});
    gemm(a, a, polynomial);
    for_elements(n * n, [from = a.data(), to = polynomial.data()](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) to[i] = Scalar(-4.7750) * from[i] + Scalar(2.0315) * to[i];
    });
    for (std::size_t i = 0; i < n; ++i) polynomial(i, i) += Scalar(3.4445);
    tall ? gemm(x, polynomial, next) : gemm(polynomial, x, next);
    std::swap(x, next);
  }
}

}  // namespace

void MuonRule::check() const {
  check_below_one(name(), "momentum", options.momentum);
  check_count(name(), "newton_schulz_steps", options.newton_schulz_steps);
  check_positive(name(), "eps", options.eps);
}

void MuonRule::update(const Elements& elements) const {
  Tensor x = gradient_matrix(elements);
  const auto kept = Scalar(options.momentum), rest = Scalar(1 - options.momentum);
  for_elements(x.size(), [=, nesterov = options.nesterov, m = elements.state[0], u = x.data()](std::size_t begin,
                                                                                               std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      m[i] = kept * m[i] + rest * u[i];
      u[i] = nesterov ? kept * m[i] + rest * u[i] : m[i];
    }
  });
  multiply(x, 1 / (std::sqrt(sum_of_squares({x.data(), x.size()})) + options.eps));
  newton_schulz(x, options.newton_schulz_steps);
  const auto rows = static_cast<double>(x.shape()[0]), columns = static_cast<double>(x.shape()[1]);
  const double scale = options.scale == MuonScale::original ? std::sqrt(std::max(1.0, rows / columns))
                                                            : 0.2 * std::sqrt(std::max(rows, columns));
  descend(elements, x, options.lr * scale);
}

}  // namespace xgrad::optim
