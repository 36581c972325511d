// What the base does: refusals, groups, state, step counts, threads.
#include <doctest/doctest.h>
#include <error.h>
#include <numbers.h>
#include <optim/helpers.h>
#include <xgrad/core/parallel.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/normalization.h>
#include <xgrad/nn/sequential.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

using namespace xgrad;
using namespace xgrad::optim;

TEST_CASE("bad options are refused, with their name, range and value") {
  const ParameterList a = {{"a", leaf({1})}};
  const struct {
    std::function<void()> make;
    std::string message;
  } refusals[] = {
      {[&] { Adam(a, {.lr = -1}); }, "[Adam] lr must be above 0 and finite, got -1"},
      {[&] { SGD(a, {.lr = 0}); }, "[SGD] lr must be above 0 and finite, got 0"},
      {[&] { AdamW(a, {.lr = not_a_number}); }, "[AdamW] lr must be above 0 and finite, got nan"},
      {[&] { RMSprop(a, {.lr = infinity}); }, "[RMSprop] lr must be above 0 and finite, got inf"},
      {[&] { Adam(a, {.beta1 = -0.1}); }, "[Adam] beta1 must be in [0, 1), got -0.1"},
      {[&] { Adam(a, {.beta2 = 1}); }, "[Adam] beta2 must be in [0, 1), got 1"},
      {[&] { AdamW(a, {.beta1 = 1.5}); }, "[AdamW] beta1 must be in [0, 1), got 1.5"},
      {[&] { Adamax(a, {.beta2 = 1}); }, "[Adamax] beta2 must be in [0, 1), got 1"},
      {[&] { Adamax(a, {.beta1 = not_a_number}); }, "[Adamax] beta1 must be in [0, 1), got nan"},
      {[&] { RMSprop(a, {.alpha = 1}); }, "[RMSprop] alpha must be in [0, 1), got 1"},
      {[&] { Adam(a, {.eps_root = -1}); }, "[Adam] eps_root must be at least 0 and finite, got -1"},
      {[&] { Adam(a, {.amsgrad = true, .dialect = Dialect::mlx}); }, "[Adam] amsgrad is that of PyTorch and Keras"},
      {[&] { Adam(a, {.amsgrad = true, .row_shared = true}); }, "[Adam] amsgrad and row_shared contradict"},
      {[&] { Adagrad(a, {.lr_decay = -1}); }, "[Adagrad] lr_decay must be at least 0 and finite, got -1"},
      {[&] { Adagrad(a, {.initial_accumulator_value = -1}); },
       "[Adagrad] initial_accumulator_value must be at least 0"},
      {[&] { Adagrad(a, {.eps = -1}); }, "[Adagrad] eps must be at least 0"},
      {[&] { Adadelta(a, {.rho = 1}); }, "[Adadelta] rho must be in [0, 1), got 1"},
      {[&] { Adadelta(a, {.eps = -1}); }, "[Adadelta] eps must be at least 0"},
      {[&] { NAdam(a, {.beta1 = 1}); }, "[NAdam] beta1 must be in [0, 1), got 1"},
      {[&] { NAdam(a, {.momentum_decay = -1}); }, "[NAdam] momentum_decay must be at least 0"},
      {[&] { RAdam(a, {.beta2 = 1}); }, "[RAdam] beta2 must be in [0, 1), got 1"},
      {[&] { AdamaxW(a, {.weight_decay = -1}); }, "[AdamaxW] weight_decay must be at least 0 and finite, got -1"},
      {[&] { Lion(a, {.beta2 = 1}); }, "[Lion] beta2 must be in [0, 1), got 1"},
      {[&] { Adopt(a, {.beta1 = 1}); }, "[ADOPT] beta1 must be in [0, 1), got 1"},
      {[&] { Adopt(a, {.beta2 = 1}); }, "[ADOPT] beta2 must be in [0, 1), got 1"},
      {[&] { Adopt(a, {.eps = 0}); }, "[ADOPT] eps must be above 0 and finite, got 0"},
      {[&] { Adan(a, {.beta1 = 1}); }, "[Adan] beta1 must be in [0, 1), got 1"},
      {[&] { Adan(a, {.beta2 = 1}); }, "[Adan] beta2 must be in [0, 1), got 1"},
      {[&] { Adan(a, {.beta3 = 1}); }, "[Adan] beta3 must be in [0, 1), got 1"},
      {[&] { Adan(a, {.eps = -1}); }, "[Adan] eps must be at least 0"},
      {[&] { AdEMAMix(a, {.beta2 = 1}); }, "[AdEMAMix] beta2 must be in [0, 1), got 1"},
      {[&] { AdEMAMix(a, {.beta3 = 0.8}); }, "[AdEMAMix] beta3 must be at least beta1, 0.9, got 0.8"},
      {[&] { AdEMAMix(a, {.beta1 = 0, .warm_up = 5}); }, "beta1, with a warm_up, must be above 0"},
      {[&] { AdEMAMix(a, {.alpha = -1}); }, "[AdEMAMix] alpha must be at least 0"},
      {[&] { AdEMAMix(a, {.warm_up = -1}); }, "[AdEMAMix] warm_up must be at least 0"},
      {[&] { AdEMAMix(a, {.eps = -1}); }, "[AdEMAMix] eps must be at least 0"},
      {[&] { Adam(a, {.eps = -1e-8}); }, "[Adam] eps must be at least 0 and finite, got -1e-08"},
      {[&] { Adamax(a, {.eps = -1}); }, "[Adamax] eps must be at least 0 and finite, got -1"},
      {[&] { RMSprop(a, {.eps = -1}); }, "[RMSprop] eps must be at least 0 and finite, got -1"},
      {[&] { SGD(a, {.weight_decay = -0.5}); }, "[SGD] weight_decay must be at least 0 and finite, got -0.5"},
      {[&] { SGD(a, {.momentum = -0.5}); }, "[SGD] momentum must be in [0, 1], got -0.5"},
      {[&] { SGD(a, {.dampening = 2}); }, "[SGD] dampening must be in [0, 1], got 2"},
      {[&] { RMSprop(a, {.momentum = 2}); }, "[RMSprop] momentum must be in [0, 1], got 2"},
      {[&] { SGD(a, {.nesterov = true}); },
       "[SGD] nesterov needs momentum above 0 and dampening 0, got momentum 0 and"},
      {[&] { SGD(a, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}); }, "momentum 0.9 and dampening 0.1"},
  };
  for (const auto& refusal : refusals) check_error<ValueError>(refusal.make, {refusal.message});
}

