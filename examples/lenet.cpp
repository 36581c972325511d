// LeNet (LeCun et al. 1998, with ReLU and max pooling) trained with Adam and with Adamax: a whole program to start
// from. lenet [SAMPLES [FOLDER]]: so many digits that the library draws itself, or of the MNIST files in FOLDER.
#include <xgrad/xgrad.h>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include "cli/program.h"

using namespace xgrad;

nn::Sequential lenet() {
  return nn::Sequential{nn::Conv2d(1, 6, 5, {.padding = 2}),
                        nn::ReLU(),
                        nn::MaxPool2d(2),
                        nn::Conv2d(6, 16, 5),
                        nn::ReLU(),
                        nn::MaxPool2d(2),
                        nn::Flatten(),
                        nn::Linear(400, 120),
                        nn::ReLU(),
                        nn::Linear(120, 84),
                        nn::ReLU(),
                        nn::Linear(84, 10)};
}

double accuracy(nn::Module& model, const datasets::Dataset& data) {
  const NoGrad no_grad;
  model.eval();
  double right = 0;
  for (const auto& [images, labels] : datasets::DataLoader(data, {.batch_size = 500}))
    right += nn::accuracy(model(images), labels) * static_cast<double>(labels.size());
  model.train();
  return right / static_cast<double>(data.size());
}

template <class Optimizer>
void train(const char* name, double lr, const datasets::Split& data) {
  seed(1);
  nn::Sequential model = lenet();
  Optimizer optimizer(model.parameters(), {.lr = lr});
  datasets::DataLoader batches(data.train, {.batch_size = 64, .shuffle = true});
  for (int epoch = 1; epoch <= 3; ++epoch) {
    for (const auto& [images, labels] : batches) {
      optimizer.zero_grad();
      nn::cross_entropy(model(images), labels).backward();
      optimizer.step();
    }
    std::printf("%-6s  epoch %d  test accuracy %.2f %%\n", name, epoch, 100 * accuracy(model, data.test));
  }
}

int main(int argc, char** argv) {
  return cli::run_program("lenet", [&] {
    const std::size_t samples = argc > 1 ? std::stoul(argv[1]) : 20000;
    datasets::Split data =
        argc > 2 ? datasets::mnist(argv[2]) : datasets::Split{datasets::digits(samples, 1), datasets::digits(2000, 2)};
    data.train = data.train.slice(0, samples);
    nn::Sequential shown = lenet();
    std::puts(nn::summary(shown, {1, 1, 28, 28}).c_str());
    train<optim::Adam>("Adam", 1e-3, data);
    train<optim::Adamax>("Adamax", 2e-3, data);
    return 0;
  });
}
