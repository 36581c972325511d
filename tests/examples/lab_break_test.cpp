#include <doctest/doctest.h>
#include <xgrad/nn/activations.h>
#include <xgrad/nn/flatten.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/losses.h>

#include <cmath>

#include "break/failures.h"

using namespace lab;
using namespace xgrad;

TEST_CASE("Dead units are those that are above 0 for no sample") {
  std::vector<std::uint8_t> images(2 * 784, 0);
  images[0] = 255, images[784 + 1] = 255;  // one pixel each
  const datasets::Dataset samples(images, {1, 28, 28}, {0, 1});
  nn::Sequential model{nn::Flatten(), nn::Linear(784, 4), nn::ReLU(), nn::Linear(4, 2), nn::LeakyReLU()};
  const NamedVariables parameters = model.parameters();
  for (const auto& [name, one] : parameters) one.mutable_value().fill(0);
  Tensor &first = parameters[0].second.mutable_value(), &second_bias = parameters[3].second.mutable_value();
  struct Case {
    Scalar to_first_pixel, to_second_pixel, output_bias;
    double dead;
  };
  for (const Case& c :
       {Case{1, -1, 1, 3.0 / 6}, {-1, 1, 1, 3.0 / 6}, {-1, -1, 1, 4.0 / 6}, {0, 0, -1, 6.0 / 6}, {NAN, 1, 1, NAN}}) {
    first(2, 0) = c.to_first_pixel, first(2, 1) = c.to_second_pixel;
    second_bias.fill(c.output_bias);
    const double dead = dead_units(model, samples);
    CHECK((std::isnan(c.dead) ? std::isnan(dead) : dead == doctest::Approx(c.dead)));
  }
}

TEST_CASE("A loss stands above, below, or undecided against another") {
  struct Case {
    std::vector<double> of, against;
    const char* words;
  };
  for (const Case& c : {Case{{3, 4, 5}, {1, 2, 2.9}, "higher"},
                        {{1, 2, 2.9}, {3, 4, 5}, "lower"},
                        {{1, 2, 3.1}, {3, 4, 5}, "undecided"},
                        {{3, 4, 5}, {3, 4, 5}, "undecided"},
                        {{3, NAN, 5}, {1, 2, 2}, "undecided"},
                        {{NAN, NAN, NAN}, {1, 2, 2}, "not a number"}})
    CHECK(standing(c.of, c.against) == c.words);
}

TEST_CASE("The check for what is not finite names the weights that a step with ε = 0 has lost") {
  std::vector<std::uint8_t> images(784, 0);
  images[5] = 255;  // all other pixels have no gradient
  Tensor pixels = Tensor::from_shape({1, 1, 28, 28});
  datasets::to_unit(images.data(), pixels.size(), pixels.data());
  IndexTensor labels = IndexTensor::from_shape({1});
  labels(0) = 3;
  for (const bool lost : {true, false}) {
    nn::Sequential model = network(1);
    auto optimizer = rule("adam").make(model.parameters(), {.lr = usual_rate, .eps = lost ? 0 : 1e-8});
    const std::string name = model.parameters()[0].first;
    const std::string words = check_finite_message({std::move(model), std::move(optimizer)}, [&](nn::Sequential& of) {
      return nn::cross_entropy(of(Variable(pixels)), labels);
    });
    CHECK((words.find(name) != std::string::npos) == lost);
    CHECK((words == "-") == !lost);
  }
}
