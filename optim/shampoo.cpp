#include <xgrad/autograd/factors.h>
#include <xgrad/core/parallel.h>
#include <xgrad/optim/matrices.h>
#include <xgrad/optim/ranges.h>
#include <xgrad/optim/shampoo.h>

#include <limits>

namespace xgrad::optim {
namespace {

constexpr std::size_t left = 0, right = 1, left_root = 2, momentum_buffer = 4, adagrad_sum = 5;

constexpr auto machine_epsilon = static_cast<double>(std::numeric_limits<Scalar>::epsilon());

double frobenius(const Tensor& x) { return std::sqrt(sum_of_squares({x.data(), x.size()})); }

// V (values / correction + eps)^(-1/4) V^T, of eigenvalues, ascending, and below them the eigenvectors.
Tensor inverse_fourth_root(const Tensor& eigen, double correction, double eps) {
  const std::size_t n = eigen.shape()[1];
  Tensor vectors = uninitialized({n, n}), scaled = uninitialized({n, n});
  std::copy_n(eigen.data() + n, n * n, vectors.data());
  const auto value = [&](std::size_t i) { return double(eigen(0, i)) / correction + eps; };
  const double least = static_cast<double>(n) * machine_epsilon * value(n - 1);
  std::vector<Scalar> powers;
  for (std::size_t i = 0; i < n; ++i) powers.push_back(Scalar(std::pow(std::max(value(i), least), -0.25)));
  for (std::size_t row = 0; row < n; ++row)
    for (std::size_t i = 0; i < n; ++i) scaled(row, i) = vectors(row, i) * powers[i];
  return product(scaled, vectors, {.transpose_b = true});
}

}  // namespace

void ShampooRule::check() const {
  check_below_one(name(), "momentum", options.momentum);
  check_up_to_one(name(), "beta2", options.beta2);
  check_positive(name(), "eps", options.eps);
  check_count(name(), "frequency", options.frequency);
}

Slots ShampooRule::slots() const {
  return {Slot("left", rows_by_rows),
          Slot("right", columns_by_columns),
          Slot("left_root", rows_by_rows),
          Slot("right_root", columns_by_columns),
          options.momentum > 0 ? "momentum_buffer" : "",
          options.graft == Graft::adagrad ? "sum" : ""};
}

void ShampooRule::take_roots(const Elements& elements) const {
  const double correction = options.beta2 == 1 ? 1 : 1 - std::pow(options.beta2, elements.t);
  const Tensor moments[] = {state_matrix(elements, left), state_matrix(elements, right)};
  Tensor eigen[2];
  // LAPACK works on one thread: both sides at once are two.
  parallel_for(2, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t side = begin; side < end; ++side)
      if (all_finite(moments[side])) eigen[side] = factors::eigh(name(), moments[side]);
  });
  for (const std::size_t side : {left, right})
    keep(elements, left_root + side,
         all_finite(moments[side]) ? inverse_fourth_root(eigen[side], correction, options.eps)
                                   : full(moments[side].shape(), std::numeric_limits<Scalar>::quiet_NaN()));
}

double ShampooRule::graft_norm(const Elements& elements, const Tensor& gradient, const Tensor& mean) const {
  if (options.graft == Graft::sgd) return frobenius(mean);
  Tensor step = mean;
  for_elements(step.size(), [&, sum = elements.state[adagrad_sum]](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const Scalar g = gradient.data()[i];
      sum[i] += g * g;
      step.data()[i] /= std::sqrt(sum[i]) + Scalar(1e-10);
    }
  });
  return frobenius(step);
}

void ShampooRule::update(const Elements& elements) const {
  const ShampooOptions& o = options;
  const Tensor gradient = gradient_matrix(elements);
  const double added = o.beta2 == 1 ? 1 : 1 - o.beta2;
  blend(elements, left, o.beta2, added, product(gradient, gradient, {.transpose_b = true}));
  blend(elements, right, o.beta2, added, product(gradient, gradient, {.transpose_a = true}));
  const auto frequency = static_cast<double>(o.frequency);
  if (elements.t <= frequency || std::fmod(elements.t - 1, frequency) == 0) take_roots(elements);

  Tensor mean = gradient;
  if (o.momentum > 0) {
    blend(elements, momentum_buffer, o.momentum, 1 - o.momentum, gradient);
    mean = state_matrix(elements, momentum_buffer);
  }
  const Tensor step =
      product(product(state_matrix(elements, left_root), mean), state_matrix(elements, left_root + right));
  double length = 1;
  if (o.graft != Graft::none) {
    const double own = frobenius(step);
    length = graft_norm(elements, gradient, mean);
    if (own != 0) length /= own;
  }
  descend(elements, step, o.lr * length);
}

}  // namespace xgrad::optim
