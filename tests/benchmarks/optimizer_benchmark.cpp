// One optimizer step against one hand-fused loop over the same arrays. Build with -O3 -march=native -fno-math-errno:
// with errno, GCC keeps std::sqrt out of SIMD code, and the hand-written Adam is eight times slower than it could be.
#include <benchmark/benchmark.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/flush_to_zero.h>
#include <xgrad/core/parallel.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>
#include <xgrad/optim/rmsprop.h>
#include <xgrad/optim/sgd.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace xgrad;

namespace {

Tensor noise(std::size_t size, std::uint64_t seed) {
  Tensor result = Tensor::from_shape({size});
  std::uint64_t state = seed;
  for (Scalar& x : result) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    x = static_cast<Scalar>(static_cast<double>(state >> 40) * 0x1p-24 - 0.5);
  }
  return result;
}

// Arguments: how many parameters, and how many elements each has.
std::size_t count(const benchmark::State& state) { return static_cast<std::size_t>(state.range(0)); }
std::size_t size(const benchmark::State& state) { return static_cast<std::size_t>(state.range(1)); }

void report(benchmark::State& state) { state.SetItemsProcessed(state.iterations() * state.range(0) * state.range(1)); }

template <class Optimizer>
void step(benchmark::State& state) {
  set_num_threads(1);
  optim::ParameterList parameters;
  for (std::size_t i = 0; i < count(state); ++i) {
    Variable& variable = parameters.emplace_back(std::to_string(i), Variable(noise(size(state), i), true)).second;
    sum(variable).backward();
    variable.mutable_grad() = noise(size(state), i + 1000);
  }
  Optimizer optimizer(parameters, {});
  optimizer.step();
  for (auto _ : state) optimizer.step();
  report(state);
}

struct Arrays {
  Tensor theta, g, m, v;
};

// What a user would write by hand for Adam and Adamax.
struct FusedAdam {
  static void step(Arrays& arrays, double t) {
    const auto alpha = Scalar(1e-3 / (1 - std::pow(0.9, t))), scale = Scalar(1 / (1 - std::pow(0.999, t)));
    Scalar* __restrict theta = arrays.theta.data();
    const Scalar* __restrict g = arrays.g.data();
    Scalar* __restrict m = arrays.m.data();
    Scalar* __restrict v = arrays.v.data();
    for (std::size_t i = 0, n = arrays.theta.size(); i < n; ++i) {
      m[i] = Scalar(0.9) * m[i] + Scalar(0.1) * g[i];
      v[i] = Scalar(0.999) * v[i] + Scalar(0.001) * g[i] * g[i];
      theta[i] -= alpha * m[i] / (std::sqrt(v[i] * scale) + Scalar(1e-8));
    }
  }
};

struct FusedAdamax {
  static void step(Arrays& arrays, double t) {
    const auto alpha = Scalar(2e-3 / (1 - std::pow(0.9, t)));
    Scalar* __restrict theta = arrays.theta.data();
    const Scalar* __restrict g = arrays.g.data();
    Scalar* __restrict m = arrays.m.data();
    Scalar* __restrict u = arrays.v.data();
    for (std::size_t i = 0, n = arrays.theta.size(); i < n; ++i) {
      m[i] = Scalar(0.9) * m[i] + Scalar(0.1) * g[i];
      const Scalar faded = Scalar(0.999) * u[i], now = std::abs(g[i]) + Scalar(1e-8);
      u[i] = faded > now ? faded : now;
      theta[i] -= alpha * m[i] / u[i];
    }
  }
};

template <class Fused>
void fused(benchmark::State& state) {
  const FlushToZero guard;
  std::vector<Arrays> all;
  for (std::size_t i = 0; i < count(state); ++i)
    all.push_back({noise(size(state), i), noise(size(state), i + 1000), zeros({size(state)}), zeros({size(state)})});
  double t = 0;
  for (auto _ : state) {
    ++t;
    for (Arrays& arrays : all) Fused::step(arrays, t);
    benchmark::ClobberMemory();
  }
  report(state);
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Args({1, 25'000'000})->Args({1, 100'000})->Args({200, 100})->Unit(benchmark::kMicrosecond);
}

BENCHMARK_TEMPLATE(fused, FusedAdam)->Apply(sizes);
BENCHMARK_TEMPLATE(step, optim::Adam)->Apply(sizes);
BENCHMARK_TEMPLATE(fused, FusedAdamax)->Apply(sizes);
BENCHMARK_TEMPLATE(step, optim::Adamax)->Apply(sizes);
BENCHMARK_TEMPLATE(step, optim::AdamW)->Apply(sizes);
BENCHMARK_TEMPLATE(step, optim::SGD)->Apply(sizes);
BENCHMARK_TEMPLATE(step, optim::RMSprop)->Apply(sizes);

}  // namespace
