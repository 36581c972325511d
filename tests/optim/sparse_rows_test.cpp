// Optimizers on tables of which each step reads a few rows.
#include <doctest/doctest.h>
#include <error.h>
#include <optim/helpers.h>
#include <xgrad/autograd/table.h>
#include <xgrad/optim/clip.h>
#include <xgrad/optim/explain.h>
#include <xgrad/optim/minimize.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

using namespace xgrad;
using namespace xgrad::optim;

namespace {

constexpr std::size_t count = 40, width = 5;

// What training makes of a table, when each step looks a few random rows up: the losses of the steps, and the table.
struct Result {
  std::vector<double> losses;
  Tensor table;
};

template <class Rule, class Options>
Result train(Options options, SparseRows sparse, int steps, double share, bool with_schedule = false) {
  options.sparse = sparse;
  Generator generator(6);
  const Variable table = leaf(generator.normal({count, width}));
  const Variable target(generator.normal({count, width}));
  Rule optimizer({{"table", table}}, options);
  Result result;
  for (int t = 0; t < steps; ++t) {
    std::vector<std::int64_t> rows;
    for (std::size_t row = 0; row < count; ++row)
      if (generator.uniform() < share * (row < 5 ? 10 : 1)) rows.push_back(std::int64_t(row));
    rows.push_back(std::int64_t(generator.below(5)));  // sometimes twice
    IndexTensor index = IndexTensor::from_shape({rows.size()});
    std::copy(rows.begin(), rows.end(), index.begin());
    if (with_schedule) optimizer.lr() = options.lr / std::sqrt(1 + t);
    optimizer.zero_grad();
    const Variable loss = sum(square(take_rows(table, index, {.sparse_grad = true}) - take_rows(target, index)));
    loss.backward();
    optimizer.step();
    result.losses.push_back(loss.item());
  }
  result.table = table.value();
  return result;
}

void check_same(const Result& a, const Result& b) {
  const double tolerance = in_double ? 1e-11 : 3e-5;
  for (std::size_t t = 0; t < a.losses.size(); ++t)
    REQUIRE(std::abs(a.losses[t] - b.losses[t]) <= tolerance * (1 + b.losses[t]));
  for (std::size_t i = 0; i < a.table.size(); ++i)
    CHECK(std::abs(double(a.table.data()[i]) - double(b.table.data()[i])) <= tolerance);
}

}  // namespace

TEST_CASE("exact rows give what dense steps give, over random sparsity") {
  const auto both = [](auto make) {
    for (const double share : {0.002, 0.02, 0.3})
      for (const bool schedule : {false, true}) {
        CAPTURE(share);
        CAPTURE(schedule);
        check_same(make(SparseRows::exact, share, schedule), make(SparseRows::dense, share, schedule));
      }
  };
  for (const AdamOptions& options :
       {AdamOptions{.lr = 0.01}, AdamOptions{.lr = 0.03, .beta1 = 0.5, .beta2 = 0.9, .eps = 1e-3},
        AdamOptions{.lr = 0.02, .beta1 = 0.95, .beta2 = 0.8}, AdamOptions{.lr = 0.02, .beta1 = 0},
        AdamOptions{.lr = 0.01, .amsgrad = true}, AdamOptions{.lr = 0.01, .dialect = Dialect::keras},
        AdamOptions{.lr = 0.002, .dialect = Dialect::mlx}})
    both([&](SparseRows sparse, double share, bool schedule) {
      return train<Adam>(options, sparse, 900, share, schedule);
    });
  for (const AdamaxOptions& options :
       {AdamaxOptions{.lr = 0.01}, AdamaxOptions{.lr = 0.03, .beta1 = 0.7, .beta2 = 0.9, .eps = 1e-3},
        AdamaxOptions{.lr = 0.01, .dialect = Dialect::mlx}})
    both([&](SparseRows sparse, double share, bool schedule) {
      return train<Adamax>(options, sparse, 900, share, schedule);
    });
}

