#include <xgrad/autograd/factors.h>
#include <xgrad/core/parallel.h>
#include <xgrad/optim/matrices.h>
#include <xgrad/optim/ranges.h>
#include <xgrad/optim/soap.h>

#include <limits>
#include <numeric>

namespace xgrad::optim {
namespace {

constexpr std::size_t exp_avg = 0, exp_avg_sq = 1, moment = 2, basis = 4;  // of rows, and after them of columns

Tensor undefined(const Shape& shape) { return full(shape, std::numeric_limits<Scalar>::quiet_NaN()); }

// LAPACK works on one thread: both sides at once are two.
template <class F>
void for_both_sides(F f) {
  parallel_for(2, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t side = begin; side < end; ++side) f(side);
  });
}

Tensor first_rows(const Tensor& x, std::size_t begin, std::size_t rows) {
  const std::size_t columns = x.shape()[1];
  Tensor result = uninitialized({rows, columns});
  std::copy_n(x.data() + begin * columns, rows * columns, result.data());
  return result;
}

Tensor columns_in_order(const Tensor& x, const std::vector<std::size_t>& order) {
  Tensor result = uninitialized(x.shape());
  const std::size_t n = order.size();
  for (std::size_t row = 0; row < x.shape()[0]; ++row)
    for (std::size_t i = 0; i < n; ++i) result(row, i) = x(row, order[i]);
  return result;
}

// The numbers of the vectors q, by q^T P q, the largest first; `image` is P q.
std::vector<std::size_t> descending(const Tensor& q, const Tensor& image) {
  const std::size_t n = q.shape()[0];
  std::vector<double> along(n);
  for (std::size_t row = 0; row < n; ++row)
    for (std::size_t i = 0; i < n; ++i) along[i] += double(q(row, i)) * double(image(row, i));
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return along[a] > along[b]; });
  return order;
}

}  // namespace

void SoapRule::check() const {
  check_below_one(name(), "beta1", options.beta1);
  check_below_one(name(), "beta2", options.beta2);
  check_below_one(name(), "shampoo_beta", options.shampoo_beta);
  check_not_negative(name(), "eps", options.eps);
  check_count(name(), "precondition_frequency", options.precondition_frequency);
}

Slots SoapRule::slots() const {
  return {"exp_avg",
          "exp_avg_sq",
          Slot("left", rows_by_rows),
          Slot("right", columns_by_columns),
          Slot("left_basis", rows_by_rows),
          Slot("right_basis", columns_by_columns)};
}

void SoapRule::adam(const Elements& elements, const Tensor& gradient) const {
  const Tensor q_left = state_matrix(elements, basis), q_right = state_matrix(elements, basis + 1);
  const auto turned = [&](const Tensor& x) { return product(product(q_left, x, {.transpose_a = true}), q_right); };
  blend(elements, exp_avg, options.beta1, 1 - options.beta1, gradient);
  const Tensor g = turned(gradient);
  Tensor step = turned(state_matrix(elements, exp_avg));
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar(1 - options.beta2), eps = Scalar(options.eps);
  for_elements(step.size(), [=, from = g.data(), v = elements.state[exp_avg_sq], to = step.data()](std::size_t begin,
                                                                                                   std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      v[i] = beta2 * v[i] + rest2 * from[i] * from[i];
      to[i] /= std::sqrt(v[i]) + eps;
    }
  });
  const double c1 = 1 - std::pow(options.beta1, elements.t - 1), c2 = 1 - std::pow(options.beta2, elements.t - 1);
  descend(elements, product(product(q_left, step), q_right, {.transpose_b = true}), options.lr * std::sqrt(c2) / c1);
}

void SoapRule::find_basis(const Elements& elements) const {
  for_both_sides([&](std::size_t side) {
    const Tensor p = state_matrix(elements, moment + side);
    const std::size_t n = p.shape()[0];
    Tensor q = undefined(p.shape());
    if (all_finite(p)) {
      std::vector<std::size_t> order(n);
      std::iota(order.rbegin(), order.rend(), std::size_t{0});
      q = columns_in_order(first_rows(factors::eigh(name(), p), 1, n), order);
    }
    keep(elements, basis + side, q);
  });
}

void SoapRule::turn_basis(const Elements& elements) const {
  Tensor image[2];
  std::vector<std::size_t> order[2];
  for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
    const Tensor q = state_matrix(elements, basis + side);
    image[side] = product(state_matrix(elements, moment + side), q);
    if (!all_finite(image[side])) return keep(elements, basis + side, undefined(q.shape()));
    order[side] = descending(q, image[side]);
  }
  for_both_sides([&](std::size_t side) {
    const Tensor q_and_r = factors::qr(name(), columns_in_order(image[side], order[side]));
    keep(elements, basis + side, first_rows(q_and_r, 0, order[side].size()));
  });
  const Tensor v = columns_in_order(state_matrix(elements, exp_avg_sq), order[1]);
  Tensor in_order = uninitialized(v.shape());
  for (std::size_t row = 0; row < order[0].size(); ++row)
    std::copy_n(v.data() + order[0][row] * elements.width, elements.width, in_order.data() + row * elements.width);
  keep(elements, exp_avg_sq, in_order);
}

void SoapRule::update(const Elements& elements) const {
  const double steps = elements.t - 1;
  const Tensor gradient = gradient_matrix(elements);
  steps == 0 ? descend(elements, gradient, 0) : adam(elements, gradient);
  const double kept = options.shampoo_beta;
  blend(elements, moment, kept, 1 - kept, product(gradient, gradient, {.transpose_b = true}));
  blend(elements, moment + 1, kept, 1 - kept, product(gradient, gradient, {.transpose_a = true}));
  if (steps == 0)
    find_basis(elements);
  else if (std::fmod(steps, static_cast<double>(options.precondition_frequency)) == 0)
    turn_basis(elements);
}

}  // namespace xgrad::optim
