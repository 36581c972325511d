// The MLP of the benchmarks in libtorch: libtorch_mlp THREADS EPOCHS ; prints what mlp_epochs prints.
#include <torch/torch.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "../mlp_data.h"

namespace {

torch::Tensor images(const xgrad::datasets::Dataset& data) {
  const auto bytes = torch::from_blob(const_cast<std::uint8_t*>(data.images().data()),
                                      {static_cast<std::int64_t>(data.size()), 784}, torch::kUInt8);
  return bytes.to(torch::kFloat) / 255;
}

torch::Tensor labels(const xgrad::datasets::Dataset& data) {
  return torch::from_blob(const_cast<std::uint8_t*>(data.labels().data()), {static_cast<std::int64_t>(data.size())},
                          torch::kUInt8)
      .to(torch::kLong);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: libtorch_mlp THREADS EPOCHS\n"), 2;
  const int threads = std::stoi(argv[1]), epochs = std::stoi(argv[2]);
  const std::int64_t batch = 64;
  torch::set_num_threads(threads);
  torch::manual_seed(1);
  const auto data = benchmark_data();
  const torch::Tensor x = images(data.train), y = labels(data.train), test_x = images(data.test),
                      test_y = labels(data.test);
  torch::nn::Sequential model(torch::nn::Linear(784, 128), torch::nn::ReLU(), torch::nn::Linear(128, 10));
  torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(1e-3));
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    const torch::Tensor order = torch::randperm(x.size(0));
    for (std::int64_t i = 0; i + batch <= x.size(0); i += batch) {
      const torch::Tensor chosen = order.slice(0, i, i + batch);
      optimizer.zero_grad();
      torch::nn::functional::cross_entropy(model->forward(x.index_select(0, chosen)), y.index_select(0, chosen))
          .backward();
      optimizer.step();
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const torch::NoGradGuard no_grad;
    const double accuracy = model->forward(test_x).argmax(1).eq(test_y).to(torch::kFloat).mean().item<double>();
    std::printf("libtorch,mlp,adam,64,%d,%d,%.3f,%.4f\n", threads, epoch, seconds, accuracy);
    std::fflush(stdout);
  }
}
