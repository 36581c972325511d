#include <doctest/doctest.h>
#include <error.h>
#include <optim/helpers.h>
#include <xgrad/optim/clip.h>
#include <xgrad/optim/plateau.h>
#include <xgrad/optim/schedule.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace xgrad;
using namespace xgrad::optim;
using doctest::Approx;

TEST_CASE("schedules follow their tables") {
  const struct {
    Curve curve;
    std::vector<double> rates;  // from a base of 1, for counts 0, 1, …
  } tables[] = {
      {step_lr({.step_size = 2, .gamma = 0.1}), {1, 1, 0.1, 0.1, 0.01}},
      {exponential_lr({.gamma = 0.5}), {1, 0.5, 0.25, 0.125}},
      {multi_step_lr({.milestones = {2, 3}, .gamma = 0.5}), {1, 1, 0.5, 0.25, 0.25}},
      {polynomial_lr({.total_iters = 4, .power = 2}), {1, 0.5625, 0.25, 0.0625, 0, 0}},
      {polynomial_lr({.total_iters = 2, .eta_min = 0.2}), {1, 0.6, 0.2, 0.2}},
      // eta_min is base_lr in PyTorch's CyclicLR, and the base its max_lr.
      {cyclic_lr({.step_size_up = 2, .eta_min = 0.2}), {0.2, 0.6, 1, 0.6, 0.2, 0.6, 1}},
      {cyclic_lr({.step_size_up = 1, .step_size_down = 2, .mode = Cycle::triangular2}), {0, 1, 0.5, 0, 0.5, 0.25, 0}},
      {cyclic_lr({.step_size_up = 2, .mode = Cycle::exp_range, .gamma = 0.5}), {0, 0.25, 0.25, 0.0625, 0}},
      {warmup_stable_decay_lr({.total_steps = 8, .warm_up = 2, .decay = 4}),
       {0.5, 1, 1, 1, 1, 0.5, 0.292893, 0.133975, 0, 0}},
      {warmup_stable_decay_lr({.total_steps = 3, .decay = 2, .shape = Decay::linear, .eta_min = 0.5}),
       {1, 1, 0.75, 0.5, 0.5}},
      {cosine_annealing_lr({.t_max = 4, .eta_min = 0.2}), {1, 0.882843, 0.6, 0.317157, 0.2, 0.317157}},
      {cosine_annealing_lr({.t_max = 4, .eta_min = 0.2, .stays = true}),
       {1, 0.882843, 0.6, 0.317157, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2}},
      // PyTorch's numbers, up to the last of its steps.
      {cosine_annealing_warm_restarts({.t_0 = 2, .t_mult = 2, .eta_min = 0.2}),
       {1, 0.6, 1, 0.882843, 0.6, 0.317157, 1, 0.969552, 0.882843, 0.753073, 0.6, 0.446927, 0.317157, 0.230448, 1}},
      {cosine_annealing_warm_restarts({.t_0 = 3}), {1, 0.75, 0.25, 1, 0.75, 0.25, 1, 0.75}},
      {one_cycle_lr({.total_steps = 10}),
       {0.04, 0.52, 1, 0.950485, 0.811746, 0.611262, 0.388742, 0.188258, 0.0495194, 4e-6, 4e-6}},
      {one_cycle_lr(
           {.total_steps = 8, .pct_start = 0.5, .anneal = Anneal::linear, .div_factor = 4, .final_div_factor = 2}),
       {0.25, 0.5, 0.75, 1, 0.78125, 0.5625, 0.34375, 0.125, 0.125}},
      {one_cycle_lr(
           {.total_steps = 3, .pct_start = 0, .anneal = Anneal::linear, .div_factor = 2, .final_div_factor = 1}),
       {1, 0.75, 0.5}},
      {inverse_sqrt_lr({}), {1, 0.707107, 0.57735, 0.5, 0.447214}},            // 1/1, 1/1.41421, 1/1.73205, …
      {inverse_sqrt_lr({.warm_up = 4}), {0.125, 0.25, 0.375, 0.5, 0.447214}},  // t/8 up to t = 4, where both are 1/2
      {linear_lr({.start_factor = 0.25, .total_iters = 3}), {0.25, 0.5, 0.75, 1, 1}},
      {linear_lr({}), {0.333333, 0.466667, 0.6, 0.733333, 0.866667, 1, 1}},
      {sequential_lr({.curves = {linear_lr({.start_factor = 0.5, .total_iters = 2}), exponential_lr({.gamma = 0.1})},
                      .milestones = {2}}),
       {0.5, 0.75, 1, 0.1, 0.01}},
      {chained_lr({.curves = {linear_lr({.start_factor = 0.5, .total_iters = 2}), exponential_lr({.gamma = 0.1})}}),
       {0.5, 0.075, 0.01, 0.001}},
  };
  for (const auto& table : tables) {
    const Variable a = leaf({1}), b = leaf({1});
    SGD sgd({{.parameters = {{"a", a}}, .options = {.lr = 1}}, {.parameters = {{"b", b}}, .options = {.lr = 1}}});
    Schedule schedule(sgd, table.curve);
    for (std::size_t i = 0; i < table.rates.size(); ++i) {
      CHECK(schedule.count() == static_cast<std::int64_t>(i));
      CHECK(sgd.lr(0) == Approx(table.rates[i]).epsilon(1e-5));
      CHECK(sgd.groups()[1].options.lr == sgd.lr(0));
      schedule.step();
    }
    schedule.set_count(1);
    CHECK(sgd.lr() == Approx(table.rates[1]).epsilon(1e-5));
  }
}

