// Muon and Adafactor against plain programs in double, straight from the papers.
#include <doctest/doctest.h>
#include <error.h>
#include <optim/helpers.h>
#include <optim/matrix_reference.h>
#include <xgrad/optim/adafactor.h>
#include <xgrad/optim/muon.h>

#include <functional>

using namespace xgrad;
using namespace xgrad::optim;

namespace {

struct PlainMuon {
  PlainMuon(const Matrix& theta, const MuonOptions& options) : o(options), m(theta.rows, theta.columns) {}
  void step(Matrix& theta, const Matrix& g, double) {
    m = o.momentum * m + (1 - o.momentum) * g;
    Matrix x = o.nesterov ? o.momentum * m + (1 - o.momentum) * g : m;
    const bool tall = x.rows > x.columns;
    if (tall) x = transposed(x);
    x = 1 / (root_of_squares(x) + o.eps) * x;
    for (int k = 0; k < o.newton_schulz_steps; ++k) {
      const Matrix a = x * transposed(x);
      x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a * a)) * x;
    }
    if (tall) x = transposed(x);
    const double rows = double(x.rows), columns = double(x.columns);
    const double scale = o.scale == MuonScale::rms ? 0.2 * std::sqrt(std::max(rows, columns))
                         : rows > columns          ? std::sqrt(rows / columns)
                                                   : 1;
    theta = theta + -o.lr * scale * x;
  }
  MuonOptions o;
  Matrix m;
};

struct PlainAdafactor {
  PlainAdafactor(const Matrix& theta, const AdafactorOptions& options)
      : o(options), rows(theta.rows), columns(theta.columns), m(theta.rows, theta.columns) {}
  void step(Matrix& theta, const Matrix& g, double t) {
    const double kept = 1 - std::pow(t, -o.decay_rate), n = double(g.x.size());
    Matrix u = g;
    // The sums of the paper, of which the rule keeps means.
    for (double& r : rows) r *= kept;
    for (double& c : columns) c *= kept;
    double all = 0;
    for (std::size_t i = 0; i < g.rows; ++i)
      for (std::size_t j = 0; j < g.columns; ++j) {
        rows[i] += (1 - kept) * (g(i, j) * g(i, j) + o.eps1);
        columns[j] += (1 - kept) * (g(i, j) * g(i, j) + o.eps1);
      }
    for (const double r : rows) all += r;
    for (std::size_t i = 0; i < g.rows; ++i)
      for (std::size_t j = 0; j < g.columns; ++j) u(i, j) /= std::sqrt(vector ? rows[i] : rows[i] * columns[j] / all);
    u = 1 / std::max(1.0, root_of_squares(u) / std::sqrt(n) / o.clip) * u;
    if (o.beta1 > 0) u = m = o.beta1 * m + (1 - o.beta1) * u;
    const double relative = std::max(o.eps2, root_of_squares(theta) / std::sqrt(n)) * std::min(o.lr, 1 / std::sqrt(t));
    theta = theta + -(o.relative ? relative : o.lr) * u;
  }
  AdafactorOptions o;
  std::vector<double> rows, columns;
  Matrix m;
  bool vector = false;
};
struct PlainVectorAdafactor : PlainAdafactor {
  PlainVectorAdafactor(const Matrix& theta, const AdafactorOptions& options) : PlainAdafactor(theta, options) {
    vector = true;
  }
};

const Shape matrix_shapes[] = {{5, 3}, {3, 5}, {4, 2, 3}, {1, 4}, {6, 1}};

std::vector<double> singular_values(const Matrix& a) {
  const Matrix squares = eigen(a.rows < a.columns ? a * transposed(a) : transposed(a) * a).first;
  std::vector<double> result;
  for (std::size_t i = 0; i < squares.rows; ++i) result.push_back(std::sqrt(std::max(squares(i, i), 0.0)));
  return result;
}

}  // namespace

TEST_CASE("Muon makes the steps of a plain program") {
  const MuonOptions options[] = {{},
                                 {.lr = 0.1, .momentum = 0.8, .nesterov = false, .newton_schulz_steps = 3},
                                 {.lr = 0.1, .scale = MuonScale::rms, .weight_decay = 0.3, .maximize = true},
                                 {.momentum = 0, .newton_schulz_steps = 1, .eps = 0.5}};
  for (const MuonOptions& each : options)
    for (const Shape& shape : matrix_shapes)
      compare<Muon, PlainMuon>(shape, each), compare<Muon, PlainMuon>(shape, each, 0.2);
}

