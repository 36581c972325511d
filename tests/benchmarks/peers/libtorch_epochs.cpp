// The networks of the benchmarks in libtorch; prints what `epochs` prints. Without arguments: libtorch's settings.
#include <dlfcn.h>
#include <torch/torch.h>

#include "../workloads.h"

namespace {

void print_settings() {
  std::printf("libtorch %s\n%s", TORCH_VERSION, torch::show_config().c_str());
  const auto openblas = reinterpret_cast<const char* (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_config"));
  std::printf("  - BLAS: %s\n", openblas ? openblas() : "not OpenBLAS");
}

torch::Tensor images(const xgrad::datasets::Dataset& data) {
  auto* const bytes = const_cast<std::uint8_t*>(data.images().data());
  const auto count = static_cast<std::int64_t>(data.size());
  return torch::from_blob(bytes, {count, 1, 28, 28}, torch::kUInt8).to(torch::kFloat) / 255;
}
torch::Tensor labels(const xgrad::datasets::Dataset& data) {
  auto* const labels = const_cast<std::int64_t*>(data.labels().data());
  return torch::from_blob(labels, {static_cast<std::int64_t>(data.size())}, torch::kLong).clone();
}

torch::nn::Sequential make_network(const std::string& name) {
  using namespace torch::nn;
  if (name == "mlp") return Sequential(Flatten(), Linear(784, 128), ReLU(), Linear(128, 10));
  if (name == "mlp1000")
    return Sequential(Flatten(), Linear(784, 1000), ReLU(), Linear(1000, 1000), ReLU(), Linear(1000, 10));
  return Sequential(Conv2d(Conv2dOptions(1, 6, 5).padding(2)), ReLU(), MaxPool2d(2), Conv2d(Conv2dOptions(6, 16, 5)),
                    ReLU(), MaxPool2d(2), Flatten(), Linear(400, 120), ReLU(), Linear(120, 84), ReLU(), Linear(84, 10));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 1) return print_settings(), 0;
  const EpochsArguments arguments(argc, argv);
  torch::set_num_threads(arguments.threads);
  torch::manual_seed(arguments.seed);
  const auto data = benchmark_data();
  const torch::Tensor x = images(data.train), y = labels(data.train), test_x = images(data.test),
                      test_y = labels(data.test);
  torch::nn::Sequential model = make_network(arguments.network.name);
  torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(1e-3));
  const std::int64_t batch = arguments.network.batch_size;
  run_epochs(
      arguments,
      [&] {
        const torch::Tensor order = torch::randperm(x.size(0));
        for (std::int64_t i = 0; i + batch <= x.size(0); i += batch) {
          const torch::Tensor chosen = order.slice(0, i, i + batch);
          optimizer.zero_grad();
          torch::nn::functional::cross_entropy(model->forward(x.index_select(0, chosen)), y.index_select(0, chosen))
              .backward();
          optimizer.step();
        }
      },
      [&] {
        const torch::NoGradGuard no_grad;
        std::int64_t correct = 0;
        for (std::int64_t i = 0; i < test_x.size(0); i += 1000)
          correct += model->forward(test_x.slice(0, i, i + 1000))
                         .argmax(1)
                         .eq(test_y.slice(0, i, i + 1000))
                         .sum()
                         .item<std::int64_t>();
        return static_cast<double>(correct) / static_cast<double>(test_x.size(0));
      });
}