TEST_CASE("exact rows with options that reach every row are dense") {
  check_same(train<Adam>(AdamOptions{.lr = 0.01, .weight_decay = 0.1}, SparseRows::exact, 50, 0.05),
             train<Adam>(AdamOptions{.lr = 0.01, .weight_decay = 0.1}, SparseRows::dense, 50, 0.05));
  check_same(train<AdamW>(AdamWOptions{.lr = 0.01}, SparseRows::exact, 50, 0.05),
             train<AdamW>(AdamWOptions{.lr = 0.01}, SparseRows::dense, 50, 0.05));
  check_same(train<Adamax>(AdamaxOptions{.lr = 0.01, .row_shared = true}, SparseRows::exact, 50, 0.05),
             train<Adamax>(AdamaxOptions{.lr = 0.01, .row_shared = true}, SparseRows::dense, 50, 0.05));
}

namespace {

void look_up(const Variable& table, const IndexTensor& rows, double gradient = 1) {
  table.clear_grad();
  sum(take_rows(table, rows, {.sparse_grad = true}) * Scalar(gradient)).backward();
}

}  // namespace

TEST_CASE("lazy rows are PyTorch's SparseAdam: a row that is not read makes no step") {
  const Variable table = leaf(zeros({3, 2}));
  Adam adam({{"table", table}}, {.lr = 0.1, .eps = 0, .sparse = SparseRows::lazy});
  double m = 0, v = 0, theta = 0;
  for (int t = 1; t <= 20; ++t) {
    const bool reads_two = t % 3 == 0;
    look_up(table, reads_two ? IndexTensor({0, 2}) : IndexTensor({0}), t);
    adam.step();
    if (!reads_two) continue;
    m = 0.9 * m + 0.1 * t, v = 0.999 * v + 0.001 * t * t;
    theta -= 0.1 * (m / (1 - std::pow(0.9, t))) / std::sqrt(v / (1 - std::pow(0.999, t)));
    CHECK(double(table.value()(2, 1)) == doctest::Approx(theta).epsilon(1e-5));
  }
  CHECK(table.value()(1, 0) == 0);
  CHECK(adam.step_count("table") == 20);
  CHECK(sparse_grad(table));
}

TEST_CASE("a gradient given twice for a row is the sum, once") {
  for (const SparseRows sparse : {SparseRows::lazy, SparseRows::exact}) {
    const Variable twice = leaf(zeros({3, 1})), once = leaf(zeros({3, 1}));
    Adamax a({{"table", twice}}, {.sparse = sparse}), b({{"table", once}}, {.sparse = sparse});
    look_up(twice, {1, 1}, 0.1), look_up(once, IndexTensor({1}), 0.2);
    a.step(), b.step();
    CHECK(twice.value() == once.value());
    CHECK(double(twice.value()(1, 0)) == doctest::Approx(-0.002));
  }
}

TEST_CASE("rules without state of other rows leave them alone, bit for bit") {
  const auto run = [](auto make, bool sparse) {
    const Variable table = leaf(ones({4, 2}));
    const std::unique_ptr<Optimizer> optimizer = make(ParameterList{{"table", table}});
    for (int t = 1; t <= 5; ++t) {
      look_up(table, {t % 3, 3}, t);
      if (!sparse) table.mutable_grad();
      optimizer->step();
      CHECK((sparse_grad(table) != nullptr) == sparse);
    }
    return table.value();
  };
  const auto sgd = [](auto list) { return std::make_unique<SGD>(list, SGDOptions{.lr = 0.1}); };
  const auto adagrad = [](auto list) { return std::make_unique<Adagrad>(list, AdagradOptions{.lr = 0.1}); };
  CHECK(run(sgd, true) == run(sgd, false));
  CHECK(run(adagrad, true) == run(adagrad, false));
}

