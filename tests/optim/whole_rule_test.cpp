// A rule that needs each parameter whole: LAMB, You et al. 2020, Algorithm 2, whose steps depend on two norms.
#include <doctest/doctest.h>
#include <optim/helpers.h>
#include <xgrad/core/parallel.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/explain.h>

#include <cmath>
#include <vector>

using namespace xgrad;
using namespace xgrad::optim;

namespace {

struct WholeLambOptions {
  double lr = 1e-2, beta1 = 0.9, beta2 = 0.999, eps = 1e-6, decay = 0.01;
  SparseRows sparse = SparseRows::lazy;
};

double norm(const Scalar* x, std::size_t size) {
  double squares = 0;
  for (std::size_t i = 0; i < size; ++i) squares += double(x[i]) * double(x[i]);
  return std::sqrt(squares);
}

struct WholeLambRule : RuleOf<WholeLambOptions> {
  using RuleOf::RuleOf;
  std::string_view name() const override { return "LAMB"; }
  Slots slots() const override { return {"exp_avg", "exp_avg_sq", "direction"}; }
  bool whole() const override { return true; }
  void update(const Elements& elements) const override {
    const WholeLambOptions& o = options;
    const auto beta1 = Scalar(o.beta1), rest1 = Scalar(1 - o.beta1), beta2 = Scalar(o.beta2),
               rest2 = Scalar(1 - o.beta2);
    const auto c1 = Scalar(1 - std::pow(o.beta1, elements.t)), c2 = Scalar(1 - std::pow(o.beta2, elements.t));
    const auto eps = Scalar(o.eps), decay = Scalar(o.decay);
    elements.for_each<3>([=](Register& theta, Register g, Register& m, Register& v, Register& r) {
      m = beta1 * m + rest1 * g;
      v = beta2 * v + rest2 * g * g;
      r = m / c1 / (sqrt(v / c2) + eps) + decay * theta;
    });
    const auto rate = Scalar(o.lr * norm(elements.theta, elements.size) / norm(elements.state[2], elements.size));
    elements.for_each<3>([=](Register& theta, Register, Register&, Register&, Register& r) { theta -= rate * r; });
  }
};

using WholeLamb = OptimizerOf<WholeLambRule>;

// One number after the other, in double.
struct Reference {
  explicit Reference(const Tensor& start) : theta(start.begin(), start.end()), m(theta.size()), v(m), r(m) {}
  void step(const Tensor& gradient, const WholeLambOptions& o) {
    ++t;
    double of_theta = 0, of_r = 0;
    for (std::size_t i = 0; i < theta.size(); ++i) {
      const double g = double(gradient.data()[i]);
      m[i] = o.beta1 * m[i] + (1 - o.beta1) * g;
      v[i] = o.beta2 * v[i] + (1 - o.beta2) * g * g;
      r[i] = m[i] / (1 - std::pow(o.beta1, t)) / (std::sqrt(v[i] / (1 - std::pow(o.beta2, t))) + o.eps) +
             o.decay * theta[i];
      of_theta += theta[i] * theta[i], of_r += r[i] * r[i];
    }
    for (std::size_t i = 0; i < theta.size(); ++i) theta[i] -= o.lr * std::sqrt(of_theta / of_r) * r[i];
  }
  std::vector<double> theta, m, v, r;
  double t = 0;
};

}  // namespace

TEST_CASE("a rule that needs a parameter whole gets it whole, with any number of threads") {
  const int before = num_threads();
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    Generator generator(3);
    const Shape shapes[] = {{7}, {500, 401}, {1}, {0, 3}, {40000}};
    ParameterList list;
    std::vector<Reference> references;
    for (const Shape& shape : shapes) {
      list.emplace_back(std::to_string(list.size()), leaf(generator.normal(shape)));
      references.emplace_back(list.back().second.value());
    }
    WholeLamb lamb(list, {});
    for (int t = 0; t < 3; ++t) {
      for (std::size_t i = 0; i < list.size(); ++i) {
        const Tensor gradient = generator.normal(shapes[i]);
        set_gradient(list[i].second, gradient);
        references[i].step(gradient, {});
      }
      lamb.step();
    }
    for (std::size_t i = 0; i < list.size(); ++i)
      for (std::size_t k = 0; k < references[i].theta.size(); ++k)
        REQUIRE(double(list[i].second.value().data()[k]) ==
                doctest::Approx(references[i].theta[k]).epsilon(in_double ? 1e-12 : 1e-4).scale(1));
  }
  set_num_threads(before);
}

TEST_CASE("and gets a sparse gradient as a dense one") {
  const Variable table = leaf(ones({5, 2})), dense = leaf(ones({5, 2}));
  WholeLamb a({{"table", table}}, {}), b({{"table", dense}}, {});
  for (const Variable& x : {table, dense}) sum(square(take_rows(x, {1, 4}, {.sparse_grad = true}))).backward();
  dense.mutable_grad();
  CHECK(a.left_out(0) == SparseRows::dense);
  CHECK(explain(a).at(0).update_norm == explain(b).at(0).update_norm);
  a.step(), b.step();
  CHECK(table.value() == dense.value());
  CHECK(table.value()(0, 0) < 1);  // by the decay
}