TEST_CASE("bad parameter lists are refused") {
  const Variable a = leaf({1}), b = leaf({2});
  const struct {
    std::function<void()> make;
    std::string message;
  } refusals[] = {
      {[&] {
         Adam({{"a", a}, {"a", b}}, {});
       },
       "[Adam] the name 'a' is given twice"},
      {[&] {
         Adam({{"a", a}, {"b", a}}, {});
       },
       "[Adam] 'a' and 'b' are the same parameter"},
      {[&] {
         SGD({{.parameters = {{"a", a}}}, {.parameters = {{"a", b}}}});
       },
       "[SGD] the name 'a' is given twice"},
      {[&] {
         SGD({{.parameters = {{"a", a}}}, {.parameters = {{"b", a}}}});
       },
       "[SGD] 'a' and 'b' are the same parameter"},
      {[&] { Adam(ParameterList{}, {}); },
       "[Adam] expected parameters, got an empty list: a module lists those of the layers that were registered with "
       "add"},
      {[&] { Adam(std::vector<Group<AdamOptions>>{}); }, "[Adam] expected parameters, got an empty list"},
      {[&] {
         SGD({{.parameters = {{"a", a}}}, {.parameters = {}}});
       },
       "[SGD] expected parameters, got an empty list"},
      {[&] {
         Adam({{"a", Variable()}}, {});
       },
       "[Adam] 'a' is an empty Variable"},
      {[&] {
         Adam({{"a", a + b}}, {});
       },
       "[Adam] expected parameters, but 'a' is the output of 'add'"},
  };
  for (const auto& refusal : refusals) check_error<ValueError>(refusal.make, {refusal.message});
}