TEST_CASE("each group keeps its own base rate, and a rate of 0 at the end stands still") {
  const Variable a = leaf({1}), b = leaf({1});
  SGD sgd({{.parameters = {{"a", a}}, .options = {.lr = 1}}, {.parameters = {{"b", b}}, .options = {.lr = 0.1}}});
  CosineAnnealingLR schedule(sgd, {.t_max = 2});
  schedule.step();
  CHECK(sgd.lr(0) == Approx(0.5));
  CHECK(sgd.lr(1) == Approx(0.05));
  schedule.step();
  CHECK(sgd.lr(0) == 0);
  sum(a + b).backward();
  sgd.step();
  CHECK(a.item() == 1);
}

TEST_CASE("restarts at any count, where cycles double: 3 (2^20 - 1) steps are 20 whole cycles") {
  const Curve curve = cosine_annealing_warm_restarts({.t_0 = 3, .t_mult = 2});
  const std::int64_t restart = 3 * ((std::int64_t{1} << 20) - 1);
  CHECK(curve(1, restart) == 1);
  CHECK(curve(1, restart - 1) < 1e-11);
  CHECK(curve(1, restart + (std::int64_t{3} << 19)) == Approx(0.5));  // the middle of the next
}

TEST_CASE("schedules refuse bad options") {
  const Variable a = leaf({1});
  SGD sgd({{"a", a}}, {});
  const struct {
    std::function<void()> make;
    std::string message;
  } refusals[] = {
      {[&] { StepLR(sgd, {.gamma = 0.5}); }, "[StepLR] step_size must be at least 1, got 0"},
      {[&] { StepLR(sgd, {.step_size = 1, .gamma = -1}); }, "[StepLR] gamma must be above 0 and finite, got -1"},
      {[&] { ExponentialLR(sgd, {}); }, "[ExponentialLR] gamma must be above 0 and finite, got 0"},
      {[&] { MultiStepLR(sgd, {}); }, "[MultiStepLR] expected milestones, got an empty list"},
      {[&] {
         MultiStepLR(sgd, {.milestones = {3, 3}});
       },
       "[MultiStepLR] milestones must be above 0 and ascend, got 3"},
      {[&] { MultiStepLR(sgd, {.milestones = {3}, .gamma = 0}); }, "[MultiStepLR] gamma must be above 0"},
      {[&] { PolynomialLR(sgd, {.total_iters = 0}); }, "[PolynomialLR] total_iters must be at least 1, got 0"},
      {[&] { PolynomialLR(sgd, {.power = 0}); }, "[PolynomialLR] power must be above 0"},
      {[&] { PolynomialLR(sgd, {.eta_min = -1}); }, "[PolynomialLR] eta_min must be at least 0"},
      {[&] { CyclicLR(sgd, {.step_size_up = 0}); }, "[CyclicLR] step_size_up must be at least 1, got 0"},
      {[&] { CyclicLR(sgd, {.step_size_down = -1}); }, "[CyclicLR] step_size_down must be at least 0"},
      {[&] { CyclicLR(sgd, {.eta_min = -1}); }, "[CyclicLR] eta_min must be at least 0"},
      {[&] { CyclicLR(sgd, {.gamma = 0}); }, "[CyclicLR] gamma must be above 0"},
      {[&] { WarmupStableDecayLR(sgd, {}); }, "[WarmupStableDecayLR] total_steps must be at least 1, got 0"},
      {[&] { WarmupStableDecayLR(sgd, {.total_steps = 5}); }, "[WarmupStableDecayLR] decay must be at least 1, got 0"},
      {[&] { WarmupStableDecayLR(sgd, {.total_steps = 5, .warm_up = -1, .decay = 1}); }, "warm_up must be at least 0"},
      {[&] { WarmupStableDecayLR(sgd, {.total_steps = 5, .decay = 1, .eta_min = -1}); }, "eta_min must be at least 0"},
      {[&] { WarmupStableDecayLR(sgd, {.total_steps = 5, .warm_up = 3, .decay = 3}); },
       "warm_up and decay must fit into total_steps 5, got 3 and 3"},
      {[&] { CosineAnnealingLR(sgd, {}); }, "[CosineAnnealingLR] t_max must be at least 1, got 0"},
      {[&] { CosineAnnealingLR(sgd, {.t_max = 3, .eta_min = -1}); }, "[CosineAnnealingLR] eta_min must be at least 0"},
      {[&] { CosineAnnealingWarmRestarts(sgd, {}); }, "[CosineAnnealingWarmRestarts] t_0 must be at least 1, got 0"},
      {[&] { CosineAnnealingWarmRestarts(sgd, {.t_0 = 1, .t_mult = 0}); }, "t_mult must be at least 1, got 0"},
      {[&] { CosineAnnealingWarmRestarts(sgd, {.t_0 = 1, .eta_min = -1}); }, "eta_min must be at least 0"},
      {[&] { OneCycleLR(sgd, {}); }, "[OneCycleLR] total_steps must be at least 2, got 0"},
      {[&] { OneCycleLR(sgd, {.total_steps = 9, .pct_start = 1}); }, "[OneCycleLR] pct_start must be in [0, 1), got 1"},
      {[&] { OneCycleLR(sgd, {.total_steps = 9, .div_factor = 0}); }, "[OneCycleLR] div_factor must be above 0"},
      {[&] { OneCycleLR(sgd, {.total_steps = 9, .final_div_factor = 0}); }, "final_div_factor must be above 0"},
      {[&] { InverseSqrtLR(sgd, {.warm_up = 0}); }, "[InverseSqrtLR] warm_up must be at least 1, got 0"},
      {[&] { LinearLR(sgd, {.start_factor = 0}); }, "[LinearLR] start_factor must be above 0 and finite, got 0"},
      {[&] { LinearLR(sgd, {.start_factor = 2}); }, "[LinearLR] start_factor must be in [0, 1], got 2"},
      {[&] { LinearLR(sgd, {.end_factor = 2}); }, "[LinearLR] end_factor must be in [0, 1], got 2"},
      {[&] { LinearLR(sgd, {.total_iters = 0}); }, "[LinearLR] total_iters must be at least 1, got 0"},
      {[&] { SequentialLR(sgd, {}); }, "[SequentialLR] expected curves, got an empty list"},
      {[&] { SequentialLR(sgd, {.curves = {linear_lr({})}, .milestones = {1}}); },
       "expected 0 milestones for 1 curves"},
      {[&] {
         SequentialLR(sgd, {.curves = {linear_lr({}), linear_lr({})}, .milestones = {0}});
       },
       "ascend, got 0 after 0"},
      {[&] { ChainedLR(sgd, {.curves = {Curve()}}); }, "[ChainedLR] expected curves, got an empty function"},
      {[&] { Schedule(sgd, [](double, std::int64_t) { return -1.0; }); },
       "[Schedule] the learning rate must be at least 0"},
      {[&] { StepLR(sgd, {.step_size = 1}).set_count(-1); }, "[Schedule] count must be at least 0, got -1"},
  };
  for (const auto& refusal : refusals) check_error<ValueError>(refusal.make, {refusal.message});
}

