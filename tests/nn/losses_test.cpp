#include <xgrad/autograd/check.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/losses.h>

#include <cmath>
#include <limits>
#include <type_traits>

#include "error.h"
#include "numbers.h"

using namespace xgrad;
using nn::Reduction;

namespace {

constexpr Reduction reductions[] = {Reduction::mean, Reduction::sum, Reduction::none};

struct ClassLoss {
  std::string name;
  Variable (*apply)(const Variable&, const IndexTensor&, Reduction);
};
const ClassLoss class_losses[] = {
    {"cross_entropy", [](auto& x, auto& t, Reduction r) { return nn::cross_entropy(x, t, {.reduction = r}); }},
    {"cross_entropy, smoothed",
     [](auto& x, auto& t, Reduction r) { return nn::cross_entropy(x, t, {.label_smoothing = 0.2, .reduction = r}); }},
    {"cross_entropy, weighted",
     [](auto& x, auto& t, Reduction r) {
       std::vector<double> weights = {2, 0.5, 1, 3, 0.25};
       weights.resize(x.shape().back());
       return nn::cross_entropy(x, t, {.label_smoothing = 0.2, .reduction = r, .class_weights = weights});
     }},
    {"nll_loss", nn::nll_loss},
};

struct PairLoss {
  std::string name;
  Variable (*apply)(const Variable&, const Variable&, Reduction);
};
const PairLoss pair_losses[] = {
    {"mse_loss", nn::mse_loss},
    {"l1_loss", nn::l1_loss},
    {"huber_loss", [](auto& x, auto& t, Reduction r) { return nn::huber_loss(x, t, {.delta = 0.7, .reduction = r}); }},
    {"smooth_l1_loss",
     [](auto& x, auto& t, Reduction r) { return nn::smooth_l1_loss(x, t, {.beta = 0.7, .reduction = r}); }},
    {"binary_cross_entropy_with_logits", nn::binary_cross_entropy_with_logits},
    {"focal_loss",
     [](auto& x, auto& t, Reduction r) { return nn::focal_loss(x, t, {.gamma = 2, .alpha = 0.7, .reduction = r}); }},
    {"kl_div_loss", [](auto& x, auto& t, Reduction r) { return nn::kl_div_loss(x, t, r); }},
    {"gaussian_nll_loss",
     [](auto& x, auto& t, Reduction r) {
       return nn::gaussian_nll_loss(x, t, Variable(full(x.shape(), Scalar(0.5))), {.reduction = r});
     }},
    {"poisson_nll_loss", nn::poisson_nll_loss},
    {"hinge_loss", nn::hinge_loss},
};

// `none` has the shape of the targets, and `sum` and `mean` follow from it.
template <class Apply>
void check_reductions(Apply apply, const Shape& shape) {
  const Variable each = apply(Reduction::none);
  REQUIRE(each.shape() == shape);
  double total = 0;
  for (const Scalar loss : each.value()) total += static_cast<double>(loss);
  CHECK(apply(Reduction::sum).item() == doctest::Approx(total).epsilon(1e-6));
  CHECK(apply(Reduction::mean).item() == doctest::Approx(total / static_cast<double>(each.size())).epsilon(1e-6));
  CHECK(apply(Reduction::mean).shape() == Shape{});
}

Variable scalar(double value) { return Variable(full({1}, static_cast<Scalar>(value))); }

}  // namespace

