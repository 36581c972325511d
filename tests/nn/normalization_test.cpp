#include <xgrad/autograd/check.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/normalization.h>

#include <cmath>
#include <limits>

#include "error.h"
#include "numbers.h"

using namespace xgrad;

namespace {

// Mean and biased variance of what `take` picks from x.
struct Moments {
  double mean = 0, variance = 0;
};
template <class Take>
Moments moments(const Tensor& x, Take take) {
  std::vector<double> values;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (take(i)) values.push_back(static_cast<double>(x.data()[i]));
  Moments result;
  for (double v : values) result.mean += v / static_cast<double>(values.size());
  for (double v : values) result.variance += (v - result.mean) * (v - result.mean) / static_cast<double>(values.size());
  return result;
}

void check_standard(const Moments& m) {
  CHECK(m.mean == doctest::Approx(0).epsilon(1e-5));
  CHECK(m.variance == doctest::Approx(1).epsilon(1e-3));
}

// A layer on an input of this shape.
struct Case {
  std::unique_ptr<nn::Module> layer;
  Shape shape;
};

std::vector<Case> layers() {
  std::vector<Case> cases;
  const auto add = [&](auto layer, const Shape& shape) {
    cases.push_back({std::make_unique<decltype(layer)>(std::move(layer)), shape});
  };
  add(nn::BatchNorm1d(3), {5, 3});
  add(nn::BatchNorm1d(3), {2, 3, 4});
  add(nn::BatchNorm2d(2), {3, 2, 2, 9});
  add(nn::BatchNorm2d(2, {.affine = false}), {3, 2, 2, 2});
  add(nn::LayerNorm(5), {2, 5});
  add(nn::LayerNorm(Shape{3, 4}), {2, 3, 4});
  add(nn::LayerNorm(5, {.elementwise_affine = false}), {5});
  add(nn::GroupNorm(2, 4), {3, 4});
  add(nn::GroupNorm(2, 4), {2, 4, 3, 3});
  add(nn::GroupNorm(1, 3, {.affine = false}), {2, 3, 5});
  return cases;
}

}  // namespace

TEST_CASE("normalized values have mean 0 and variance 1, over the elements that the layer says") {
  const Tensor x = Generator(1).normal({4, 6, 2, 5}, 3, 2);
  const Tensor batch = nn::BatchNorm2d(6)(Variable(x)).value(), group = nn::GroupNorm(3, 6)(Variable(x)).value(),
               layer = nn::LayerNorm(Shape{2, 5})(Variable(x)).value();
  for (std::size_t k = 0; k < 6; ++k) check_standard(moments(batch, [k](std::size_t i) { return i / 10 % 6 == k; }));
  for (std::size_t k = 0; k < 12; ++k) check_standard(moments(group, [k](std::size_t i) { return i / 20 == k; }));
  for (std::size_t k = 0; k < 24; ++k) check_standard(moments(layer, [k](std::size_t i) { return i / 10 == k; }));
}

TEST_CASE("gradients of each layer, in training and in evaluation, with respect to input and parameters") {
  for (const Case& c : layers())
    for (const bool training : {true, false}) {
      CAPTURE(to_string(c.shape));
      CAPTURE(training);
      seed(4);
      std::vector<Variable> inputs = {Variable(default_generator().normal(c.shape, 1, 2), true)};
      for (const auto& [name, parameter] : c.layer->parameters()) {
        parameter.mutable_value() = default_generator().normal(parameter.shape());
        inputs.push_back(parameter);
      }
      c.layer->train(training);
      const Function function = [&](const std::vector<Variable>& in) { return c.layer->forward(in[0]); };
      CHECK_NOTHROW(check_gradients(function, inputs, {.tolerance = sizeof(Scalar) == 8 ? 2e-7 : 5e-2}));
      CHECK_NOTHROW(check_second_gradients(function, inputs, {.tolerance = sizeof(Scalar) == 8 ? 1e-6 : 1e-1}));
    }
}

TEST_CASE("the fused gradient is the recorded one") {
  const Variable x(Generator(1).normal({3, 4, 19}, 5, 2), true), weight(Generator(2).normal({4}), true),
      bias(zeros({4}), true);
  const auto gradients = [&](bool create_graph) {
    const Variable y = normalize(x, {3, 4, 19}, 1e-5, weight, bias);
    return grad(sum(y * Variable(Generator(3).normal(x.shape()))), {x, weight, bias}, {.create_graph = create_graph});
  };
  const auto fused = gradients(false), recorded = gradients(true);
  for (std::size_t k = 0; k < 3; ++k)
    for (std::size_t i = 0; i < fused[k].size(); ++i)
      CHECK(fused[k].value().data()[i] ==
            doctest::Approx(recorded[k].value().data()[i]).epsilon(sizeof(Scalar) == 8 ? 1e-10 : 1e-3));
}