TEST_CASE("whoever reads the table sees rows that have caught up") {
  struct Tables {
    Variable exact = leaf(ones({5, 2})), dense = leaf(ones({5, 2}));
    Adam a{{{"table", exact}}, {.lr = 0.1}}, b{{{"table", dense}}, {.lr = 0.1, .sparse = SparseRows::dense}};
    void step(const IndexTensor& rows) {
      look_up(exact, rows), look_up(dense, rows);
      a.step(), b.step();
    }
  };
  const auto near = [](const Tensor& a, const Tensor& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
      if (std::abs(double(a.data()[i]) - double(b.data()[i])) > (in_double ? 1e-13 : 1e-6)) return false;
    return true;
  };
  Tables tables;
  for (int t = 0; t < 4; ++t) tables.step({0, 1});
  for (int t = 0; t < 30; ++t) tables.step({2});
  SUBCASE("by its value") {}
  SUBCASE("by an operation on all of it") {
    CHECK(double(sum(tables.exact).item()) == doctest::Approx(double(sum(tables.dense).item())));
  }
  SUBCASE("by a lookup without a gradient") {
    const NoGrad no_grad;
    CHECK(near(take_rows(tables.exact, {1, 4}).value(), take_rows(tables.dense, {1, 4}).value()));
  }
  SUBCASE("by the optimizer's state") {
    CHECK(near(tables.a.state("table", "exp_avg"), tables.b.state("table", "exp_avg")));
    CHECK(near(tables.a.state_dict().tensors[1].second, tables.b.state_dict().tensors[1].second));
  }
  SUBCASE("by a dense gradient") {
    for (int t = 0; t < 3; ++t) {
      tables.exact.clear_grad(), tables.dense.clear_grad();
      sum(square(tables.exact)).backward(), sum(square(tables.dense)).backward();
      tables.a.step(), tables.b.step();
    }
    tables.step({3});
  }
  SUBCASE("after the options have changed") {
    tables.a.groups()[0].options.beta1 = tables.b.groups()[0].options.beta1 = 0.5;
    for (int t = 0; t < 3; ++t) tables.step({3});
  }
  SUBCASE("after the mode has changed") {
    tables.a.groups()[0].options.sparse = SparseRows::dense;
    for (int t = 0; t < 3; ++t) tables.step({3});
  }
  SUBCASE("after loading the state") {
    tables.a.load_state_dict(tables.a.state_dict());
    tables.step({0});
  }
  CHECK(near(tables.exact.value(), tables.dense.value()));
}

TEST_CASE("a table outlives its optimizer, with rows that have caught up") {
  const Variable table = leaf(ones({3, 1}));
  {
    Adam adam({{"table", table}}, {.lr = 0.1});
    look_up(table, IndexTensor({0}));
    adam.step();
    for (int t = 0; t < 5; ++t) {
      look_up(table, IndexTensor({1}));
      adam.step();
    }
  }
  CHECK(double(table.value()(0, 0)) < 0.7);
  CHECK(double(table.value()(2, 0)) == 1);
  Adamax again({{"table", table}}, {});
  look_up(table, IndexTensor({0}));
  again.step();
  CHECK(double(table.value()(2, 0)) == 1);
}

TEST_CASE("backward after the step of rows that were read before it is refused") {
  const Variable table = leaf(ones({3, 1}));
  Adam adam({{"table", table}}, {});
  const Variable before = sum(square(take_rows(table, {0, 1}, {.sparse_grad = true})));
  look_up(table, IndexTensor({0}));
  adam.step();
  CHECK_THROWS_AS(before.backward(), GraphError);
}

TEST_CASE("to look at a sparse gradient, or to clip it, does not make lazy rows move") {
  const std::function<void(const ParameterList&)> looks[] = {
      [](const ParameterList& list) { clip_grad_norm(list, std::numeric_limits<double>::infinity()); },
      [](const ParameterList& list) { clip_grad_norm(list, 1); },
      [](const ParameterList& list) { clip_grad_value(list, 0.5); },
      [](const ParameterList& list) { list[0].second.grad(); },
  };
  for (const auto& look : looks) {
    const Variable table = leaf(ones({5, 2}));
    Adam adam({{"table", table}}, {.lr = 0.1, .sparse = SparseRows::lazy});
    for (const IndexTensor& rows : {IndexTensor({0, 1, 2, 3, 4}), IndexTensor({0}), IndexTensor({0})}) {
      look_up(table, rows);
      look(adam.parameters());
      adam.step();
    }
    CHECK(sparse_grad(table));
    CHECK(double(table.value()(4, 0)) == doctest::Approx(0.9));
    CHECK(double(table.value()(0, 0)) < 0.75);
  }
}

