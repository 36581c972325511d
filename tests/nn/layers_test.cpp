#include <xgrad/autograd/check.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/activations.h>
#include <xgrad/nn/dropout.h>
#include <xgrad/nn/flatten.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/sequential.h>

#include <cmath>
#include <limits>

#include "error.h"

using namespace xgrad;

TEST_CASE("Linear is x W^T + b over the last dimension") {
  seed(1);
  nn::Linear layer(2, 3);
  layer.weight.mutable_value() = Tensor({{1, 2}, {3, 4}, {5, 6}});
  layer.bias.mutable_value() = Tensor({0.5, 0, -0.5});
  CHECK(layer(Variable(Tensor({{1, 10}, {0, 1}}))).value() == Tensor({{21.5, 43, 64.5}, {2.5, 4, 5.5}}));
  CHECK(layer(Variable(ones({4, 5, 2}))).shape() == Shape{4, 5, 3});

  nn::Linear plain(2, 3, {.bias = false});
  CHECK_FALSE(plain.bias);
  CHECK(plain.parameters().size() == 1);
  CHECK(plain(Variable(ones({1, 2}))).shape() == Shape{1, 3});
}

TEST_CASE("Linear draws its weight and then its bias, uniform in 1 / sqrt(in)") {
  seed(7);
  const nn::Linear layer(4, 3);
  Generator generator(7);
  CHECK(layer.weight.value() == generator.uniform({3, 4}, -0.5, 0.5));
  CHECK(layer.bias.value() == generator.uniform({3}, -0.5, 0.5));
}

TEST_CASE("Linear refuses other widths and absurd sizes") {
  const Variable x(Tensor({{1, 2, 3}}));
  check_error<ShapeError>([&] { nn::Linear(4, 2)(x); }, {"[linear]", "(1, 3)", "(2, 4)", "expected 4 features"});
  check_error<ValueError>([] { nn::Linear(0, 2); }, {"[linear]", "1 to 2^31", "got 0"});
  check_error<ValueError>([] { nn::Linear(2, std::numeric_limits<std::size_t>::max()); }, {"[linear]", "1 to 2^31"});
}

TEST_CASE("Flatten keeps the batch") {
  nn::Flatten flatten;
  const Tensor images = Generator(1).normal({2, 1, 3, 4});
  const Tensor rows = flatten(Variable(images)).value();
  CHECK(rows.shape() == Shape{2, 12});
  CHECK(rows(1, 11) == images(1, 0, 2, 3));
  CHECK(flatten(Variable(zeros({0, 3, 4}))).shape() == Shape{0, 12});
  CHECK(flatten(Variable(zeros({3, 4}))).shape() == Shape{3, 4});
  check_error<ShapeError>([&] { flatten(Variable(zeros({5}))); }, {"[flatten]", "(5,)"});
}

TEST_CASE("Dropout in training drops a share p and keeps the mean") {
  for (const double p : {0.1, 0.5, 0.9}) {
    CAPTURE(p);
    seed(3);
    nn::Dropout dropout(p);
    const Variable x(full({200, 500}, 2), true);
    const Variable y = dropout(x);
    double dropped = 0, mean = 0;
    const auto kept = static_cast<Scalar>(2 * (1 / (1 - p)));
    for (const Scalar value : y.value()) {
      dropped += value == 0, mean += static_cast<double>(value);
      REQUIRE((value == 0 || value == doctest::Approx(kept).epsilon(1e-6)));
    }
    const double size = 200 * 500;
    CHECK(dropped / size == doctest::Approx(p).epsilon(0.02));
    CHECK(mean / size == doctest::Approx(2).epsilon(0.02));

    sum(y).backward();  // through the same mask
    Tensor expected = y.value();
    for (Scalar& value : expected) value /= 2;
    CHECK(x.grad() == expected);
    CHECK(dropout(x).value() != y.value());  // a new mask a call
    seed(3);
    CHECK(dropout(x).value() == y.value());
  }
}

TEST_CASE("Dropout2d drops whole channels") {
  seed(3);
  nn::Dropout2d dropout(0.25);
  const Variable x(full({40, 50, 2, 3}, 3));
  const Tensor y = dropout(x).value();
  std::size_t dropped = 0;
  for (std::size_t channel = 0; channel < 2000; ++channel) {
    const Scalar first = y.data()[6 * channel];
    REQUIRE((first == 0 || first == doctest::Approx(4)));
    for (std::size_t i = 1; i < 6; ++i) REQUIRE(y.data()[6 * channel + i] == first);
    dropped += first == 0;
  }
  CHECK(static_cast<double>(dropped) / 2000 == doctest::Approx(0.25).epsilon(0.1));
  check_error<ShapeError>([&] { dropout(Variable(ones({2, 3}))); }, {"[dropout2d]", "(N, C, H, W)", "(2, 3)"});
  dropout.eval();
  CHECK(dropout(x).node() == x.node());
}

TEST_CASE("Dropout returns its input in evaluation and for p = 0") {
  seed(3);
  const Variable x(Generator(1).normal({4, 5}));
  nn::Dropout evaluated(0.5), none(0);
  evaluated.eval();
  CHECK(evaluated(x).node() == x.node());
  CHECK(none(x).node() == x.node());
  CHECK(default_generator().bits() == Generator(3).bits());  // nothing was drawn
  for (const double p : {-0.1, 1.0, 1.5, std::numeric_limits<double>::quiet_NaN()})
    check_error<ValueError>([&] { nn::Dropout dropout(p); }, {"[dropout]", message(p)});
}