TEST_CASE("a refused step changes nothing") {
  const Variable a = leaf({1}), b = leaf({1, 2});
  Adam adam({{"a", a}, {"b", b}}, {});
  check_error<GraphError>([&] { adam.step(); }, {"[Adam] no parameter has a gradient", "backward"});
  set_gradient(a, {1});
  set_gradient(b, {1, 1});
  b.mutable_grad() = ones({3});
  check_error<ShapeError>([&] { adam.step(); }, {"[Adam] 'b' (2,) has a gradient of (3,)"});
  set_gradient(b, {1, 1});
  adam.groups()[0].options.beta1 = 2;
  check_error<ValueError>([&] { adam.step(); }, {"[Adam] beta1 must be in [0, 1), got 2"});
  adam.groups()[0].options.beta1 = 0.9;
  adam.lr() = not_a_number;
  check_error<ValueError>([&] { adam.step(); }, {"[Adam] lr", "nan"});
  CHECK(a.value()(0) == 1);
  CHECK(adam.step_count("a") == 0);
  CHECK(adam.state_dict().tensors.empty());
}

TEST_CASE("groups have their own options") {
  const Variable a = leaf({1}), b = leaf({1});
  SGD sgd({{.parameters = {{"a", a}}, .options = {.lr = 0.5}}, {.parameters = {{"b", b}}, .options = {.lr = 0.1}}});
  CHECK(sgd.parameters().size() == 2);
  sum(a + 2 * b).backward();
  sgd.step();
  CHECK(double(a.item()) == doctest::Approx(0.5));
  CHECK(double(b.item()) == doctest::Approx(0.8));
  sgd.zero_grad();
  CHECK_FALSE(a.has_grad());
}

TEST_CASE("steps are counted for each parameter") {
  const Variable often = leaf({0}), seldom = leaf({0});
  Adam adam({{"often", often}, {"seldom", seldom}}, {.lr = 0.1});
  for (int t = 0; t < 10; ++t) {
    adam.zero_grad();
    set_gradient(often, {1});
    if (t % 2 == 1) set_gradient(seldom, {1});
    adam.step();
  }
  CHECK(adam.step_count("often") == 10);
  CHECK(adam.step_count("seldom") == 5);
  // A constant gradient makes steps of lr, if the bias is corrected by the right count.
  CHECK(double(often.item()) == doctest::Approx(-1).epsilon(1e-5));
  CHECK(double(seldom.item()) == doctest::Approx(-0.5).epsilon(1e-5));
  check_error<ValueError>([&] { adam.step_count("nobody"); }, {"[Adam] has no parameter 'nobody'"});
  check_error<ValueError>([&] { adam.state("often", "exp_inf"); }, {"[Adam] 'often' has no state 'exp_inf'"});
}

TEST_CASE("state takes only the memory that the options need") {
  const auto bytes = [](auto make) {
    const Variable a = leaf(ones({100}));
    set_gradient(a, ones({100}));
    const std::unique_ptr<Optimizer> optimizer = make(ParameterList{{"a", a}});
    CHECK(optimizer->state_bytes() == 0);
    optimizer->step();
    return optimizer->state_bytes() / (100 * sizeof(Scalar));
  };
  CHECK(bytes([](auto a) { return std::make_unique<SGD>(a); }) == 0);
  CHECK(bytes([](auto a) { return std::make_unique<SGD>(a, SGDOptions{.momentum = 0.9}); }) == 1);
  CHECK(bytes([](auto a) { return std::make_unique<RMSprop>(a); }) == 1);
  CHECK(bytes([](auto a) { return std::make_unique<RMSprop>(a, RMSpropOptions{.momentum = 1, .centered = true}); }) ==
        3);
  CHECK(bytes([](auto a) { return std::make_unique<Adam>(a); }) == 2);
  CHECK(bytes([](auto a) { return std::make_unique<AdamW>(a, AdamWOptions{.amsgrad = true}); }) == 3);
  CHECK(bytes([](auto a) { return std::make_unique<Adamax>(a); }) == 2);
  CHECK(bytes([](auto a) { return std::make_unique<Adadelta>(a); }) == 2);
  CHECK(bytes([](auto a) { return std::make_unique<Lion>(a); }) == 1);
  CHECK(bytes([](auto a) { return std::make_unique<Adopt>(a); }) == 2);
  CHECK(bytes([](auto a) { return std::make_unique<Adan>(a); }) == 4);
  CHECK(bytes([](auto a) { return std::make_unique<AdEMAMix>(a); }) == 3);
}

