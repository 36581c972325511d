#include <xgrad/core/errors.h>
#include <xgrad/nn/metrics.h>

#include "error.h"
#include "numbers.h"

using namespace xgrad;

TEST_CASE("accuracy and the confusion matrix") {
  constexpr auto undefined = static_cast<Scalar>(not_a_number), endless = static_cast<Scalar>(infinity);
  struct Case {
    std::string name;
    Tensor scores;
    IndexTensor targets;
    double accuracy;
    IndexTensor matrix;
  };
  const Case cases[] = {
      {"all right", Tensor({{2, 1}, {1, 2}}), {0, 1}, 1, {{1, 0}, {0, 1}}},
      {"all wrong", Tensor({{2, 1}, {1, 2}}), {1, 0}, 0, {{0, 1}, {1, 0}}},
      {"rows are the truth",
       Tensor({{0, 5, 1}, {0, 1, 5}, {0, 1, 5}, {5, 1, 0}}),
       {1, 1, 1, 0},
       0.5,
       {{1, 0, 0}, {0, 1, 2}, {0, 0, 0}}},
      {"the first of equals", Tensor({{1, 1, 1}, {0, 1, 1}}), {0, 2}, 0.5, {{1, 0, 0}, {0, 0, 0}, {0, 1, 0}}},
      {"NaN predicts nothing",
       Tensor({{undefined, 1}, {1, undefined}, {undefined, undefined}, {1, 0}}),
       {1, 0, 0, 0},
       0.25,
       {{1, 0}, {0, 0}}},
      {"infinities", Tensor({{-endless, -1}, {endless, 9}}), {1, 0}, 1, {{1, 0}, {0, 1}}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(nn::accuracy(Variable(c.scores), c.targets) == c.accuracy);
    CHECK(nn::confusion_matrix(Variable(c.scores), c.targets) == c.matrix);
  }
}

TEST_CASE("metrics refuse what does not fit") {
  struct Metric {
    std::string name;
    void (*apply)(const Variable&, const IndexTensor&);
  };
  const Metric metrics[] = {{"[accuracy]", [](auto& x, auto& t) { nn::accuracy(x, t); }},
                            {"[top_k_accuracy]", [](auto& x, auto& t) { nn::top_k_accuracy(x, t, 1); }},
                            {"[confusion_matrix]", [](auto& x, auto& t) { nn::confusion_matrix(x, t); }}};
  const Variable x(Tensor({{1, 2}, {2, 1}}));
  for (const Metric& metric : metrics) {
    CAPTURE(metric.name);
    check_error<ValueError>([&] { metric.apply(x, {0, 2}); }, {metric.name, "target 2", "position 1", "count 2"});
    check_error<ValueError>([&] { metric.apply(x, {-1, 0}); }, {metric.name, "target -1", "position 0"});
    check_error<ShapeError>([&] { metric.apply(x, {0, 1, 1}); }, {metric.name, "(3,)", "(2, 2)"});
    check_error<ShapeError>([&] { metric.apply(Variable(ones({2})), {0, 1}); }, {metric.name, "(2,)"});
    check_error<ValueError>(
        [&] {
          metric.apply(Variable(zeros({0, 2})), IndexTensor::from_shape({0}));
        },
        {metric.name, "(0, 2)"});
  }
}

TEST_CASE("top-k accuracy counts targets among the best") {
  const Variable scores(
      Tensor({{3, 1, 2, 0}, {0, 1, 1, 1}, {4, 3, 2, 1}, {1, static_cast<Scalar>(not_a_number), 2, 3}}));
  const IndexTensor targets({2, 3, 3, 3});
  CHECK(nn::top_k_accuracy(scores, targets, 1) == 0);
  CHECK(nn::top_k_accuracy(scores, targets, 2) == 0.25);
  CHECK(nn::top_k_accuracy(scores, targets, 3) == 0.5);
  CHECK(nn::top_k_accuracy(scores, targets, 4) == 0.75);
  check_error<ValueError>([&] { nn::top_k_accuracy(scores, targets, 0); },
                          {"[top_k_accuracy]", "from 1 to 4", "got 0"});
  check_error<ValueError>([&] { nn::top_k_accuracy(scores, targets, 5); }, {"from 1 to 4", "got 5"});
}

TEST_CASE("precision, recall and F1 of each class") {
  const auto all = nn::class_metrics({{3, 1, 0}, {2, 4, 0}, {0, 0, 0}});
  CHECK(all[0].precision == doctest::Approx(0.6));
  CHECK(all[0].recall == doctest::Approx(0.75));
  CHECK(all[0].f1 == doctest::Approx(2 * 0.6 * 0.75 / 1.35));
  CHECK(all[0].support == 4);
  CHECK(all[1].precision == doctest::Approx(0.8));
  CHECK(all[1].recall == doctest::Approx(2. / 3));
  CHECK(all[2].f1 == 0);
  CHECK(all[2].support == 0);
  CHECK(nn::macro_f1({{3, 1, 0}, {2, 4, 0}, {0, 0, 0}}) == doctest::Approx((all[0].f1 + all[1].f1) / 3));
  check_error<ShapeError>([] { nn::class_metrics({{1, 2}}); }, {"[class_metrics]", "(1, 2)"});
}

TEST_CASE("the area under the ROC curve") {
  const auto area = [](const Tensor& scores, const IndexTensor& targets) {
    return nn::roc_auc(Variable(scores), targets);
  };
  CHECK(area({1, 2, 3, 4}, {0, 0, 1, 1}) == 1);
  CHECK(area({1, 2, 3, 4}, {1, 1, 0, 0}) == 0);
  CHECK(area({1, 1, 1}, {0, 1, 0}) == 0.5);
  CHECK(area({1, 3, 2, 2, 5}, {0, 1, 1, 0, 0}) == doctest::Approx((2 + 1.5) / 6));
  check_error<ShapeError>([&] { area({1, 2}, {0}); }, {"[roc_auc]", "(2,) and (1,)"});
  check_error<ValueError>([&] { area({1, 2}, {0, 2}); }, {"[roc_auc]", "target 2", "position 1"});
  check_error<ValueError>([&] { area({static_cast<Scalar>(not_a_number), 2}, {0, 1}); }, {"[roc_auc]", "score nan"});
  check_error<ValueError>([&] { area({1, 2}, {1, 1}); }, {"both classes, got 0 of 0 and 2 of 1"});
}