TEST_CASE("sparse gradients are clipped as dense ones are") {
  const Variable table = leaf(ones({5, 2})), dense = leaf(ones({5, 2})), other = leaf(constant(1));
  for (const bool by_norm : {true, false}) {
    for (const Variable& x : {table, dense, other}) x.clear_grad();
    for (const Variable& x : {table, dense}) sum(take_rows(x, {3, 1, 3}, {.sparse_grad = true}) * 5).backward();
    dense.mutable_grad();
    if (by_norm) {
      CHECK(clip_grad_norm({{"x", table}}, 1.5) == doctest::Approx(std::sqrt(250)));
      clip_grad_norm({{"x", dense}}, 1.5);
    } else {
      clip_grad_value({{"x", table}}, 7), clip_grad_value({{"x", dense}}, 7);
      CHECK(table.grad()(3, 0) == 7);
      CHECK(table.grad()(1, 1) == 5);
    }
    for (std::size_t i = 0; i < 10; ++i)
      CHECK(double(table.grad().data()[i]) == doctest::Approx(double(dense.grad().data()[i])));
    CHECK(sparse_grad(table));
  }
}

namespace {

// Eight steps, of which only the first sees all rows.
Minimum minimize_table(const Variable& table, SparseRows sparse, Until until) {
  Adam adam({{"table", table}}, {.lr = 0.1, .sparse = sparse});
  std::int64_t t = 0;
  const auto closure = [&] {
    const IndexTensor rows = t++ == 0 ? IndexTensor({0, 1, 2, 3, 4}) : IndexTensor({t % 2, 2});
    return sum(square(take_rows(table, rows, {.sparse_grad = true})));
  };
  return minimize(adam, closure, until);
}

}  // namespace

TEST_CASE("minimize measures sparse gradients as what they are") {
  Until until = {.max_steps = 8};
  SUBCASE("without a condition on the step") {}
  SUBCASE("with one") { until.step_size = 0; }
  const Variable lazy = leaf(ones({5, 2})), exact = leaf(ones({5, 2})), dense = leaf(ones({5, 2}));
  const Minimum of_lazy = minimize_table(lazy, SparseRows::lazy, until),
                of_exact = minimize_table(exact, SparseRows::exact, until),
                of_dense = minimize_table(dense, SparseRows::dense, until);
  CHECK(double(lazy.value()(4, 0)) == doctest::Approx(0.9));
  CHECK(of_exact.gradient_norm == doctest::Approx(of_dense.gradient_norm));
  for (std::size_t i = 0; i < 10; ++i)
    CHECK(double(exact.value().data()[i]) == doctest::Approx(double(dense.value().data()[i])));
  if (until.step_size) CHECK(of_exact.step_size == doctest::Approx(of_dense.step_size));
  CHECK(of_lazy.step_size > 0);
  CHECK(of_lazy.step_size < of_dense.step_size);  // two rows, and not five
  CHECK(of_exact.step_size > 0);
}

TEST_CASE("rows of a gradient for a table of another shape are refused, and the parameter is named") {
  const Variable table = leaf(ones({5, 2}));
  SGD sgd({{"table", table}}, {.lr = 1});
  look_up(table, {1, 4});
  table.mutable_value() = ones({2, 2});
  check_error<ShapeError>([&] { sgd.step(); }, {"[SGD] 'table' (2, 2) has a gradient of rows of another shape"});
  check_error<ShapeError>([&] { explain(sgd); }, {"[SGD] 'table' (2, 2)"});
  CHECK(sgd.step_count("table") == 0);
}
