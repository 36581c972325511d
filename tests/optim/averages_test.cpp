#include <doctest/doctest.h>
#include <error.h>
#include <optim/helpers.h>
#include <xgrad/optim/averages.h>

#include <cmath>
#include <vector>

using namespace xgrad;
using namespace xgrad::optim;
using doctest::Approx;

namespace {

double swapped(WeightAverage& average, const Variable& x) {
  const WeightAverage::Swap swap(average);
  return double(x.item());
}

}  // namespace

TEST_CASE("the average of section 7.2 is corrected for its start, Polyak's is a mean") {
  const Variable x = leaf(constant(0));
  WeightAverage exponential({{"x", x}}, {.decay = 0.75}), polyak({{"x", x}});
  double average = 0, sum = 0;
  for (int t = 1; t <= 20; ++t) {
    x.mutable_value().fill(Scalar(t * t));
    exponential.update(), polyak.update();
    average = 0.75 * average + 0.25 * t * t;
    sum += t * t;
    CHECK(swapped(exponential, x) == Approx(average / (1 - std::pow(0.75, t))).epsilon(1e-5));
    CHECK(swapped(polyak, x) == Approx(sum / t).epsilon(1e-5));
    CHECK(x.item() == t * t);
  }
  CHECK(exponential.updates() == 20);
}

TEST_CASE("averages of SGD that jumps about a minimum are nearer to it") {
  Generator generator(2);
  const Variable x = leaf(generator.normal({50}));
  SGD sgd({{"x", x}}, {.lr = 0.5});
  WeightAverage average({{"x", x}}, {.decay = 0.99});
  for (int t = 0; t < 2000; ++t) {
    set_gradient(x, x.value() + generator.normal({50}));
    sgd.step();
    average.update();
  }
  const auto distance = [&] { return double(xgrad::sum(square(x)).item()); };
  const double last = distance();
  const WeightAverage::Swap swap(average);
  CHECK(distance() < last / 20);
}

TEST_CASE("averages resume, and refuse what is not theirs") {
  const Variable x = leaf(constant(3)), y = leaf(ones({2, 2}));
  WeightAverage average({{"x", x}, {"y", y}}, {.decay = 0.9});
  average.update();
  const StateDict saved = average.state_dict();
  WeightAverage resumed({{"x", x}, {"y", y}}, {.decay = 0.9});
  resumed.load_state_dict(saved);
  x.mutable_value().fill(5);
  average.update(), resumed.update();
  CHECK(swapped(average, x) == swapped(resumed, x));
  WeightAverage other({{"x", y}, {"z", x}}, {});
  check_error<DataError>([&] { other.load_state_dict(saved); },
                         {"[WeightAverage]", "x.average: expected (2, 2), got (1,)", "missing: z.average"});
  StateDict bad = saved;
  bad.scalars[0].second = -1;
  check_error<DataError>([&] { resumed.load_state_dict(bad); }, {"updates: expected"});
  bad = saved;
  bad.tensors.emplace_back("more", ones({1}));
  check_error<DataError>([&] { resumed.load_state_dict(bad); }, {"unexpected: more"});
}

TEST_CASE("a parameter of another shape is refused, named, and nothing changes") {
  const Variable x = leaf(constant(3)), y = leaf(ones({2, 2}));
  WeightAverage average({{"x", x}, {"y", y}});
  average.update();
  y.mutable_value() = ones({1, 2});
  x.mutable_value().fill(5);
  check_error<ShapeError>([&] { average.update(); }, {"[WeightAverage] 'y': expected (2, 2), got (1, 2)"});
  check_error<ShapeError>([&] { swapped(average, x); }, {"[WeightAverage] 'y': expected (2, 2), got (1, 2)"});
  y.mutable_value() = ones({2, 2});
  CHECK(average.updates() == 1);
  CHECK(swapped(average, x) == 3);
}

TEST_CASE("averages refuse bad options and bad moments") {
  const Variable x = leaf(constant(1));
  check_error<ValueError>(
      [&] {
        WeightAverage({{"x", x}}, {.decay = 1.0});
      },
      {"[WeightAverage] decay must be in [0, 1), got 1"});
  check_error<ValueError>([&] { WeightAverage(ParameterList{}); }, {"[WeightAverage] expected parameters"});
  WeightAverage average({{"x", x}});
  check_error<GraphError>([&] { swapped(average, x); }, {"there is no average yet"});
  average.update();
  const WeightAverage::Swap swap(average);
  check_error<GraphError>([&] { swapped(average, x); }, {"a second one while"});
  check_error<GraphError>([&] { average.update(); },
                          {"update() while the parameters are the weights to evaluate with"});
}
