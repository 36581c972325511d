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