TEST_CASE("activation layers pass their options on") {
  const Variable x(Tensor({{-2, -0.5, 0.5, 2}}));
  CHECK(nn::LeakyReLU(0.3)(x).value() == leaky_relu(x, 0.3).value());
  CHECK(nn::LeakyReLU()(x).value() == leaky_relu(x, 0.01).value());
  CHECK(nn::ELU(0.7)(x).value() == elu(x, 0.7).value());
  CHECK(nn::GELU(Gelu::tanh)(x).value() == gelu(x, Gelu::tanh).value());
  CHECK(nn::GELU()(x).value() == gelu(x).value());
  CHECK(nn::Hardtanh(-0.25, 1.5)(x).value() == hardtanh(x, -0.25, 1.5).value());
  CHECK(nn::CELU(0.7)(x).value() == celu(x, 0.7).value());
  CHECK(nn::GLU()(x).value() == glu(x).value());
  CHECK(nn::PReLU()(x).value() == leaky_relu(x, 0.25).value());
  nn::PReLU slopes(4, 0.5);
  slopes.weight.mutable_value()(1) = 2;
  CHECK(slopes(x).value() == Tensor({{-1, -1, 0.5, 2}}));
  check_error<ShapeError>([&] { nn::PReLU(3)(x); }, {"[prelu]", "C = 3", "(1, 4)"});
  CHECK(nn::Softmax(0)(x).value() == ones({1, 4}));
  CHECK(nn::Softmax()(x).value() == softmax(x).value());
  CHECK(nn::LogSoftmax(0)(x).value() == zeros({1, 4}));
  check_error<ValueError>([] { nn::Hardtanh(1, 1); }, {"[hardtanh]", "1"});
  check_error<ShapeError>([&] { nn::Softmax(2)(x); }, {"[softmax]", "2", "(1, 4)"});
}

TEST_CASE("Sequential calls its layers in order") {
  seed(1);
  nn::Sequential model{nn::Linear(3, 4), nn::Tanh()};
  const Variable x(Tensor({{1, 2, 3}}));
  nn::Linear& last = model.push_back(nn::Linear(4, 2));
  model.push_back(std::make_unique<nn::Softmax>());
  REQUIRE(model.size() == 4);
  CHECK(&model[2] == &last);
  const Tensor expected = softmax(last(tanh(model[0](x)))).value();
  CHECK(model(x).value() == expected);
  CHECK(model.parameters()[3].first == "2.bias");
  check_error<ValueError>([&] { model[4]; }, {"[module_list]", "below 4", "got 4"});

  CHECK(nn::Sequential()(x).node() == x.node());
  nn::Sequential nested{std::move(model), nn::Sequential()};
  CHECK(nested.size() == 2);
  CHECK(nested(x).value() == expected);
  CHECK(nested.parameters()[3].first == "0.2.bias");
}

TEST_CASE("a ModuleList registers its layers, and leaves it to its module to call them") {
  struct Deep : nn::Module {
    Deep() {
      for (int i = 0; i < 2; ++i) layers.push_back(nn::Linear(3, 3));
      layers.push_back(std::make_unique<nn::Tanh>());
    }
    Variable forward(const Variable& x) override {
      Variable y = x;
      for (nn::Module& layer : layers) y = y + layer(y);
      return y;
    }
    nn::ModuleList& layers = add<nn::ModuleList>("layers");
  };
  Deep model;
  std::vector<std::string> names;
  for (const auto& [name, parameter] : model.parameters()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"});
  const Variable x(Tensor({{1, 2, 3}}));
  const Variable a = x + model.layers[0](x), b = a + model.layers[1](a);
  CHECK(model(x).value() == (b + tanh(b)).value());
  CHECK(model.layers.size() == 3);
  CHECK(std::ranges::distance(model.layers.begin(), model.layers.end()) == 3);
  check_error<ValueError>([&] { model.layers(x); }, {"[module_list]", "one by one"});
  CHECK(nn::ModuleList{nn::Linear(1, 1), nn::ReLU()}.size() == 2);
}

TEST_CASE("a module of two inputs has a function of its own for them, and is trained and saved as any other") {
  struct Gate : nn::Module {
    using nn::Module::forward;
    Variable forward(const Variable& a, const Variable& b) { return scale * a * hidden(b); }
    nn::Linear& hidden = add<nn::Linear>("hidden", 2, 2);
    nn::Parameter scale = param("scale", full({1}, 3));
  };
  Gate gate;
  const Variable a(Tensor({{1, 2}})), b(Tensor({{4, -8}}));
  const Variable y = gate.forward(a, b);
  CHECK(y.value() == (3 * a * gate.hidden(b)).value());
  sum(y).backward();
  CHECK(gate.scale.grad()(0) == sum(a * gate.hidden(b)).item());
  CHECK(gate.state_dict().tensors.size() == 3);
  for (const bool called : {false, true})
    check_error<ValueError>(
        [&] { called ? gate(a) : gate.forward(a); },
        {"[module] expected a call of the module's own function", "other inputs than one Variable"});
  nn::Sequential sequence{nn::Linear(2, 2), Gate()};
  check_error<ValueError>([&] { sequence(a); }, {"[module]", "other inputs than one Variable"});
}

TEST_CASE("gradients go through a whole model, twice") {
  seed(2);
  nn::Sequential model{nn::Linear(3, 4), nn::Tanh(), nn::Linear(4, 2), nn::LogSoftmax()};
  const Variable x(Generator(4).normal({2, 3}), true);
  const auto run = [&](const std::vector<Variable>& inputs) { return model(inputs[0]); };
  CHECK_NOTHROW(check_gradients(run, {x}));
  CHECK_NOTHROW(check_second_gradients(run, {x}));
}