TEST_CASE("running statistics follow the batches, and evaluation uses them") {
  nn::BatchNorm1d layer(2, {.eps = 0.5, .momentum = 0.25});
  const Variable x(Tensor({{1, 10}, {3, 10}, {8, 13}}));  // means 4 and 11, unbiased variances 13 and 3
  layer(x);
  const auto check = [](const Variable& got, double a, double b) {
    CHECK(static_cast<double>(got.value()(0)) == doctest::Approx(a));
    CHECK(static_cast<double>(got.value()(1)) == doctest::Approx(b));
  };
  check(layer.running_mean, 1, 2.75);
  check(layer.running_var, 0.75 + 0.25 * 13, 0.75 + 0.25 * 3);
  layer(x);
  check(layer.running_mean, 0.75 + 1, 0.75 * 2.75 + 2.75);

  layer.running_mean.mutable_value() = Tensor({1, 2});
  layer.running_var.mutable_value() = Tensor({3.5, 0.5});
  layer.weight.mutable_value() = Tensor({2, 3});
  layer.bias.mutable_value() = Tensor({0, 7});
  layer.eval();
  check(layer(Variable(Tensor({{5, 4}}))), (5 - 1) / 2. * 2, (4 - 2) / 1. * 3 + 7);
  check(layer.running_mean, 1, 2);  // as they were
  CHECK(layer.num_batches_tracked.item() == 2);
  std::vector<std::string> names;
  for (const auto& [name, buffer] : layer.buffers()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"running_mean", "running_var", "num_batches_tracked"});
  CHECK(nn::BatchNorm2d(3, {.affine = false}).parameters().empty());
}

TEST_CASE("values far from zero keep their variance, and NaN travels") {
  Tensor x = Generator(1).normal({64, 2, 30}, 1000, 1);
  const Tensor y = nn::BatchNorm1d(2)(Variable(x)).value();
  for (std::size_t k = 0; k < 2; ++k) check_standard(moments(y, [k](std::size_t i) { return i / 30 % 2 == k; }));
  x.data()[0] = static_cast<Scalar>(not_a_number);
  const Tensor broken = nn::BatchNorm1d(2)(Variable(x)).value();
  CHECK(std::isnan(broken(5, 0, 3)));
  CHECK_FALSE(std::isnan(broken(5, 1, 3)));
}

TEST_CASE("batch normalization gives the same bits for any number of threads") {
  const Variable x(Generator(1).normal({8, 40, 13, 13}), true);
  const auto run = [&](int threads) {
    const int before = num_threads();
    set_num_threads(threads);
    nn::BatchNorm2d layer(40);
    sum(square(layer(x)) * layer(x)).backward();
    set_num_threads(before);
    std::vector<Tensor> results = {x.grad(), layer.weight.grad(), layer.bias.grad(), layer.running_var.value()};
    x.clear_grad();
    return results;
  };
  const auto one = run(1);
  for (const int threads : {2, 3}) CHECK(run(threads) == one);
}

