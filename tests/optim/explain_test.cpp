#include <doctest/doctest.h>
#include <error.h>
#include <optim/helpers.h>
#include <xgrad/autograd/table.h>
#include <xgrad/optim/explain.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

using namespace xgrad;
using namespace xgrad::optim;
using doctest::Approx;

TEST_CASE("explain says what the step is going to do, and does not do it") {
  const Variable x = leaf({3, -4}), idle = leaf({1});
  Adam adam({{"x", x}, {"idle", idle}}, {.lr = 0.1, .eps = 0});
  set_gradient(x, {1, 2});
  adam.step();
  const Variable copy = x.detach();
  const Tensor& before = copy.value();
  set_gradient(x, {3, 2});
  const std::vector<Explanation> all = explain(adam);
  CHECK(x.value() == before);
  CHECK(adam.step_count("x") == 1);
  CHECK(adam.state("x", "exp_avg")(0) == Scalar(1 - 0.9));
  REQUIRE(all.size() == 1);
  const Explanation& one = all[0];
  CHECK(one.parameter == "x");
  CHECK(one.shape == Shape{2});
  CHECK(one.step == 2);
  CHECK(one.gradient_norm == Approx(std::sqrt(13)));
  // By hand: m = 0.9 * 0.1 + 0.3 = 0.39, m / (1 - 0.81) = 2.0526; v = 0.000999 + 0.009, v / (1 - 0.998001) = 5.002.
  const double m0 = 0.39 / 0.19, v0 = 0.009999 / 0.001999, m1 = 2, v1 = 4;
  REQUIRE(one.moments.size() == 2);
  CHECK(one.moments[0].first == "exp_avg");
  CHECK(one.moments[0].second == Approx(std::sqrt((m0 * m0 + m1 * m1) / 2)).epsilon(1e-5));
  CHECK(one.moments[1].second == Approx(std::sqrt((v0 * v0 + v1 * v1) / 2)).epsilon(1e-4));
  REQUIRE(one.rate);
  CHECK(one.rate->minimum == Approx(0.1 / std::sqrt(v0)).epsilon(1e-4));
  CHECK(one.rate->maximum == Approx(0.05).epsilon(1e-4));
  CHECK(one.at_bound == 0.0);
  const double weight_norm = std::sqrt(double(before(0)) * double(before(0)) + double(before(1)) * double(before(1)));
  CHECK(one.weight_norm == Approx(weight_norm));
  adam.step();
  const double moved = std::hypot(double(x.value()(0)) - double(before(0)), double(x.value()(1)) - double(before(1)));
  CHECK(one.update_norm == Approx(moved));
  CHECK(one.update_ratio == Approx(moved / weight_norm));
}

TEST_CASE_TEMPLATE("the update that is foretold is the one that comes, for every rule", Rule, XGRAD_ALL_RULES) {
  Generator generator(3);
  const Variable x = leaf(generator.normal({5, 7}));
  Rule optimizer({{"x", x}}, {});
  for (int t = 0; t < 5; ++t) {
    set_gradient(x, generator.normal({5, 7}));
    const Explanation one = explain(optimizer).at(0);
    const Variable before = x.detach();
    optimizer.step();
    double squares = 0;
    for (std::size_t i = 0; i < 35; ++i) squares += std::pow(double(x.value().data()[i] - before.value().data()[i]), 2);
    CHECK(one.update_norm == Approx(std::sqrt(squares)).epsilon(1e-4));
    CHECK(one.rate.has_value() == (one.update_norm > 0));  // ADOPT's first step moves nothing
    if (one.rate) CHECK(one.rate->minimum <= one.rate->median);
    if (one.rate) CHECK(one.rate->median <= one.rate->maximum);
    if (one.at_bound) CHECK(*one.at_bound <= 1);
  }
}

TEST_CASE("rates: SGD has one, and elements without a gradient have none") {
  const Variable x = leaf({1, 2, 3});
  SGD sgd({{"x", x}}, {.lr = 0.25});
  set_gradient(x, {5, 0, -1});
  const Explanation one = explain(sgd).at(0);
  CHECK(one.rate->minimum == Approx(0.25).epsilon(1e-6));
  CHECK(one.rate->maximum == Approx(0.25).epsilon(1e-6));
  CHECK_FALSE(one.at_bound);
  set_gradient(x, {0, 0, 0});
  CHECK_FALSE(explain(sgd).at(0).rate);
}

TEST_CASE("the share at the bound: all of Adamax's first step, and Lion always") {
  const Variable x = leaf(ones({4}));
  Adamax adamax({{"x", x}}, {});
  Lion lion({{"x", x}}, {});
  set_gradient(x, {1, 0, -5, Scalar(1e-3)});
  CHECK(explain(adamax).at(0).at_bound == 0.75);  // lr is 99.1 % of 1.00909 lr
  CHECK(explain(lion).at(0).at_bound == 0.75);
}

TEST_CASE("subnormal numbers are counted, and sparse gradients stay sparse") {
  const Variable x = leaf({std::numeric_limits<Scalar>::denorm_min(), 1});
  Adam adam({{"x", x}}, {});
  set_gradient(x, ones({2}));
  CHECK(explain(adam).at(0).subnormals == 1);
  const Variable table = leaf(ones({3, 2}));
  Adam sparse({{"table", table}}, {});
  sum(take_rows(table, {1, 1}, {.sparse_grad = true})).backward();
  CHECK(explain(sparse).at(0).gradient_norm == Approx(std::sqrt(8)));
  CHECK(sparse_grad(table));
}

TEST_CASE("the table has a row a parameter, the lines are JSON") {
  const Variable x = leaf(ones({4})), y = leaf(zeros({2}));
  Adamax adamax({{"odd \"name\"\n", x}, {"y", y}}, {});
  set_gradient(x, ones({4}));
  set_gradient(y, zeros({2}));
  const std::vector<Explanation> all = explain(adamax);
  std::istringstream rows(table(all)), lines(json_lines(all));
  std::string row, line;
  std::getline(rows, row);
  CHECK(row.starts_with("parameter"));
  CHECK(row.ends_with("subnormal"));
  std::getline(lines, line);
  const auto first = nlohmann::json::parse(line);
  CHECK(first["parameter"] == "odd \"name\"\n");
  CHECK(first["gradient_norm"] == 2);
  CHECK(first["rate"]["median"].get<double>() > 0);
  CHECK(first["moments"]["exp_inf"].get<double>() == Approx(1));
  std::getline(lines, line);
  const auto second = nlohmann::json::parse(line);
  CHECK(second["rate"].is_null());
  CHECK(second["update_ratio"].is_null());  // 0 / 0
  CHECK(second["at_bound"] == 0);
  CHECK_FALSE(std::getline(lines, line));
}
