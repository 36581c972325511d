// Trains the MLP of the benchmarks and prints seconds and test accuracy an epoch: mlp_epochs THREADS EPOCHS [SEED]
#include <chrono>
#include <cstdio>
#include <string>

#include "mlp_data.h"
#include "mlp_model.h"

using namespace xgrad;

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "usage: mlp_epochs THREADS EPOCHS [SEED]\n"), 2;
  const int threads = std::stoi(argv[1]), epochs = std::stoi(argv[2]);
  set_num_threads(threads);
  seed(argc > 3 ? std::stoull(argv[3]) : 1);
  const datasets::Split data = benchmark_data();
  Mlp mlp(data.train, false);
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    mlp.epoch();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const NoGrad no_grad;
    double correct = 0;
    for (const auto& [images, labels] : datasets::DataLoader(data.test, {.batch_size = 1000}))
      correct += nn::accuracy(mlp.model(images), labels) * static_cast<double>(labels.size());
    std::printf("xgrad,mlp,adam,64,%d,%d,%.3f,%.4f\n", threads, epoch, seconds,
                correct / static_cast<double>(data.test.size()));
    std::fflush(stdout);
  }
}