TEST_CASE("clip_grad_norm holds the common norm, and measures it in double") {
  const Variable a = leaf({1, 1}), b = leaf({1}), without = leaf({1});
  const ParameterList list = {{"a", a}, {"b", b}, {"without", without}};
  set_gradient(a, {3, 0});
  set_gradient(b, {4});
  CHECK(clip_grad_norm(list, 10) == Approx(5));
  CHECK(a.grad()(0) == 3);
  CHECK(clip_grad_norm(list, std::numeric_limits<double>::infinity()) == Approx(5));
  CHECK(clip_grad_norm(list, 1) == Approx(5));
  CHECK(double(a.grad()(0)) == Approx(0.6));
  CHECK(double(b.grad()(0)) == Approx(0.8));
  CHECK_FALSE(without.has_grad());

  const Variable many = leaf(zeros({1000003}));
  set_gradient(many, full({1000003}, Scalar(1e-3)));
  CHECK(clip_grad_norm({{"many", many}}, 10) == Approx(1e-3 * std::sqrt(1000003.0)).epsilon(1e-6));
}

TEST_CASE("clip_grad_value holds each element, and lets NaN be seen") {
  const Variable a = leaf({0, 0, 0, 0});
  set_gradient(a, {-3, 0.5, 2, std::numeric_limits<Scalar>::quiet_NaN()});
  clip_grad_value({{"a", a}}, 1);
  CHECK(a.grad()(0) == -1);
  CHECK(a.grad()(1) == Scalar(0.5));
  CHECK(a.grad()(2) == 1);
  CHECK(std::isnan(a.grad()(3)));
}

