// What the programs of xgrad and of its peers have in common: data, networks, shapes, timing, and what they print.
#pragma once

#include <xgrad/datasets/digits.h>
#include <xgrad/datasets/mnist.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

/// Whether a program is to run only to show that it does.
inline bool quick() { return std::getenv("XGRAD_QUICK") != nullptr; }

/// The folder in XGRAD_DATA (MNIST's layout), or digits drawn by the library.
inline xgrad::datasets::Split benchmark_data() {
  if (const char* folder = std::getenv("XGRAD_DATA")) return xgrad::datasets::mnist(folder);
  return {xgrad::datasets::digits(quick() ? 640 : 60000, 1), xgrad::datasets::digits(quick() ? 1000 : 10000, 2)};
}

/// All with ReLU, and trained by Adam with its own defaults.
struct Network {
  std::string name;
  std::int64_t batch_size;
};
inline const std::vector<Network> networks = {
    {"mlp", 64},       // 784-128-10
    {"mlp1000", 128},  // 784-1000-1000-10: Kingma & Ba 2015, section 6.2
    {"lenet", 64},     // conv 6@5x5 padded by 2, pool 2x2, conv 16@5x5, pool 2x2, 400-120-84-10
};

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The median of the times that one call takes, over half a second and five calls at least, after a warm-up.
template <class Function>
double median_seconds(Function function) {
  const std::size_t least = quick() ? 1 : 5;
  const double window = quick() ? 0 : 0.5;
  for (int warm_up = 0; warm_up < 2; ++warm_up) function();
  std::vector<double> times;
  for (const auto begin = std::chrono::steady_clock::now(); times.size() < least || seconds_since(begin) < window;) {
    const auto start = std::chrono::steady_clock::now();
    function();
    times.push_back(seconds_since(start));
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

/// PROGRAM NETWORK THREADS EPOCHS [SEED [TARGET]]: training ends once the test accuracy has reached the target.
struct EpochsArguments {
  EpochsArguments(int argc, char** argv) {
    const auto given =
        argc < 2 ? networks.end()
                 : std::find_if(networks.begin(), networks.end(), [&](const Network& n) { return n.name == argv[1]; });
    if (argc < 4 || argc > 6 || given == networks.end()) {
      std::fprintf(stderr, "usage: %s mlp|mlp1000|lenet THREADS EPOCHS [SEED [TARGET]]\n", argv[0]);
      std::exit(2);
    }
    network = *given, threads = std::stoi(argv[2]), epochs = std::stoi(argv[3]);
    if (argc > 4) seed = std::stoull(argv[4]);
    if (argc > 5) target = std::stod(argv[5]);
  }
  Network network;
  int threads, epochs;
  std::uint64_t seed = 1;
  double target = 2;
};

/// Trains with epoch(), and prints "network,threads,epoch,seconds,seconds so far,test accuracy" after each.
template <class Epoch, class Accuracy>
void run_epochs(const EpochsArguments& arguments, Epoch epoch, Accuracy accuracy) {
  double total = 0, reached = 0;
  for (int i = 1; i <= arguments.epochs && reached < arguments.target; ++i) {
    const auto start = std::chrono::steady_clock::now();
    epoch();
    const double seconds = seconds_since(start);
    total += seconds, reached = accuracy();
    std::printf("%s,%d,%d,%.4f,%.4f,%.4f\n", arguments.network.name.c_str(), arguments.threads, i, seconds, total,
                reached);
    std::fflush(stdout);
  }
}

/// Squares all: images (batch, channels, size, size), kernels (kernel, kernel).
struct Convolution {
  std::int64_t batch, channels, size, filters, kernel, padding;
};
inline const std::vector<Convolution> convolutions = {
    {128, 1, 28, 6, 5, 2},    // LeNet's
    {128, 6, 14, 16, 5, 0},   //
    {1, 3, 56, 16, 3, 1},     //
    {16, 3, 56, 16, 5, 2},    //
    {128, 1, 28, 32, 3, 1},   //
    {1, 16, 28, 32, 3, 1},    //
    {16, 16, 28, 16, 3, 1},   //
    {128, 16, 14, 32, 3, 1},  //
    {1, 32, 14, 64, 5, 2},    //
    {16, 64, 14, 64, 3, 1},   //
    {128, 64, 7, 64, 3, 1},   //
    {1, 64, 56, 64, 3, 1},    //
};

/// PROGRAM THREADS: calls start(threads), and prints "shape,threads,seconds" for each convolution, where step(shape)
/// gives a function that computes its value and all three gradients.
template <class Start, class Step>
int run_convolutions(int argc, char** argv, Start start, Step step) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s THREADS\n", argv[0]), 2;
  const int threads = std::stoi(argv[1]);
  start(threads);
  for (const Convolution& c : convolutions) {
    const double seconds = median_seconds(step(c));
    std::printf("%ldx%ldx%ldx%ld to %ld %ldx%ld,%d,%.7f\n", c.batch, c.channels, c.size, c.size, c.filters, c.kernel,
                c.kernel, threads, seconds);
    std::fflush(stdout);
  }
  return 0;
}
