// A variational autoencoder (Kingma & Welling 2014) learns to draw digits. It puts each digit at a place of a plane, as
// a cloud rather than a point, and draws from that place; clouds are pulled towards one standard normal distribution.
// After it, places that no digit was put at are drawn, too: the sheet walks over the plane, from quantile to quantile.
//
//   autoencoder [SHEET.pgm [EPOCHS]]
#include <xgrad/xgrad.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "cli/program.h"

using namespace xgrad;

namespace {

constexpr std::size_t pixels = 28 * 28, places = 2, side = 12;

struct Autoencoder : nn::Module {
  // Images to the mean and the logarithm of the variance of each cloud, side by side: (batch, 2 places).
  nn::Sequential& encoder =
      add<nn::Sequential>("encoder", nn::Flatten(), nn::Linear(pixels, 256), nn::ReLU(), nn::Linear(256, 2 * places));
  nn::Sequential& decoder = add<nn::Sequential>("decoder", nn::Linear(places, 256), nn::ReLU(), nn::Linear(256, 256),
                                                nn::ReLU(), nn::Linear(256, pixels));

  Variable forward(const Variable& place) override { return sigmoid(decoder(place)); }

  // The negative evidence lower bound, for each image: what the drawing gets wrong, and how far clouds are from the
  // standard normal distribution (equation 10 of the paper).
  Variable loss(const Variable& images) {
    const std::vector<Variable> cloud = split(encoder(images), {places, places}, 1);
    const Variable &mean_of = cloud[0], &log_variance = cloud[1];
    // A draw from the cloud, through which gradients reach its mean and variance.
    const Variable place = mean_of + exp(log_variance / 2) * default_generator().normal(mean_of.shape());
    const Variable drawing = nn::binary_cross_entropy_with_logits(
        decoder(place), reshape(images, {images.shape()[0], pixels}), nn::Reduction::sum);
    const Variable divergence = -0.5 * sum(1 + log_variance - square(mean_of) - exp(log_variance));
    return (drawing + divergence) / double(images.shape()[0]);
  }
};

// The place below which a share of a standard normal distribution lies, by bisection.
double quantile(double share) {
  double low = -6, high = 6;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / M_SQRT2) / 2 < share ? low : high) = middle;
  }
  return low;
}

void draw_sheet(Autoencoder& model, const char* file) {
  const NoGrad no_grad;
  model.eval();
  Tensor at = Tensor::from_shape({side * side, places});
  for (std::size_t i = 0; i < side; ++i)
    for (std::size_t j = 0; j < side; ++j) {
      at(i * side + j, 0) = Scalar(quantile((double(i) + 0.5) / double(side)));
      at(i * side + j, 1) = Scalar(quantile((double(j) + 0.5) / double(side)));
    }
  const Tensor images = model(Variable(at)).value();
  std::ofstream sheet(file, std::ios::binary);
  sheet << "P5\n" << side * 28 << ' ' << side * 28 << "\n255\n";
  for (std::size_t y = 0; y < side * 28; ++y)
    for (std::size_t x = 0; x < side * 28; ++x)
      sheet.put(static_cast<char>(255 * images(y / 28 * side + x / 28, y % 28 * 28 + x % 28)));
  if (!sheet.flush()) throw DataError(message("cannot write ", file));
  std::printf("sheet: %s\n", file);
}

int run(const char* file, int epochs) {
  const datasets::Dataset data = datasets::digits(20000, 1);
  seed(1);
  Autoencoder model;
  optim::Adam optimizer(model.parameters(), {.lr = 2e-3});
  datasets::DataLoader loader(data, {.batch_size = 100, .shuffle = true, .seed = 1});
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    double total = 0;
    for (const auto& [images, labels] : loader) {
      optimizer.zero_grad();
      const Variable loss = model.loss(images);
      loss.backward();
      optimizer.step();
      total += double(loss.item()) / double(loader.size());
    }
    std::printf("epoch %d  loss %.2f nats an image\n", epoch, total);
    std::fflush(stdout);
  }
  if (file) draw_sheet(model, file);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("autoencoder", [&] {
    const int epochs = argc > 2 ? std::atoi(argv[2]) : 8;
    if (epochs < 1) throw DataError("usage: autoencoder [SHEET.pgm [EPOCHS]]");
    return run(argc > 1 ? argv[1] : nullptr, epochs);
  });
}
