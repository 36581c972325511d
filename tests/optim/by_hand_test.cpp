// Ten steps on f(x) = (x - 3)^2 from 0 with rate 0.5, against the papers' lines in plain doubles.
#include <doctest/doctest.h>
#include <optim/helpers.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace xgrad;
using namespace xgrad::optim;
using doctest::Approx;

namespace {

struct Row {
  double m, second, theta;
};

template <class Optimizer>
void check_rows(const std::string& second, const std::vector<Row>& rows) {
  const Variable x = leaf({0});
  Optimizer optimizer({{"x", x}}, {.lr = 0.5});
  const double epsilon = in_double ? 1e-13 : 1e-5;
  for (const Row& row : rows) {
    optimizer.zero_grad();
    sum(square(x - 3)).backward();
    optimizer.step();
    CHECK(double(optimizer.state("x", "exp_avg")(0)) == Approx(row.m).epsilon(epsilon));
    CHECK(double(optimizer.state("x", second)(0)) == Approx(row.second).epsilon(epsilon));
    CHECK(double(x.item()) == Approx(row.theta).epsilon(epsilon));
  }
}

}  // namespace

TEST_CASE("ten steps of Adam, line by line: Kingma & Ba 2015, Algorithm 1") {
  std::vector<Row> rows;
  double theta = 0, m = 0, v = 0;
  for (int t = 1; t <= 10; ++t) {
    const double g = 2 * (theta - 3);
    m = 0.9 * m + (1 - 0.9) * g;
    v = 0.999 * v + (1 - 0.999) * g * g;
    const double m_hat = m / (1 - std::pow(0.9, t)), v_hat = v / (1 - std::pow(0.999, t));
    theta = theta - 0.5 * m_hat / (std::sqrt(v_hat) + 1e-8);
    rows.push_back({m, v, theta});
  }
  CHECK(rows.back().theta == Approx(3.953448).epsilon(1e-6));  // past the minimum, which its momentum overshoots
  check_rows<Adam>("exp_avg_sq", rows);
}

TEST_CASE("ten steps of AdaMax, line by line: Kingma & Ba 2015, Algorithm 2") {
  std::vector<Row> rows;
  double theta = 0, m = 0, u = 0;
  for (int t = 1; t <= 10; ++t) {
    const double g = 2 * (theta - 3);
    m = 0.9 * m + (1 - 0.9) * g;
    u = std::max(0.999 * u, std::abs(g) + 1e-8);
    theta = theta - 0.5 / (1 - std::pow(0.9, t)) * m / u;
    rows.push_back({m, u, theta});
  }
  check_rows<Adamax>("exp_inf", rows);
}
