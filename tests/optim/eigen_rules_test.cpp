// Shampoo and SOAP against plain programs in double, straight from the papers.
#include <doctest/doctest.h>
#include <error.h>
#include <optim/helpers.h>
#include <optim/matrix_reference.h>
#include <xgrad/optim/shampoo.h>
#include <xgrad/optim/soap.h>

#include <functional>
#include <numeric>

using namespace xgrad;
using namespace xgrad::optim;

namespace {

struct PlainShampoo {
  PlainShampoo(const Matrix& theta, const ShampooOptions& options)
      : o(options),
        l(theta.rows, theta.rows),
        r(theta.columns, theta.columns),
        m(theta.rows, theta.columns),
        sum(theta.rows, theta.columns) {}
  Matrix root(const Matrix& moment, double t) const {
    const double correction = o.beta2 == 1 ? 1 : 1 - std::pow(o.beta2, t);
    auto [values, v] = eigen(1 / correction * moment + o.eps * identity(moment.rows));
    for (std::size_t i = 0; i < v.rows; ++i) values(i, i) = std::pow(values(i, i), -0.25);
    return v * values * transposed(v);
  }
  void step(Matrix& theta, const Matrix& g, int t) {
    const double added = o.beta2 == 1 ? 1 : 1 - o.beta2;
    l = o.beta2 * l + added * (g * transposed(g)), r = o.beta2 * r + added * (transposed(g) * g);
    if (t <= o.frequency || (t - 1) % o.frequency == 0) left = root(l, t), right = root(r, t);
    m = o.momentum * m + (1 - o.momentum) * g;
    Matrix step = left * m * right, other = m;
    for (std::size_t i = 0; i < g.x.size(); ++i) {
      sum.x[i] += g.x[i] * g.x[i];
      if (o.graft == Graft::adagrad) other.x[i] /= std::sqrt(sum.x[i]) + 1e-10;
    }
    if (o.graft != Graft::none) step = root_of_squares(other) / root_of_squares(step) * step;
    theta = theta + -o.lr * step;
  }
  ShampooOptions o;
  Matrix l, r, m, sum, left, right;
};

// By Gram and Schmidt, twice.
Matrix orthonormal(Matrix a) {
  for (std::size_t j = 0; j < a.columns; ++j) {
    for (std::size_t k = 0; k < 2 * j; ++k) {
      double along = 0;
      for (std::size_t i = 0; i < a.rows; ++i) along += a(i, k % j) * a(i, j);
      for (std::size_t i = 0; i < a.rows; ++i) a(i, j) -= along * a(i, k % j);
    }
    double length = 0;
    for (std::size_t i = 0; i < a.rows; ++i) length += a(i, j) * a(i, j);
    for (std::size_t i = 0; i < a.rows; ++i) a(i, j) /= std::sqrt(length);
  }
  return a;
}

Matrix in_order(const Matrix& a, const std::vector<std::size_t>& order) {
  Matrix result = a;
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < a.columns; ++j) result(i, j) = a(i, order[j]);
  return result;
}

struct PlainSoap {
  PlainSoap(const Matrix& theta, const SoapOptions& options)
      : o(options),
        l(theta.rows, theta.rows),
        r(theta.columns, theta.columns),
        m(theta.rows, theta.columns),
        v(theta.rows, theta.columns) {}
  void step(Matrix& theta, const Matrix& g, int t) {
    const double s = t - 1;
    if (t > 1) {
      m = o.beta1 * m + (1 - o.beta1) * g;
      const Matrix turned = transposed(left) * g * right;
      Matrix step = transposed(left) * m * right;
      for (std::size_t i = 0; i < v.x.size(); ++i) {
        v.x[i] = o.beta2 * v.x[i] + (1 - o.beta2) * turned.x[i] * turned.x[i];
        step.x[i] /= std::sqrt(v.x[i]) + o.eps;
      }
      const double rate = o.lr * std::sqrt(1 - std::pow(o.beta2, s)) / (1 - std::pow(o.beta1, s));
      theta = theta + -rate * (left * step * transposed(right));
    }
    l = o.shampoo_beta * l + (1 - o.shampoo_beta) * (g * transposed(g));
    r = o.shampoo_beta * r + (1 - o.shampoo_beta) * (transposed(g) * g);
    if (t > 1 && (t - 1) % o.precondition_frequency == 0) {
      v = transposed(in_order(transposed(in_order(v, turn(right, r))), turn(left, l)));
    }
  }
  static std::vector<std::size_t> turn(Matrix& q, const Matrix& p) {
    const Matrix along = transposed(q) * p * q;
    std::vector<std::size_t> order(q.columns);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return along(a, a) > along(b, b); });
    q = orthonormal(p * in_order(q, order));
    return order;
  }
  SoapOptions o;
  Matrix l, r, m, v, left, right;
};

// A moment of one gradient leaves open which eigenvectors of 0 there are, and Adam's steps depend on that: they are
// taken over, once it is seen that they are eigenvectors.
Matrix checked_basis(const Matrix& moment, const Tensor& found) {
  const Matrix q(found), one = transposed(q) * q, values = transposed(q) * moment * q;
  const double tolerance = in_double ? 1e-13 : 1e-5;
  for (std::size_t i = 0; i < q.rows; ++i)
    for (std::size_t j = 0; j < q.rows; ++j) {
      CHECK(std::abs(one(i, j) - (i == j)) < tolerance);
      if (i != j) CHECK(std::abs(values(i, j)) < tolerance);
      if (i < j) CHECK(values(i, i) > values(j, j) - tolerance);
    }
  return q;
}

