// Cross entropy in all its forms.
#include <xgrad/autograd/check.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/losses.h>

#include <cmath>
#include <initializer_list>

#include "error.h"
#include "numbers.h"

using namespace xgrad;
using nn::Reduction;

TEST_CASE("cross_entropy is nll_loss of log_softmax") {
  const IndexTensor targets({1, 0, 3});
  const Variable x(Generator(1).normal({3, 4}, 0, 3));
  CHECK(nn::cross_entropy(x, targets).item() ==
        doctest::Approx(nn::nll_loss(log_softmax(x), targets).item()).epsilon(1e-6));
}

TEST_CASE("cross_entropy is stable for large, hidden and undefined logits") {
  const auto loss = [](const Tensor& x, std::int64_t target, double smoothing = 0) {
    return static_cast<double>(nn::cross_entropy(Variable(x), IndexTensor({target}), {smoothing}).item());
  };
  const auto n = static_cast<Scalar>(not_a_number), inf = static_cast<Scalar>(infinity);
  CHECK(loss(Tensor({{1e4, -1e4, 0}}), 0) == 0);
  CHECK(loss(Tensor({{1e4, -1e4, 0}}), 1) == doctest::Approx(2e4));
  CHECK(loss(Tensor({{1e4, 1e4, -1e4}}), 0) == doctest::Approx(std::log(2)));
  CHECK(loss(Tensor({{0, -inf, 0}}), 0) == doctest::Approx(std::log(2)));  // a class that is ruled out
  CHECK(loss(Tensor({{0, -inf, 0}}), 1) == infinity);
  CHECK(loss(Tensor({{0, -inf, 0}}), 0, 0.1) == infinity);
  const nn::CrossEntropyOptions without_it{.label_smoothing = 0.1, .class_weights = {1, 0, 1}};
  CHECK(std::isfinite(nn::cross_entropy(Variable(Tensor({{0, -inf, 0}})), {0}, without_it).item()));
  for (const Tensor& x : {Tensor({{n, 0, 0}}), Tensor({{0, n, 0}}), Tensor({{0, 0, n}}), Tensor({{inf, 0, 0}})})
    for (const std::int64_t target : {0, 1, 2}) CHECK(std::isnan(loss(x, target)));

  // 3e6 samples of loss log(2): adding in float would stop growing at 2^24.
  const Variable many(zeros({3'000'000, 2}));
  IndexTensor targets = IndexTensor::from_shape({many.shape()[0]});
  targets.fill(1);
  CHECK(nn::cross_entropy(many, targets).item() == doctest::Approx(std::log(2)).epsilon(1e-6));
}