TEST_CASE("clipping refuses what has no meaning") {
  const Variable a = leaf({1, 2}), b = leaf({1});
  const ParameterList list = {{"a", a}, {"b", b}};
  check_error<GraphError>([&] { clip_grad_norm(list, 1); }, {"[clip_grad_norm] no parameter has a gradient"});
  check_error<GraphError>([&] { clip_grad_value(list, 1); }, {"[clip_grad_value] no parameter has a gradient"});
  set_gradient(a, {3, 4});
  set_gradient(b, {std::numeric_limits<Scalar>::infinity()});
  check_error<ValueError>([&] { clip_grad_norm(list, 1); },
                          {"[clip_grad_norm] the gradient of 'b' (1,) is not finite"});
  CHECK(a.grad()(0) == 3);
  check_error<ValueError>([&] { clip_grad_norm(list, 0); }, {"[clip_grad_norm] max_norm must be above 0, got 0"});
  check_error<ValueError>([&] { clip_grad_value(list, -1); }, {"[clip_grad_value] value must be above 0", "-1"});
}

TEST_CASE("a schedule's state is its count and the base rates; another's is refused, and changes nothing") {
  const Variable a = leaf({1}), b = leaf({1});
  SGD sgd({{.parameters = {{"a", a}}, .options = {.lr = 1}}, {.parameters = {{"b", b}}, .options = {.lr = 0.1}}});
  Schedule schedule(sgd, exponential_lr({.gamma = 0.5}));
  const StateDict state{.scalars = {{"count", 2}, {"base.0", 4}, {"base.1", 8}}};
  schedule.load_state_dict(state);
  CHECK(schedule.state_dict().scalars == state.scalars);
  CHECK(schedule.count() == 2);
  CHECK(sgd.lr(0) == 1);
  CHECK(sgd.lr(1) == 2);
  const StateDict others[] = {{.scalars = {{"count", 1}, {"base.0", 4}}},
                              {.scalars = {{"count", 0.5}, {"base.0", 4}, {"base.1", 8}}},
                              {.scalars = {{"count", 1}, {"base.0", -4}, {"base.1", 8}}},
                              {.scalars = {{"count", 1}, {"base.0", std::nan("")}, {"base.1", 8}}},
                              {.scalars = {{"count", 1}, {"base.0", HUGE_VAL}, {"base.1", 8}}},
                              {.scalars = {{"count", 1}, {"base.0", 4}, {"lr.0", HUGE_VAL}, {"base.1", 8}}},
                              {.scalars = {{"count", 0x1p53}, {"base.0", 4}, {"base.1", 8}}},
                              {.scalars = {{"count", 1}, {"base.0", 4}, {"base.1", 8}, {"base.2", 8}}}};
  for (const StateDict& other : others) CHECK_THROWS_AS(schedule.load_state_dict(other), DataError);
  CHECK(schedule.state_dict().scalars == state.scalars);
  Schedule rising(sgd, exponential_lr({.gamma = 2}));  // which after 2000 steps is beyond any number
  const StateDict late{.scalars = {{"count", 2000}, {"base.0", 4}, {"base.1", 8}}};
  check_error<DataError>([&] { rising.load_state_dict(late); },
                         {"[Schedule]", "must be at least 0 and finite, got inf"});
  CHECK(rising.count() == 0);
  CHECK(sgd.lr(1) == 2);
}