TEST_CASE("the singular values of Muon's step are near to 1") {
  for (const Shape& shape : {Shape{20, 30}, Shape{30, 20}, Shape{8, 8}, Shape{10, 2, 3}}) {
    Generator generator(2);
    const Variable x = leaf(zeros(shape));
    Muon muon({{"x", x}}, {.lr = 1});
    set_gradient(x, generator.normal(shape));
    muon.step();
    const Matrix step(x.value());
    const double scale = std::sqrt(std::max(1.0, double(step.rows) / double(step.columns)));
    for (const double value : singular_values(1 / scale * step)) {
      CHECK(value > 0.6);
      CHECK(value < 1.3);
    }
  }
}

TEST_CASE("Adafactor makes the steps of a plain program") {
  const AdafactorOptions options[] = {
      {},
      {.lr = 0.5, .decay_rate = 0.5, .clip = 0.3, .eps1 = 1e-3, .eps2 = 2, .beta1 = 0.9},
      {.lr = 0.02, .relative = false, .weight_decay = 0.3, .maximize = true},
      {.lr = 0.02, .beta1 = 0.5, .weight_decay = 0.3}};
  for (const AdafactorOptions& each : options) {
    for (const Shape& shape : matrix_shapes)
      compare<Adafactor, PlainAdafactor>(shape, each), compare<Adafactor, PlainAdafactor>(shape, each, 0.2);
    compare<Adafactor, PlainVectorAdafactor>({7}, each);
  }
}

TEST_CASE("what Adafactor keeps of a matrix is a row and a column") {
  const Variable x = leaf(ones({4, 2, 3})), y = leaf(ones({5}));
  Adafactor adafactor({{"x", x}, {"y", y}});
  for (const Variable& each : {x, y}) set_gradient(each, ones(each.shape()));
  adafactor.step();
  CHECK(adafactor.state("x", "row_mean_sq").shape() == Shape{4});
  CHECK(adafactor.state("x", "column_mean_sq").shape() == Shape{6});
  CHECK(adafactor.state("y", "row_mean_sq").shape() == Shape{5});
  CHECK(adafactor.state("y", "column_mean_sq") == zeros({1}));
  CHECK(adafactor.state_bytes() == 16 * sizeof(Scalar));
}

TEST_CASE("an element whose row and column never had a gradient stays where it is") {
  const Variable x = leaf(ones({3, 3}));
  Adafactor adafactor({{"x", x}}, {.relative = false});
  Tensor gradient = zeros({3, 3});
  gradient(1, 1) = gradient(1, 2) = gradient(2, 1) = Scalar(1e10);
  for (int t = 0; t < 3; ++t) {
    set_gradient(x, gradient);
    adafactor.step();
  }
  CHECK(x.value()(0, 0) == 1);
  CHECK(x.value()(1, 1) < 1);
  CHECK(all_finite(x.value()));
}

TEST_CASE("Muon and Adafactor: any number of threads, a state loaded half way, NaN, zeros and nothing") {
  for (const MuonOptions& options : {MuonOptions{}, MuonOptions{.scale = MuonScale::rms, .weight_decay = 0.1}}) {
    check_threads<Muon>(options), check_resumes<Muon>(options), check_extremes<Muon>(options);
  }
  for (const AdafactorOptions& options : {AdafactorOptions{}, AdafactorOptions{.relative = false, .beta1 = 0.9}}) {
    check_threads<Adafactor>(options), check_resumes<Adafactor>(options), check_extremes<Adafactor>(options);
  }
}

TEST_CASE("Muon and Adafactor refuse what is out of range") {
  const ParameterList matrix = {{"x", leaf(ones({2, 2}))}};
  const auto muon = [&](MuonOptions options) { return [=] { Muon(matrix, options); }; };
  const auto adafactor = [&](AdafactorOptions options) { return [=] { Adafactor(matrix, options); }; };
  const struct {
    std::function<void()> make;
    std::string message;
  } refusals[] = {
      {muon({.momentum = 1}), "[Muon] momentum must be in [0, 1), got 1"},
      {muon({.newton_schulz_steps = 0}), "[Muon] newton_schulz_steps must be at least 1, got 0"},
      {muon({.eps = 0}), "[Muon] eps must be above 0 and finite, got 0"},
      {muon({.weight_decay = -1}), "[Muon] weight_decay must be at least 0 and finite, got -1"},
      {[] {
         Muon({{"b", leaf(ones({3}))}});
       },
       "[Muon] 'b' (3,): expected at least 2 dimensions"},
      {adafactor({.decay_rate = 0}), "[Adafactor] decay_rate must be above 0 and finite, got 0"},
      {adafactor({.clip = 0}), "[Adafactor] clip must be above 0 and finite, got 0"},
      {adafactor({.eps1 = 0}), "[Adafactor] eps1 must be above 0 and finite, got 0"},
      {adafactor({.eps2 = 0}), "[Adafactor] eps2 must be above 0 and finite, got 0"},
      {adafactor({.beta1 = 1}), "[Adafactor] beta1 must be in [0, 1), got 1"},
  };
  for (const auto& [make, message] : refusals) check_error<ValueError>(make, {message});
}
