// K-FAC as a rule among others: bits, states, what it refuses, and a problem that it is for.
#include <doctest/doctest.h>
#include <error.h>
#include <optim/helpers.h>
#include <xgrad/core/parallel.h>
#include <xgrad/nn/convolution.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/losses.h>
#include <xgrad/optim/explain.h>
#include <xgrad/optim/kfac.h>

#include <functional>
#include <limits>
#include <memory>

using namespace xgrad;
using namespace xgrad::optim;

namespace {

// A network of a convolution and a layer, its labels, and an optimizer of both.
struct Small {
  explicit Small(KFACOptions options = {}) : convolution(2, 6, 3, {.stride = 2, .padding = 1}), layer(150, 10) {
    options.lr = 0.0625, options.update_every = 2, options.inverse_every = 3;
    optimizer = std::make_unique<RuleGroups>(
        RuleGroup({{"convolution", convolution.weight}, {"layer", layer.weight}}, KFACRule(options)),
        RuleGroup({{"convolution.bias", convolution.bias}, {"layer.bias", layer.bias}}, SGDRule({.lr = 0.0625})));
  }
  Tensor after(int steps, Generator& data) {
    for (int t = 0; t < steps; ++t) {
      const Variable x(data.normal({40, 2, 10, 10}));
      IndexTensor labels = IndexTensor::from_shape({40});
      for (auto& label : labels) label = std::int64_t(data.below(10));
      optimizer->step([&] { return nn::cross_entropy(layer(reshape(relu(convolution(x)), {40, 150})), labels); });
    }
    return concatenate({reshape(convolution.weight, {108}), reshape(layer.weight, {1500})}, 0).value();
  }
  nn::Conv2d convolution;
  nn::Linear layer;
  std::unique_ptr<RuleGroups> optimizer;
};

// Steps until `done`, of at most `most`.
template <class Done>
int count_steps(Optimizer& optimizer, const Closure& closure, int most, Done done) {
  for (int t = 1; t <= most; ++t) {
    double loss = std::numeric_limits<double>::infinity();
    try {
      loss = optimizer.step(closure);
    } catch (const ValueError&) {  // it has diverged
      return most;
    }
    if (done(loss)) return t;
  }
  return most;
}

}  // namespace

TEST_CASE("K-FAC has the same bits for any number of threads, and goes on from saved state") {
  const int before = num_threads();
  Tensor first;
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    seed(5);
    Generator data(5);
    const Tensor now = Small().after(7, data);
    if (threads == 1) first = now;
    CHECK(all_finite(now));
    CHECK(now == first);
  }
  set_num_threads(before);

  for (const int steps : {1, 2, 3, 4}) {
    CAPTURE(steps);
    seed(6);
    Generator data(6);
    Small whole({.momentum = 0.5, .seed = 3});
    const Tensor half = whole.after(steps, data);
    Small resumed({.momentum = 0.5, .seed = 3});
    for (std::size_t i = 0; i < 4; ++i)
      resumed.optimizer->parameters()[i].second.mutable_value() = whole.optimizer->parameters()[i].second.value();
    resumed.optimizer->load_state_dict(whole.optimizer->state_dict());
    Generator again = data;
    const Tensor end = whole.after(6, data);
    CHECK(resumed.after(6, again) == end);
    CHECK(end != half);
  }
}

TEST_CASE("K-FAC beside rules that need other things of the same loss") {
  seed(2);
  Generator data(2);
  const Variable x(data.normal({8, 3})), a = leaf(data.normal({3, 3})), b = leaf(data.normal({2, 3}));
  const Tensor target = data.normal({8, 2});
  const Variable alone = leaf(a.value()), fixed(b.value());
  RuleGroups mixed(RuleGroup({{"a", a}}, KFACRule({.update_every = 1})),
                   RuleGroup({{"b", b}}, SophiaRule({.lr = 1e-30, .interval = 2})));
  KFAC optimizer({{"a", alone}}, {.update_every = 1});
  for (int t = 0; t < 4; ++t) {
    mixed.step([&] { return nn::mse_loss(linear(tanh(linear(x, a)), b), target); });
    optimizer.step([&] { return nn::mse_loss(linear(tanh(linear(x, alone)), fixed), target); });
  }
  for (std::size_t i = 0; i < 9; ++i)
    CHECK(double(a.value().data()[i]) ==
          doctest::Approx(double(alone.value().data()[i])).epsilon(in_double ? 1e-12 : 1e-4));
  CHECK(all_finite(mixed.state("b", "hessian")));
  CHECK(explain(mixed).size() == 2);
}