TEST_CASE("a rate that was changed since the schedule set it changes the base by the same factor") {
  const struct {
    Curve curve;
    std::vector<double> changes;  // what the rate is multiplied by before each step; below 0, minus what it is set to
    std::vector<double> rates;    // after each
  } tables[] = {
      {step_lr({.step_size = 10}), {0.1, 0.1, 0.1}, {0.1, 0.01, 0.001}},
      {step_lr({.step_size = 1, .gamma = 0.5}), {1, 0.1, 1, 1}, {0.5, 0.025, 0.0125, 0.00625}},
      {exponential_lr({.gamma = 0.5}), {1, -3, 1}, {0.5, 1.5, 0.75}},
      {cosine_annealing_lr({.t_max = 4}), {1, 0.1, 1, 1, 1}, {0.853553, 0.05, 0.0146447, 0, 0.0146447}},
      {sequential_lr({.curves = {linear_lr({.start_factor = 0.5, .total_iters = 2}), exponential_lr({.gamma = 0.1})},
                      .milestones = {2}}),
       {1, 0.1, 1, 1},
       {0.75, 0.1, 0.01, 0.001}},
      {cosine_annealing_warm_restarts({.t_0 = 2}), {0.1, 1, 1}, {0.05, 0.1, 0.05}},
      // A rate of 0 stays there until another is set, from which the schedule goes on.
      {exponential_lr({.gamma = 0.5}), {0, 1, -0.5, 1}, {0, 0, 0.25, 0.125}},
      // Where the schedule itself gives 0, whatever the base is, the base stays.
      {cosine_annealing_lr({.t_max = 1}), {1, -0.25, 1}, {0, 1, 0}},
  };
  for (const auto& table : tables) {
    SGD sgd({{.parameters = {{"a", leaf({1})}}, .options = {.lr = 1}},
             {.parameters = {{"b", leaf({1})}}, .options = {.lr = 1}}});
    Schedule schedule(sgd, table.curve);
    for (std::size_t i = 0; i < table.rates.size(); ++i) {
      sgd.lr(1) = table.changes[i] < 0 ? -table.changes[i] : sgd.lr(1) * table.changes[i];
      schedule.step();
      CHECK(sgd.lr(1) == Approx(table.rates[i]).epsilon(1e-5));
      CHECK(sgd.lr(0) == table.curve(1, schedule.count()));  // the bits of a rate that nobody changes
    }
  }
  SGD sgd({{"a", leaf({1})}}, {.lr = 1});
  StepLR schedule(sgd, {.step_size = 1});
  for (const double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    sgd.lr() = bad;
    check_error<ValueError>([&] { schedule.step(); }, {"[Schedule] the learning rate must be at least 0"});
  }
  CHECK(schedule.count() == 0);
}

TEST_CASE("a schedule and a plateau resume to the same bits, whichever is loaded first") {
  struct Run {
    SGD sgd{{{"a", leaf({1})}}, {.lr = 0.7}};
    ExponentialLR schedule{sgd, {.gamma = 0.9}};
    ReduceLROnPlateau plateau{sgd, {.factor = 0.3, .patience = 0}};
    void reduce() { plateau.step(1); }
    std::vector<double> go_on() {
      std::vector<double> rates = {sgd.lr()};
      for (int i = 0; i < 6; ++i) {
        if (i % 2 == 0) reduce();
        schedule.step();
        rates.push_back(sgd.lr());
      }
      return rates;
    }
  };
  for (const bool changed : {false, true}) {  // since the schedule set the rate
    Run whole;
    for (int i = 0; i < 5; ++i) whole.reduce(), whole.schedule.step();
    if (changed) whole.reduce(), whole.sgd.lr() *= 1.7;
    const StateDict sgd = whole.sgd.state_dict(), schedule = whole.schedule.state_dict(),
                    plateau = whole.plateau.state_dict();
    const std::vector<double> expected = whole.go_on();
    std::vector<int> order = {0, 1, 2};
    do {
      Run resumed;
      for (const int part : order) {
        if (part == 0) resumed.sgd.load_state_dict(sgd);
        if (part == 1) resumed.schedule.load_state_dict(schedule);
        if (part == 2) resumed.plateau.load_state_dict(plateau);
      }
      CHECK(resumed.go_on() == expected);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}