TEST_CASE("a second moment that a row shares takes the memory of a column") {
  const auto bytes = [](auto make) {
    const Variable a = leaf(ones({30, 20, 5}));
    sum(a).backward();
    const auto optimizer = make(ParameterList{{"a", a}});
    optimizer->step();
    return optimizer->state_bytes() / sizeof(Scalar);
  };
  CHECK(bytes([](auto a) { return std::make_unique<Adam>(a, AdamOptions{.row_shared = true}); }) == 3000 + 30);
  CHECK(bytes([](auto a) { return std::make_unique<Adamax>(a, AdamaxOptions{.row_shared = true}); }) == 3000 + 30);
}

TEST_CASE("weight decay can leave out biases and norms, or whatever a name says") {
  const nn::Sequential model{nn::Linear(3, 4), nn::BatchNorm1d(4), nn::Linear(4, 2)};
  const auto names = [](const Group<AdamaxWOptions>& group) {
    std::string text;
    for (const auto& named : group.parameters) text += named.first + " ";
    return text;
  };
  const auto groups = mask_weight_decay(model.parameters(), AdamaxWOptions{.lr = 1, .weight_decay = 0.1});
  REQUIRE(groups.size() == 2);
  CHECK(names(groups[0]) == "0.weight 2.weight ");
  CHECK(names(groups[1]) == "0.bias 1.weight 1.bias 2.bias ");
  CHECK(groups[0].options.weight_decay == 0.1);
  CHECK(groups[1].options.weight_decay == 0);
  CHECK(groups[1].options.lr == 1);
  const auto by_name = mask_weight_decay(model.parameters(), AdamaxWOptions{},
                                         [](const std::string& name) { return name.starts_with("2."); });
  CHECK(names(by_name[0]) == "2.weight 2.bias ");
  CHECK(mask_weight_decay(model.parameters(), AdamWOptions{}, [](const auto&) { return true; }).size() == 1);

  const Variable w = leaf(ones({2, 2})), b = leaf(ones({2}));
  AdamaxW optimizer(mask_weight_decay({{"w", w}, {"b", b}}, AdamaxWOptions{.lr = 0.5, .weight_decay = 0.1}));
  sum(0 * sum(w) + 0 * sum(b)).backward();
  optimizer.step();
  CHECK(double(w.value()(0, 0)) == doctest::Approx(0.95));
  CHECK(b.value()(0) == 1);
}

TEST_CASE("moments without signal become 0, not subnormal") {
  const Variable x = leaf({0});
  Adam adam({{"x", x}}, {.beta1 = 0.5, .beta2 = 0.6});
  Adamax adamax({{"x", x}}, {.beta1 = 0.5});
  for (int t = 0; t < 2000; ++t) {
    set_gradient(x, constant(t == 0 ? 1 : 0));
    adam.step();
    adamax.step();
  }
  CHECK(adam.state("x", "exp_avg")(0) == 0);
  CHECK(adam.state("x", "exp_avg_sq")(0) == 0);
  CHECK(adamax.state("x", "exp_avg")(0) == 0);
}

TEST_CASE_TEMPLATE("NaN travels into theta, and stays with its element", Rule, XGRAD_ELEMENTWISE_RULES) {
  const Variable x = leaf(ones({40}));
  Rule optimizer({{"x", x}}, {});
  for (int t = 0; t < 3; ++t) {
    Tensor g = ones({40});
    if (t == 1) g(3) = g(38) = Scalar(not_a_number);
    set_gradient(x, g);
    optimizer.step();
  }
  for (std::size_t i = 0; i < 40; ++i) CHECK(std::isnan(x.value()(i)) == (i == 3 || i == 38));
}