TEST_CASE("losses have the gradients and second gradients of their values") {
  const IndexTensor targets({3, 0, 2, 2});
  for (const Reduction reduction : reductions) {
    for (const ClassLoss& loss : class_losses) {
      CAPTURE(loss.name);
      const Variable x(Generator(1).normal({4, 5}), true);
      const auto run = [&](const auto& v) { return loss.apply(v[0], targets, reduction); };
      CHECK_NOTHROW(check_gradients(run, {x}));
      CHECK_NOTHROW(check_second_gradients(run, {x}));
    }
    for (const PairLoss& loss : pair_losses) {
      CAPTURE(loss.name);
      const Variable x(Tensor({{-2, -0.375, 0.4375}, {0.875, 1.5, 3}}), true),
          t(Tensor({{0.125, 0.25, 1}, {0.5, 0.375, 0.875}}), true);
      const auto run = [&](const auto& v) { return loss.apply(v[0], v[1], reduction); };
      CHECK_NOTHROW(check_gradients(run, {x, t}));
      CHECK_NOTHROW(check_second_gradients(run, {x, t}));
    }
  }
}

TEST_CASE("reductions agree with one another") {
  const IndexTensor targets({3, 0, 2, 2});
  const Variable x(Generator(1).normal({4, 5})), t(Generator(2).uniform({4, 5}, 0, 1));
  for (const ClassLoss& loss : class_losses) {
    CAPTURE(loss.name);
    if (loss.name.find("weighted") == std::string::npos)  // whose mean divides by the weights
      check_reductions([&](Reduction r) { return loss.apply(x, targets, r); }, {4});
  }
  for (const PairLoss& loss : pair_losses) {
    CAPTURE(loss.name);
    check_reductions([&](Reduction r) { return loss.apply(x, t, r); }, {4, 5});
  }
}

TEST_CASE("binary_cross_entropy_with_logits neither overflows nor cancels") {
  struct Case {
    double logit, target, loss;
  };
  const Case cases[] = {{0, 0, std::log(2)},    {0, 1, std::log(2)},     {1000, 1, 0},
                        {-1000, 0, 0},          {1000, 0, 1000},         {-1000, 1, 1000},
                        {30, 1, std::exp(-30)}, {-30, 0, std::exp(-30)}, {2, 0.5, std::log1p(std::exp(-2)) + 1}};
  for (const Case& c : cases) {
    CAPTURE(c.logit);
    CAPTURE(c.target);
    const Variable x(full({1}, static_cast<Scalar>(c.logit)), true);
    const Variable y = nn::binary_cross_entropy_with_logits(x, scalar(c.target));
    CHECK(y.item() == doctest::Approx(c.loss).epsilon(1e-6).scale(1e-20));
    y.backward();
    CHECK(x.grad()(0) == doctest::Approx(1 / (1 + std::exp(-c.logit)) - c.target).epsilon(1e-6));
  }
  CHECK(std::isnan(nn::binary_cross_entropy_with_logits(scalar(not_a_number), scalar(0)).item()));
}

TEST_CASE("huber_loss and smooth_l1_loss are quadratic within and linear beyond") {
  struct Case {
    double d, huber, smooth;
  };
  const double limit = 0.5;
  const Case cases[] = {{0, 0, 0}, {0.25, 0.03125, 0.0625}, {-0.5, 0.125, 0.25}, {2, 0.875, 1.75}, {-2, 0.875, 1.75}};
  for (const Case& c : cases) {
    CAPTURE(c.d);
    CHECK(nn::huber_loss(scalar(c.d), scalar(0), {.delta = limit}).item() == doctest::Approx(c.huber));
    CHECK(nn::smooth_l1_loss(scalar(c.d), scalar(0), {.beta = limit}).item() == doctest::Approx(c.smooth));
    CHECK(nn::smooth_l1_loss(scalar(c.d), scalar(0), {.beta = 0}).item() == doctest::Approx(std::abs(c.d)));
  }
  CHECK(std::isnan(nn::huber_loss(scalar(not_a_number), scalar(0)).item()));
}