TEST_CASE("class weights, samples to ignore and positions: against the definition, sample by sample") {
  const std::vector<double> weights = {2, 0.5, 1};
  const Tensor logits = Generator(3).normal({2, 3, 2, 2}, 0, 2);
  IndexTensor targets = IndexTensor::from_shape({2, 2, 2});
  const std::int64_t classes[] = {0, 2, -100, 1, 1, 0, -100, 2};
  std::copy(std::begin(classes), std::end(classes), targets.begin());
  for (const double smoothing : {0.0, 0.3})
    for (const bool weighted : {false, true}) {
      const nn::CrossEntropyOptions base{.label_smoothing = smoothing,
                                         .class_weights = weighted ? weights : std::vector<double>(),
                                         .ignore_index = -100};
      double total = 0, sum_of_weights = 0;
      std::vector<double> each;
      for (std::size_t i = 0; i < 8; ++i) {
        const auto at = [&](std::size_t c) { return double(logits.data()[(i / 4 * 3 + c) * 4 + i % 4]); };
        const double log_sum = std::log(std::exp(at(0)) + std::exp(at(1)) + std::exp(at(2)));
        each.push_back(0);
        if (classes[i] < 0) continue;
        for (std::size_t c = 0; c < 3; ++c) {
          const double q = (1 - smoothing) * double(classes[i] == std::int64_t(c)) + smoothing / 3;
          each.back() += q * (weighted ? weights[c] : 1) * (log_sum - at(c));
        }
        total += each.back(), sum_of_weights += weighted ? weights[std::size_t(classes[i])] : 1;
      }
      const auto loss = [&](const Variable& x, Reduction reduction) {
        nn::CrossEntropyOptions options = base;
        options.reduction = reduction;
        return nn::cross_entropy(x, targets, options);
      };
      const Variable x(logits, true);
      CHECK(double(loss(x, Reduction::mean).item()) == doctest::Approx(total / sum_of_weights).epsilon(1e-6));
      CHECK(double(loss(x, Reduction::sum).item()) == doctest::Approx(total).epsilon(1e-6));
      const Variable none = loss(x, Reduction::none);
      CHECK(none.shape() == Shape{2, 2, 2});
      for (std::size_t i = 0; i < 8; ++i)
        CHECK(double(none.value().data()[i]) == doctest::Approx(each[i]).epsilon(1e-5));
      for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
        const auto run = [&](const auto& v) { return loss(v[0], reduction); };
        CHECK_NOTHROW(check_gradients(run, {x}));
        CHECK_NOTHROW(check_second_gradients(run, {x}));
      }
    }
}

TEST_CASE("soft targets: one-hot ones are classes, and both sides have gradients") {
  const Variable x(Generator(1).normal({3, 4}), true), q(Generator(2).uniform({3, 4}, 0.1, 1), true);
  const Tensor hot({{0, 1, 0, 0}, {1, 0, 0, 0}, {0, 0, 0, 1}});
  CHECK(double(nn::soft_cross_entropy(x, Variable(hot)).item()) ==
        doctest::Approx(double(nn::cross_entropy(x, {1, 0, 3}).item())).epsilon(1e-6));
  for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
    const auto run = [&](const auto& v) { return nn::soft_cross_entropy(v[0], v[1], reduction); };
    CHECK_NOTHROW(check_gradients(run, {x, q}));
    CHECK_NOTHROW(check_second_gradients(run, {x, q}));
  }
  CHECK(nn::soft_cross_entropy(x, q, Reduction::none).shape() == Shape{3});
  check_error<ShapeError>(
      [&] {
        nn::soft_cross_entropy(x, Variable(ones({3, 3})));
      },
      {"[soft_cross_entropy]", "(3, 3)"});
  check_error<ShapeError>([&] { nn::soft_cross_entropy(Variable(ones({1})), Variable(ones({1}))); },
                          {"[soft_cross_entropy]", "(1,)"});
}

TEST_CASE("cross_entropy refuses what does not fit its options") {
  const Variable x(Generator(1).normal({2, 3}), true);
  const auto entropy = [&](nn::CrossEntropyOptions options, const IndexTensor& targets = {0, 1}) {
    return [=] { nn::cross_entropy(x, targets, options); };
  };
  check_error<ValueError>(entropy({.class_weights = {1, 2}}), {"[cross_entropy] expected 3 class_weights, got 2"});
  check_error<ValueError>(entropy({.class_weights = {1, -2, 1}}), {"class_weights of at least 0, got -2"});
  check_error<ValueError>(entropy({.class_weights = {0, 0, 1}}),
                          {"[cross_entropy] no target of 2 counts, or has a weight"});
  check_error<ValueError>(entropy({.ignore_index = 1}, {1, 1}), {"no target of 2 counts"});
  CHECK(nn::cross_entropy(x, {1, 1}, {.reduction = Reduction::sum, .ignore_index = 1}).item() == 0);
  check_error<ShapeError>(
      [] {
        nn::cross_entropy(Variable(ones({2, 3, 4})), IndexTensor::from_shape({2, 3}));
      },
      {"[cross_entropy] targets (2, 3) do not match logits (2, 3, 4)"});
}
