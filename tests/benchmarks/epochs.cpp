// Trains a network of the benchmarks; prints the seconds and the test accuracy of each epoch. Without arguments: how
// products are computed.
#include "training.h"

using namespace xgrad;

int main(int argc, char** argv) {
  if (argc == 1) return std::puts(gemm_backend().c_str()), 0;
  const EpochsArguments arguments(argc, argv);
  set_num_threads(arguments.threads);
  seed(arguments.seed);
  const datasets::Split data = benchmark_data();
  Training training(arguments.network, data.train, false);
  run_epochs(
      arguments, [&] { training.epoch(); },
      [&] {
        const NoGrad no_grad;
        double correct = 0;
        for (const auto& [images, labels] : datasets::DataLoader(data.test, {.batch_size = 1000}))
          correct += nn::accuracy(training.model(images), labels) * static_cast<double>(labels.size());
        return correct / static_cast<double>(data.test.size());
      });
}