TEST_CASE("losses on classes refuse what does not fit") {
  const Variable x(Generator(1).normal({2, 3}), true);
  for (const ClassLoss& loss : class_losses) {
    const std::string name = loss.name.substr(0, loss.name.find(','));
    CAPTURE(name);
    const auto run = [&](const Variable& scores, const IndexTensor& targets) {
      return [=, &loss] { loss.apply(scores, targets, Reduction::mean); };
    };
    check_error<ValueError>(run(x, {2, 3}), {"[" + name + "] target 3 at position 1 is not below the class count 3"});
    check_error<ValueError>(run(x, {-1, 0}), {"[" + name + "] target -1 at position 0 is negative"});
    check_error<ShapeError>(run(x, {0}), {name, "(1,)", "(2, 3)"});
    check_error<ShapeError>(run(x, IndexTensor::from_shape({2, 1})), {name, "(2, 1)", "(2, 3)"});
    check_error<ShapeError>(run(scalar(1), {0}), {name, "(1,)"});
    check_error<ValueError>(run(Variable(zeros({0, 3})), IndexTensor::from_shape({0})), {name, "(0, 3)"});
  }
  for (const double smoothing : {-0.1, 1.1, not_a_number})
    check_error<ValueError>(
        [&] {
          nn::cross_entropy(x, {0, 1}, {.label_smoothing = smoothing});
        },
        {"[cross_entropy]", "label_smoothing", message(smoothing)});
}

TEST_CASE("losses on pairs refuse unequal shapes, nothing, and bad options") {
  for (const PairLoss& loss : pair_losses) {
    CAPTURE(loss.name);
    const auto run = [&](const Shape& x, const Shape& t) {
      return [=, &loss] { loss.apply(Variable(zeros(x)), Variable(zeros(t)), Reduction::mean); };
    };
    check_error<ShapeError>(run({3, 1}, {3}), {loss.name, "(3, 1)", "(3,)"});
    check_error<ValueError>(run({0, 2}, {0, 2}), {loss.name, "(0, 2)"});
  }
  const Variable one = scalar(1);
  for (const double bad : {-1.0, not_a_number, infinity}) {
    check_error<ValueError>([&] { nn::huber_loss(one, one, {.delta = bad}); }, {"[huber_loss]", "delta", message(bad)});
    check_error<ValueError>([&] { nn::smooth_l1_loss(one, one, {.beta = bad}); },
                            {"[smooth_l1_loss]", "beta", message(bad)});
  }
  check_error<ValueError>([&] { nn::huber_loss(one, one, {.delta = 0}); }, {"[huber_loss]", "delta", "0"});
}