TEST_CASE_TEMPLATE("the same bits with one thread and with two", Rule, XGRAD_ALL_RULES) {
  const int before = num_threads();
  std::vector<Tensor> results;
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    Generator generator(3);
    const Variable x = leaf(generator.normal({300001})), y = leaf(generator.normal({777}));
    Rule optimizer({{"y", y}, {"x", x}}, {});
    for (int t = 0; t < 3; ++t) {
      x.clear_grad(), y.clear_grad();
      set_gradient(x, generator.normal({300001}));
      set_gradient(y, generator.normal({777}));
      optimizer.step();
    }
    results.push_back(x.value());
    CHECK(results.back() == results.front());
  }
  set_num_threads(before);
}

TEST_CASE_TEMPLATE("training goes on from saved state as if it had not stopped", Rule, XGRAD_ALL_RULES) {
  Generator generator(1);
  std::vector<Tensor> gradients;
  for (int t = 0; t < 6; ++t) gradients.push_back(generator.normal({5}));
  const auto run = [&](const Variable& x, Optimizer& optimizer, std::size_t from, std::size_t to) {
    for (; from < to; ++from) {
      set_gradient(x, gradients[from]);
      optimizer.step();
    }
  };
  const Variable x = leaf(ones({5})), idle = leaf(ones({2}));
  Rule whole({{"x", x}, {"idle", idle}}, {});
  run(x, whole, 0, 3);
  const StateDict saved = whole.state_dict();
  const Variable copy = leaf(x.value());
  Rule resumed({{"x", copy}, {"idle", leaf(ones({2}))}}, {});
  resumed.load_state_dict(saved);
  run(x, whole, 3, 6);
  run(copy, resumed, 3, 6);
  CHECK(copy.value() == x.value());
  CHECK(resumed.step_count("x") == 6);
  CHECK(resumed.step_count("idle") == 0);
}

TEST_CASE("state of another optimizer is refused, with everything that is wrong") {
  const Variable x = leaf(ones({5}));
  Adam adam({{"x", x}}, {});
  set_gradient(x, ones({5}));
  adam.step();
  const StateDict saved = adam.state_dict();
  Adamax adamax({{"x", x}}, {});
  check_error<DataError>([&] { adamax.load_state_dict(saved); }, {"[Adamax]", "rule: expected Adamax, got 'Adam'",
                                                                  "missing: x.exp_inf", "unexpected: x.exp_avg_sq"});
  AdamW decoupled({{"x", x}}, {});  // whose names are Adam's
  check_error<DataError>([&] { decoupled.load_state_dict(saved); }, {"rule: expected AdamW, got 'Adam'"});
  Adam smaller({{"x", leaf(ones({4}))}}, {});
  check_error<DataError>([&] { smaller.load_state_dict(saved); }, {"x.exp_avg_sq: expected (4,), got (5,)"});
  StateDict bad = saved;
  bad.scalars[0].second = 1.5;
  check_error<DataError>([&] { adam.load_state_dict(bad); }, {"x.step: expected a count, got 1.5"});
  bad = saved;
  bad.tensors.push_back(bad.tensors[0]);
  check_error<DataError>([&] { adam.load_state_dict(bad); }, {"repeated: x.exp_avg"});
  CHECK(adam.step_count("x") == 1);
}

TEST_CASE_TEMPLATE("a parameter without elements makes its steps beside the others", Rule, XGRAD_ALL_RULES) {
  const Variable empty = leaf(zeros({0, 3})), x = leaf(ones({2}));
  Rule optimizer({{"empty", empty}, {"x", x}}, {});
  for (const Variable& variable : {empty, x}) set_gradient(variable, ones(variable.shape()));
  optimizer.step();
  optimizer.step();  // in ADOPT's first one nothing moves
  CHECK(x.value()(0) < 1);
  CHECK(optimizer.step_count("empty") == 2);
}
