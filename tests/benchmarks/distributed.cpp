// Steps of a network in micro-batches, in as many processes as mpirun starts, or, with 0 micro-batches, of whole
// batches in one. Prints "network,processes,seconds of a step,seconds of its end": medians; the end is what comes after
// the last backward pass of all: the exchange of gradients, the optimizer's step and the exchange of parameters.
#include "training.h"

using namespace xgrad;

namespace {

double median(std::vector<double> times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

nn::Sequential make(const std::string& name) {
  if (name == "wide")  // 25 million parameters
    return nn::Sequential{nn::Flatten(), nn::Linear(784, 4600), nn::ReLU(), nn::Linear(4600, 4600),
                          nn::ReLU(),    nn::Linear(4600, 10)};
  return make_network(name);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: %s mlp|mlp1000|lenet|wide BATCH MICRO_BATCHES THREADS STEPS\n", argv[0]);
    return 2;
  }
  const std::string name = argv[1];
  const auto batch = static_cast<std::size_t>(std::stoul(argv[2])),
             parts = static_cast<std::size_t>(std::stoul(argv[3]));
  const auto steps = static_cast<std::size_t>(std::stoul(argv[5]));
  set_num_threads(std::stoi(argv[4]));
  seed(1);
  Communicator communicator({.micro_batches = std::max<std::size_t>(parts, 1)});
  nn::Sequential model = make(name);
  std::unique_ptr<optim::Optimizer> optimizer;
  if (parts > 0)
    optimizer = std::make_unique<optim::Distributed<optim::Adam>>(communicator, model);
  else
    optimizer = std::make_unique<optim::Adam>(model.parameters());
  datasets::LoaderOptions options{.batch_size = static_cast<std::ptrdiff_t>(batch), .shuffle = true};
  if (parts > 0) options.communicator = &communicator;
  datasets::DataLoader loader(datasets::digits(4 * batch, 1), options);
  std::vector<double> times, ends;
  const std::size_t warm_up = 2;
  while (times.size() < warm_up + steps) {
    auto start = std::chrono::steady_clock::now();
    for (const auto& [images, labels] : loader) {
      optimizer->zero_grad();
      nn::cross_entropy(model(images), labels).backward();
      const bool last = parts == 0 || communicator.current().number + 1 ==
                                          communicator.first_micro_batch() + communicator.own_micro_batches();
      if (last) communicator.gather("");  // the end begins for all at once
      const auto end = std::chrono::steady_clock::now();
      optimizer->step();
      if (optimizer->is_waiting()) continue;
      ends.push_back(seconds_since(end));
      times.push_back(seconds_since(start));
      start = std::chrono::steady_clock::now();
    }
  }
  times.erase(times.begin(), times.begin() + warm_up), ends.erase(ends.begin(), ends.begin() + warm_up);
  if (communicator.is_first())
    std::printf("%s,%zu,%.9f,%.9f\n", name.c_str(), communicator.size(), median(times), median(ends));
}