TEST_CASE("normalization names a parameter or buffer that was given another shape") {
  const auto check = [](auto layer, const Shape& input, std::vector<const char*> names) {
    std::vector<Variable> all;
    for (const auto& list : {layer.parameters(), layer.buffers()})
      for (const auto& entry : list) all.push_back(entry.second);
    REQUIRE(all.size() == names.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      for (const bool training : {true, false}) {
        const Tensor right = all[i].value();
        layer.train(training);
        for (const Shape& wrong : {Shape{1}, Shape{2}, Shape{0}}) {
          all[i].mutable_value() = zeros(wrong);
          check_error<ShapeError>([&] { layer(Variable(ones(input))); }, {"_norm]", names[i], to_string(wrong)});
        }
        all[i].mutable_value() = right;
      }
    CHECK_NOTHROW(layer(Variable(ones(input))));
  };
  check(nn::BatchNorm1d(1000), {2, 1000}, {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"});
  check(nn::LayerNorm(4), {2, 4}, {"weight", "bias"});
  check(nn::GroupNorm(2, 4), {2, 4}, {"weight", "bias"});
}

TEST_CASE("normalization refuses what does not fit, before anything changes") {
  nn::BatchNorm1d batch1(3);
  nn::BatchNorm2d batch2(3);
  const auto on = [](nn::Module& layer, const Shape& shape) {
    return [&layer, shape] { layer(Variable(zeros(shape))); };
  };
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{4, 2}, Shape{4, 2, 3}, Shape{4, 3, 2, 2}})
    check_error<ShapeError>(on(batch1, shape), {"[batch_norm]", "(N, C) or (N, C, L)", "C = 3", to_string(shape)});
  for (const Shape& shape : {Shape{4, 3}, Shape{4, 3, 2}, Shape{4, 2, 3, 3}})
    check_error<ShapeError>(on(batch2, shape), {"[batch_norm]", "(N, C, H, W)", "C = 3", to_string(shape)});
  check_error<ValueError>(on(batch1, {1, 3}), {"[batch_norm]", "two values", "(1, 3)"});
  check_error<ValueError>(on(batch2, {0, 3, 2, 2}), {"[batch_norm]", "two values", "(0, 3, 2, 2)"});
  CHECK(batch1.running_mean.value() == zeros({3}));
  CHECK(batch1.running_var.value() == ones({3}));
  batch1.eval();
  CHECK(batch1(Variable(zeros({1, 3}))).shape() == Shape{1, 3});

  nn::LayerNorm layer(Shape{2, 3});
  nn::GroupNorm group(2, 4);
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{3, 2}, Shape{2, 3, 1}})
    check_error<ShapeError>(on(layer, shape), {"[layer_norm]", "(2, 3)", to_string(shape)});
  for (const Shape& shape : {Shape{4}, Shape{2, 3, 4}})
    check_error<ShapeError>(on(group, shape), {"[group_norm]", "C = 4", to_string(shape)});
  CHECK(layer(Variable(zeros({0, 2, 3}))).shape() == Shape{0, 2, 3});
  CHECK(group(Variable(zeros({0, 4, 2}))).shape() == Shape{0, 4, 2});

  for (const double eps : {-1e-5, not_a_number, infinity}) {
    check_error<ValueError>([&] { nn::BatchNorm1d(3, {.eps = eps}); }, {"[batch_norm]", "eps", message(eps)});
    check_error<ValueError>([&] { nn::LayerNorm(3, {.eps = eps}); }, {"[layer_norm]", "eps", message(eps)});
    check_error<ValueError>([&] { nn::GroupNorm(1, 3, {.eps = eps}); }, {"[group_norm]", "eps", message(eps)});
  }
  for (const double momentum : {-0.1, 1.1, not_a_number})
    check_error<ValueError>([&] { nn::BatchNorm2d(3, {.momentum = momentum}); }, {"momentum", message(momentum)});
  check_error<ValueError>([] { nn::BatchNorm2d(0); }, {"[batch_norm]", "1 to 2^31", "(0,)"});
  check_error<ValueError>([] { nn::LayerNorm(Shape{3, 0}); }, {"[layer_norm]", "(3, 0)"});
  check_error<ValueError>([] { nn::GroupNorm(0, 4); }, {"[group_norm]", "0 groups", "4 channels"});
  check_error<ValueError>([] { nn::GroupNorm(3, 4); }, {"[group_norm]", "3 groups", "4 channels"});
}

TEST_CASE("InstanceNorm is a group a channel, RMSNorm divides by the root of the mean square") {
  const Variable x(Generator(1).normal({2, 3, 4, 5}));
  CHECK(nn::InstanceNorm(3)(x).value() == nn::GroupNorm(3, 3, {.affine = false})(x).value());
  CHECK_FALSE(nn::InstanceNorm(3).weight);
  nn::RMSNorm layer(5, {.eps = 0.5});
  layer.weight.mutable_value()(2) = 3;
  const Variable expected = x / sqrt(sum(x * x, -1, true) / 5 + 0.5) * Tensor({1, 1, 3, 1, 1});
  const Tensor got = layer(x).value();
  for (std::size_t i = 0; i < got.size(); ++i)
    CHECK(double(got.data()[i]) == doctest::Approx(double(expected.value().data()[i])).epsilon(1e-5));
  CHECK(nn::RMSNorm({4, 5}, {.elementwise_affine = false})(x).shape() == x.shape());
  check_error<ShapeError>([&] { nn::RMSNorm(4)(x); }, {"[rms_norm]", "(2, 3, 4, 5)", "(4,)"});
  check_error<ValueError>([] { nn::RMSNorm(4, {.eps = -1}); }, {"[rms_norm]", "eps", "-1"});
}
