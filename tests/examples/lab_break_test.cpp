#include <doctest/doctest.h>
#include <xgrad/nn/activations.h>
#include <xgrad/nn/flatten.h>
#include <xgrad/nn/linear.h>

#include <cmath>

#include "break/signs.h"

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