const Shape shapes[] = {{5, 3}, {3, 5}, {4, 2, 3}, {4, 4}, {1, 4}, {6, 1}};

}  // namespace

TEST_CASE("Shampoo makes the steps of a plain program") {
  const ShampooOptions options[] = {
      {.eps = 1e-2, .frequency = 1},
      {.lr = 0.3, .momentum = 0.9, .eps = 1e-2, .frequency = 3, .graft = Graft::sgd, .weight_decay = 0.1},
      {.beta2 = 0.9, .eps = 0.1, .frequency = 2, .graft = Graft::adagrad, .maximize = true},
      {.momentum = 0.5, .beta2 = 0.7, .eps = 0.1, .frequency = 20, .weight_decay = 0.2}};
  for (const ShampooOptions& each : options)
    for (const Shape& shape : shapes)
      compare<Shampoo, PlainShampoo>(shape, each), compare<Shampoo, PlainShampoo>(shape, each, 0.2);
}

TEST_CASE("SOAP makes the steps of a plain program") {
  const SoapOptions options[] = {
      {},
      {.lr = 0.02, .beta1 = 0.8, .beta2 = 0.9, .precondition_frequency = 5, .weight_decay = 0.3, .maximize = true},
      {.shampoo_beta = 0.7, .eps = 1e-3, .precondition_frequency = 1, .weight_decay = 0}};
  const auto take_basis = [](PlainSoap& plain, const Soap& soap, int t) {
    if (t == 1)
      plain.left = checked_basis(plain.l, soap.state("x", "left_basis")),
      plain.right = checked_basis(plain.r, soap.state("x", "right_basis"));
  };
  for (const SoapOptions& each : options)
    for (const Shape& shape : shapes)
      for (const double decoupled : {0.0, 0.2}) {
        // Two gradients of one row, or of one column, leave a basis open once more.
        if (each.precondition_frequency == 1 && (shape[0] == 1 || shape[1] == 1)) continue;
        compare<Soap, PlainSoap>(shape, each, decoupled, in_double ? 1e-10 : 1e-2, take_basis);
      }
}

TEST_CASE("in float, Shampoo's roots hold out against directions that no gradient has had") {
  const Variable x = leaf(zeros({40, 40}));
  Shampoo shampoo({{"x", x}}, {.lr = 1, .eps = 1e-12, .frequency = 1});
  Generator generator(4);
  const Tensor a = generator.normal({40, 1}), b = generator.normal({1, 40});
  for (int t = 0; t < 20; ++t) {
    set_gradient(x, Tensor(1000 * a * b));
    shampoo.step();
  }
  CHECK(root_of_squares(Matrix(x.value())) < 20);  // 1 + 1 / sqrt(2) + … = 7.6
}

TEST_CASE("Shampoo and SOAP: any number of threads, a state loaded half way, NaN, zeros and nothing") {
  for (const ShampooOptions& options :
       {ShampooOptions{.frequency = 3},
        ShampooOptions{.momentum = 0.9, .beta2 = 0.9, .frequency = 2, .graft = Graft::adagrad, .weight_decay = 0.1},
        ShampooOptions{.frequency = 1, .graft = Graft::sgd}}) {
    check_threads<Shampoo>(options), check_resumes<Shampoo>(options), check_extremes<Shampoo>(options);
  }
  for (const std::int64_t frequency : {1, 3}) {
    const SoapOptions options{.precondition_frequency = frequency};
    check_threads<Soap>(options), check_resumes<Soap>(options), check_extremes<Soap>(options);
  }
}

TEST_CASE("Shampoo and SOAP refuse what is out of range") {
  const ParameterList matrix = {{"x", leaf(ones({2, 2}))}}, vector = {{"b", leaf(ones({3}))}};
  const auto shampoo = [&](ShampooOptions options) { return [=] { Shampoo(matrix, options); }; };
  const auto soap = [&](SoapOptions options) { return [=] { Soap(matrix, options); }; };
  const struct {
    std::function<void()> make;
    std::string message;
  } refusals[] = {
      {shampoo({.momentum = 1}), "[Shampoo] momentum must be in [0, 1), got 1"},
      {shampoo({.beta2 = 1.5}), "[Shampoo] beta2 must be in [0, 1], got 1.5"},
      {shampoo({.eps = 0}), "[Shampoo] eps must be above 0 and finite, got 0"},
      {shampoo({.frequency = 0}), "[Shampoo] frequency must be at least 1, got 0"},
      {[&] { Shampoo{vector}; }, "[Shampoo] 'b' (3,): expected at least 2 dimensions"},
      {soap({.beta1 = 1}), "[SOAP] beta1 must be in [0, 1), got 1"},
      {soap({.beta2 = -1}), "[SOAP] beta2 must be in [0, 1), got -1"},
      {soap({.shampoo_beta = 1}), "[SOAP] shampoo_beta must be in [0, 1), got 1"},
      {soap({.eps = -1}), "[SOAP] eps must be at least 0 and finite, got -1"},
      {soap({.precondition_frequency = 0}), "[SOAP] precondition_frequency must be at least 1, got 0"},
      {[&] { Soap{vector}; }, "[SOAP] 'b' (3,): expected at least 2 dimensions"},
  };
  for (const auto& [make, message] : refusals) check_error<ValueError>(make, {message});
}