TEST_CASE("K-FAC stays where there is no gradient, and where a batch is empty") {
  const Tensor start = Generator(8).normal({3, 4});
  const Variable w = leaf(start), unused = leaf(ones({2, 2}));
  KFAC optimizer({{"w", w}, {"unused", unused}}, {.update_every = 1, .inverse_every = 2});
  for (int t = 0; t < 3; ++t) optimizer.step([&] { return sum(linear(Variable(ones({5, 4})), w) * 0.0); });
  CHECK(w.value() == start);
  for (int t = 0; t < 3; ++t) optimizer.step([&] { return sum(linear(Variable(zeros({0, 4})), w)); });
  CHECK(w.value() == start);
  CHECK(all_finite(optimizer.state("w", "a_inverse")));
  CHECK(optimizer.step_count("unused") == 0);
}

TEST_CASE("on badly conditioned least squares K-FAC needs fewer steps than SGD with momentum at its best rate") {
  Generator data(7);
  Tensor x = data.normal({200, 6});
  for (std::size_t i = 0; i < 200; ++i)
    for (std::size_t j = 0; j < 6; ++j) x(i, j) *= Scalar(std::pow(2.0, -double(j)));  // squared: from 1 to 1 / 1024
  const Tensor target = linear(x, Variable(data.normal({4, 6}))).value();
  const auto steps_of = [&](const std::function<std::unique_ptr<Optimizer>(const ParameterList&)>& make) {
    const Variable w = leaf(zeros({4, 6}));
    const auto loss = [&] { return nn::mse_loss(linear(x, w), target); };
    const double start = loss().item();
    return count_steps(*make({{"w", w}}), loss, 2000, [&](double now) { return now < 1e-6 * start; });
  };
  int best = 2000;
  for (double lr = 1e-3; lr < 10; lr *= 2)
    best = std::min(best, steps_of([lr](const ParameterList& list) {
                      return std::make_unique<SGD>(list, SGDOptions{.lr = lr, .momentum = 0.9});
                    }));
  const int of_kfac = steps_of([](const ParameterList& list) {
    return std::make_unique<KFAC>(
        list,
        KFACOptions{.lr = 0.5, .momentum = 0, .damping = 1e-8, .kl_clip = 0, .update_every = 1, .inverse_every = 1});
  });
  MESSAGE("SGD ", best, ", K-FAC ", of_kfac);
  CHECK(best < 2000);
  CHECK(of_kfac < best / 5);
}

TEST_CASE("K-FAC refuses what is out of range, and weights that it cannot see, before anything changes") {
  const ParameterList matrix = {{"w", leaf(ones({2, 2}))}}, vector = {{"b", leaf(ones({3}))}};
  const auto kfac = [&](KFACOptions options) { return [=] { KFAC(matrix, options); }; };
  const struct {
    std::function<void()> make;
    std::string message;
  } refusals[] = {
      {kfac({.momentum = 1}), "[KFAC] momentum must be in [0, 1), got 1"},
      {kfac({.damping = 0}), "[KFAC] damping must be above 0 and finite, got 0"},
      {kfac({.kl_clip = -1}), "[KFAC] kl_clip must be at least 0 and finite, got -1"},
      {kfac({.stat_decay = 1}), "[KFAC] stat_decay must be in [0, 1), got 1"},
      {kfac({.update_every = 0}), "[KFAC] update_every must be at least 1, got 0"},
      {kfac({.inverse_every = 0}), "[KFAC] inverse_every must be at least 1, got 0"},
      {[&] { KFAC{vector}; }, "[KFAC] 'b' (3,): expected at least 2 dimensions"},
  };
  for (const auto& [make, message] : refusals) check_error<ValueError>(make, {message});
  check_error<GraphError>([&] { KFAC(matrix).step(); }, {"[KFAC] a step needs the loss", "call step(closure)"});

  Generator data(3);
  const Variable weight = leaf(data.normal({4, 1, 3, 3})), w = leaf(ones({2, 3})), images(data.normal({2, 2, 5, 5}));
  const Variable rows(data.normal({4, 3}));
  const Tensor start = w.value();
  RuleGroups optimizer(RuleGroup({{"w", w}}, KFACRule()), RuleGroup({{"weight", weight}}, KFACRule()));
  const auto step = [&](const std::function<Variable()>& other) {
    return [&, other] { optimizer.step([&] { return sum(square(linear(rows, w))) + sum(square(other())); }); };
  };
  check_error<ValueError>(step([&] { return conv2d(images, weight, {}, {.groups = 2}); }),
                          {"[KFAC] 'weight' (4, 1, 3, 3) is read by a convolution in groups: put it into a group with "
                           "another rule"});
  check_error<ValueError>(
      step([&] { return weight; }),
      {"[KFAC] 'weight' (4, 1, 3, 3) is read by no linear() or conv2d(): put it into a group with another rule"});
  CHECK(w.value() == start);
  CHECK(optimizer.step_count("w") == 0);
  CHECK(optimizer.state_dict().tensors.empty());
}
