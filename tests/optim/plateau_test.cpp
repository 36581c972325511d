#include <doctest/doctest.h>
#include <error.h>
#include <optim/helpers.h>
#include <xgrad/optim/plateau.h>

#include <limits>
#include <vector>

using namespace xgrad;
using namespace xgrad::optim;
using doctest::Approx;

TEST_CASE("ReduceLROnPlateau follows its tables") {
  const struct {
    ReduceLROnPlateauOptions options;
    std::vector<double> metrics, rates;  // the rate after each metric, from 1
  } tables[] = {
      // PyTorch's numbers.
      {{.factor = 0.5, .patience = 1}, {5, 4, 4, 4, 4, 3, 3, 3, 3}, {1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25}},
      {{.factor = 0.5, .patience = 0, .cooldown = 2},
       {1, 1, 1, 1, 1, 1, 1, 1, 1},
       {1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125}},
      {{.maximize = true, .patience = 1, .threshold = 0.1, .relative = false},
       {0.1, 0.2, 0.2, 0.25, 0.25, 0.25},
       {1, 1, 0.1, 0.1, 0.1, 0.01}},
      {{.patience = 1, .threshold = 0.1}, {10, 9.5, 9.2, 8.9, 8.9, 8.9}, {1, 1, 0.1, 0.1, 0.1, 0.01}},
      {{.patience = 0, .min_lr = 0.05}, {1, 1, 1, 1, 1}, {1, 0.1, 0.05, 0.05, 0.05}},
      // A rate that is below min_lr already is not raised.
      {{.patience = 0, .min_lr = 2}, {1, 1}, {1, 1}},
      // Below 0 the threshold asks for 10 % as well: -1.05 is not enough, -1.2 is.
      {{.patience = 0, .threshold = 0.1}, {-1, -1.05, -1.2, -1.2}, {1, 0.1, 0.1, 0.01}},
  };
  for (const auto& table : tables) {
    const Variable a = leaf({1}), b = leaf({1});
    SGD sgd({{.parameters = {{"a", a}}, .options = {.lr = 1}}, {.parameters = {{"b", b}}, .options = {.lr = 1}}});
    ReduceLROnPlateau schedule(sgd, table.options);
    for (std::size_t i = 0; i < table.metrics.size(); ++i) {
      schedule.step(table.metrics[i]);
      CHECK(sgd.lr(0) == Approx(table.rates[i]));
      CHECK(sgd.lr(1) == sgd.lr(0));
    }
  }
}

TEST_CASE("ReduceLROnPlateau goes on from saved state as if it had not stopped") {
  const double metrics[] = {3, 2, 2, 2, 1.9, 2, 2, 2, 2, 1};
  for (std::size_t stop = 0; stop < std::size(metrics); ++stop) {
    const ReduceLROnPlateauOptions options = {.factor = 0.5, .patience = 1, .cooldown = 1};
    SGD one({{"a", leaf({1})}}, {.lr = 1}), other({{"a", leaf({1})}}, {.lr = 7});
    ReduceLROnPlateau whole(one, options), resumed(other, options);
    for (std::size_t i = 0; i < std::size(metrics); ++i) {
      if (i == stop) resumed.load_state_dict(whole.state_dict());
      whole.step(metrics[i]);
      if (i < stop) continue;
      resumed.step(metrics[i]);
      CHECK(other.lr() == one.lr());
    }
    CHECK(one.lr() == 0.25);
  }
}

TEST_CASE("ReduceLROnPlateau refuses bad options, metrics and states, and then changes nothing") {
  SGD sgd({{"a", leaf({1})}}, {.lr = 1});
  const struct {
    ReduceLROnPlateauOptions options;
    std::string message;
  } refusals[] = {
      {{.factor = 0}, "[ReduceLROnPlateau] factor must be above 0"},
      {{.factor = 1}, "[ReduceLROnPlateau] factor must be in [0, 1), got 1"},
      {{.patience = -1}, "[ReduceLROnPlateau] patience must be at least 0 and finite, got -1"},
      {{.threshold = -1}, "[ReduceLROnPlateau] threshold must be at least 0 and finite, got -1"},
      {{.cooldown = -1}, "[ReduceLROnPlateau] cooldown must be at least 0 and finite, got -1"},
      {{.min_lr = -1}, "[ReduceLROnPlateau] min_lr must be at least 0 and finite, got -1"},
  };
  for (const auto& refusal : refusals)
    check_error<ValueError>([&] { ReduceLROnPlateau(sgd, refusal.options); }, {refusal.message});

  ReduceLROnPlateau schedule(sgd, {.factor = 0.5, .patience = 0});
  schedule.step(1);
  const StateDict good = schedule.state_dict();
  using Limits = std::numeric_limits<double>;
  for (const double metric : {Limits::quiet_NaN(), Limits::infinity()})
    check_error<ValueError>([&] { schedule.step(metric); }, {"[ReduceLROnPlateau] the metric must be finite, got "});

  StateDict bad = {.tensors = {{"x", ones({1})}},
                   .scalars = {{"best", Limits::quiet_NaN()}, {"bad_steps", 0.5}, {"lr.0", -1}, {"lr.1", 1}}};
  check_error<DataError>(
      [&] { schedule.load_state_dict(bad); },
      {"[ReduceLROnPlateau]", "best: expected a number, got nan", "bad_steps: expected a count, got 0.5",
       "missing: cooldown_left", "lr.0: expected a rate of at least 0, got -1", "unexpected: lr.1", "unexpected: x"});
  bad = good;
  bad.scalars.back().second = Limits::infinity();
  check_error<DataError>([&] { schedule.load_state_dict(bad); }, {"lr.0: expected a rate of at least 0, got inf"});
  bad = good;
  bad.scalars.push_back(bad.scalars[0]);
  check_error<DataError>([&] { schedule.load_state_dict(bad); }, {"repeated: best"});
  CHECK(schedule.state_dict().scalars == good.scalars);
}