TEST_CASE("the other losses are their formulas") {
  struct Case {
    std::string name;
    Variable loss;
    double expected;
  };
  const double p = 1 / (1 + std::exp(-2.0));
  const Variable a(Tensor({{3, 4}, {0, 0}})), b(Tensor({{4, 3}, {1, 0}})), c(Tensor({{-3, -4}, {1, 0}}));
  for (const Case& one : {
           Case{"focal, 1", nn::focal_loss(scalar(2), scalar(1)), -0.25 * (1 - p) * (1 - p) * std::log(p)},
           Case{"focal, 0", nn::focal_loss(scalar(2), scalar(0)), -0.75 * p * p * std::log(1 - p)},
           Case{"focal, gamma 0", nn::focal_loss(scalar(2), scalar(1), {.gamma = 0, .alpha = 0.5}), -std::log(p) / 2},
           Case{"kl", nn::kl_div_loss(scalar(std::log(0.25)), scalar(0.5)), 0.5 * std::log(2)},
           Case{"kl, q = 0", nn::kl_div_loss(scalar(-3), scalar(0)), 0},
           Case{"gaussian", nn::gaussian_nll_loss(scalar(1), scalar(3), scalar(4)), (std::log(4) + 1) / 2},
           Case{"gaussian, eps", nn::gaussian_nll_loss(scalar(1), scalar(1), scalar(0), {.eps = 0.25}),
                std::log(0.25) / 2},
           Case{"poisson", nn::poisson_nll_loss(scalar(2), scalar(3)), std::exp(2) - 6},
           Case{"hinge, right", nn::hinge_loss(scalar(2), scalar(1)), 0},
           Case{"hinge, wrong", nn::hinge_loss(scalar(2), scalar(-1)), 3},
           Case{"cosine, alike", nn::cosine_embedding_loss(a, b, {1, 1}), (1 - 24. / 25 + 1) / 2},
           Case{"cosine, unlike", nn::cosine_embedding_loss(a, b, {-1, -1}, {.margin = 0.5}), (24. / 25 - 0.5) / 2},
           Case{"triplet", nn::triplet_margin_loss(a, b, c), (std::sqrt(2) - 10 + 1 > 0 ? 1 : 0) / 2. + 0.5},
           Case{"triplet, sum", nn::triplet_margin_loss(b, a, c, {.margin = 9, .reduction = Reduction::sum}),
                std::sqrt(2) - std::sqrt(98) + 9 + 1 - 0 + 9},
       }) {
    CAPTURE(one.name);
    CHECK(double(one.loss.item()) == doctest::Approx(one.expected).epsilon(1e-5));
  }
  const Variable x(Generator(1).normal({3, 4}), true), y(Generator(2).normal({3, 4}), true),
      z(Generator(3).normal({3, 4}), true);
  const Variable v(Generator(4).uniform({3, 4}, 0.5, 2), true);
  for (const Reduction reduction : reductions) {
    const auto cosine = [&](const auto& in) {
      return nn::cosine_embedding_loss(in[0], in[1], {1, -1, 1}, {.margin = -0.9, .reduction = reduction});
    };
    const auto triplet = [&](const auto& in) {
      return nn::triplet_margin_loss(in[0], in[1], in[2], {.margin = 5, .reduction = reduction});
    };
    const auto gaussian = [&](const auto& in) {
      return nn::gaussian_nll_loss(in[0], in[1], in[2], {.reduction = reduction});
    };
    CHECK_NOTHROW(check_gradients(cosine, {x, y}));
    CHECK_NOTHROW(check_second_gradients(cosine, {x, y}));
    CHECK_NOTHROW(check_gradients(triplet, {x, y, z}));
    CHECK_NOTHROW(check_second_gradients(triplet, {x, y, z}));
    CHECK_NOTHROW(check_gradients(gaussian, {x, y, v}));
    CHECK_NOTHROW(check_second_gradients(gaussian, {x, y, v}));
  }
}

TEST_CASE("the other losses refuse what does not fit") {
  const Variable x(Generator(1).normal({2, 3}), true), one = scalar(1);
  check_error<ValueError>([&] { nn::focal_loss(one, one, {.gamma = -1}); }, {"[focal_loss]", "gamma", "-1"});
  check_error<ValueError>([&] { nn::focal_loss(one, one, {.alpha = 2}); }, {"[focal_loss]", "alpha", "2"});
  check_error<ValueError>([&] { nn::gaussian_nll_loss(one, one, one, {.eps = 0}); }, {"[gaussian_nll_loss]", "eps"});
  check_error<ShapeError>([&] { nn::gaussian_nll_loss(one, one, x); }, {"[gaussian_nll_loss]", "(2, 3)"});
  check_error<ShapeError>([&] { nn::cosine_embedding_loss(x, one, {1}); },
                          {"[cosine_embedding_loss]", "(2, 3) and (1,)"});
  check_error<ShapeError>([&] { nn::cosine_embedding_loss(x, x, {1}); }, {"a target for each of 2 pairs, got (1,)"});
  check_error<ValueError>([&] { nn::cosine_embedding_loss(x, x, {1, 0}); }, {"targets 1 and -1, got 0 at position 1"});
  check_error<ValueError>([&] { nn::triplet_margin_loss(x, x, x, {.margin = infinity}); },
                          {"[triplet_margin_loss]", "margin"});
  check_error<ShapeError>([&] { nn::triplet_margin_loss(one, one, one); }, {"[triplet_margin_loss]", "(1,)"});
}
