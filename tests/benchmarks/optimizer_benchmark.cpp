// One optimizer step against one hand-fused loop over the same arrays. Build with -O3 -march=native -fno-math-errno:
// with errno, GCC keeps std::sqrt out of SIMD code, and the hand-written Adam is eight times slower than it could be.
#include <benchmark/benchmark.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/gemm.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/random.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>
#include <xgrad/optim/muon.h>
#include <xgrad/optim/sgd.h>
#ifdef XGRAD_HAS_LINALG
#include <xgrad/optim/shampoo.h>
#include <xgrad/optim/soap.h>
#endif

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

// Arguments: how many parameters, how many elements each has, threads.
std::size_t count(const benchmark::State& state) { return static_cast<std::size_t>(state.range(0)); }
std::size_t size(const benchmark::State& state) { return static_cast<std::size_t>(state.range(1)); }

void report(benchmark::State& state) { state.SetItemsProcessed(state.iterations() * state.range(0) * state.range(1)); }

optim::ParameterList parameters(const benchmark::State& state) {
  optim::ParameterList result;
  for (std::size_t i = 0; i < count(state); ++i) {
    Variable& variable = result.emplace_back(std::to_string(i), Variable(noise(size(state), i), true)).second;
    sum(variable).backward();
    variable.mutable_grad() = noise(size(state), i + 1000);
  }
  return result;
}

template <class Optimizer>
void step(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(2)));
  Optimizer optimizer(parameters(state), {});
  if constexpr (std::is_same_v<Optimizer, optim::SGD>) optimizer.groups()[0].options.momentum = 0.9;
  optimizer.step();
  for (auto _ : state) optimizer.step();
  report(state);
}

// No signal for 2,000 steps after the first: moments have decayed to where numbers are subnormal.
template <class Optimizer>
void step_dead(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(2)));
  const optim::ParameterList dead = parameters(state);
  Optimizer optimizer(dead, {});
  optimizer.step();
  for (const auto& [name, variable] : dead) variable.mutable_grad().fill(0);
  for (int t = 0; t < 2000; ++t) optimizer.step();
  for (auto _ : state) optimizer.step();
  report(state);
}

struct Arrays {
  Tensor theta, g, m, v;
};

// What a user would write by hand, for elements [begin, end).
template <bool decays>
struct FusedAdam {
  static void step(Arrays& arrays, double t, std::size_t begin, std::size_t end) {
    const auto alpha = Scalar(1e-3 / (1 - std::pow(0.9, t))), scale = Scalar(1 / (1 - std::pow(0.999, t)));
    Scalar* __restrict theta = arrays.theta.data();
    const Scalar* __restrict g = arrays.g.data();
    Scalar* __restrict m = arrays.m.data();
    Scalar* __restrict v = arrays.v.data();
    for (std::size_t i = begin; i < end; ++i) {
      m[i] = Scalar(0.9) * m[i] + Scalar(0.1) * g[i];
      v[i] = Scalar(0.999) * v[i] + Scalar(0.001) * g[i] * g[i];
      if (decays) theta[i] *= Scalar(1 - 1e-3 * 1e-2);
      theta[i] -= alpha * m[i] / (std::sqrt(v[i] * scale) + Scalar(1e-8));
    }
  }
};

struct FusedAdamax {
  static void step(Arrays& arrays, double t, std::size_t begin, std::size_t end) {
    const auto alpha = Scalar(2e-3 / (1 - std::pow(0.9, t)));
    Scalar* __restrict theta = arrays.theta.data();
    const Scalar* __restrict g = arrays.g.data();
    Scalar* __restrict m = arrays.m.data();
    Scalar* __restrict u = arrays.v.data();
    for (std::size_t i = begin; i < end; ++i) {
      m[i] = Scalar(0.9) * m[i] + Scalar(0.1) * g[i];
      const Scalar faded = Scalar(0.999) * u[i], now = std::abs(g[i]) + Scalar(1e-8);
      u[i] = faded > now ? faded : now;
      theta[i] -= alpha * m[i] / u[i];
    }
  }
};

struct FusedMomentum {
  static void step(Arrays& arrays, double, std::size_t begin, std::size_t end) {
    Scalar* __restrict theta = arrays.theta.data();
    const Scalar* __restrict g = arrays.g.data();
    Scalar* __restrict b = arrays.m.data();
    for (std::size_t i = begin; i < end; ++i) {
      b[i] = Scalar(0.9) * b[i] + g[i];
      theta[i] -= Scalar(1e-3) * b[i];
    }
  }
};

template <class Fused>
void fused(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(2)));
  std::vector<Arrays> all;
  for (std::size_t i = 0; i < count(state); ++i)
    all.push_back({noise(size(state), i), noise(size(state), i + 1000), zeros({size(state)}), zeros({size(state)})});
  double t = 0;
  for (auto _ : state) {
    ++t;
    for (Arrays& arrays : all)
      parallel_for(size(state), 32 * 1024,
                   [&](std::size_t begin, std::size_t end) { Fused::step(arrays, t, begin, end); });
    benchmark::ClobberMemory();
  }
  report(state);
}

// A table of 1 M x 16 of which each step looks 256 random rows up. Dense is the step alone, its gradient given; the
// others are lookup, backward and step, since it is at the lookup that exact rows make the steps they have missed.
template <class Optimizer, optim::SparseRows sparse>
void table(benchmark::State& state) {
  set_num_threads(1);
  const std::size_t rows = 1'000'000, width = 16;
  const Variable weight(zeros({rows, width}), true);
  Optimizer optimizer({{"table", weight}}, {.sparse = optim::SparseRows::dense});
  sum(weight).backward();
  optimizer.step();  // from here on every row has state
  optimizer.groups()[0].options.sparse = sparse;
  Generator generator(1);
  const auto train = [&] {
    IndexTensor index = IndexTensor::from_shape({256});
    for (std::int64_t& row : index) row = static_cast<std::int64_t>(generator.below(rows));
    optimizer.zero_grad();
    sum(take_rows(weight, index, {.sparse_grad = true})).backward();
    optimizer.step();
  };
  if (sparse == optim::SparseRows::dense) {
    for (auto _ : state) optimizer.step();
  } else {
    for (int t = 0; t < 6000; ++t) train();  // rows come from thousands of different steps
    for (auto _ : state) train();
  }
}

constexpr std::size_t side = 1000;

// A step on one matrix, each of whose steps takes as many products as any other; Shampoo and SOAP take roots and turn
// bases in one of ten, Shampoo after the first, in which it always does.
template <class Optimizer>
void matrix_step(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(0)));
  const Variable weight(Generator(1).normal({side, side}), true);
  typename Optimizer::Options options;
  if constexpr (requires { options.frequency; }) options.frequency = 10;
  Optimizer optimizer({{"weight", weight}}, options);
  sum(weight).backward();
  Generator generator(2);
  if constexpr (requires { options.frequency; })
    for (int t = 0; t < 10; ++t) optimizer.step();
  for (auto _ : state) {
    state.PauseTiming();
    weight.mutable_grad() = generator.normal({side, side});
    state.ResumeTiming();
    optimizer.step();
  }
}

// The products that it consists of, alone: 15 of Muon, 4 of Shampoo and 8 of SOAP.
void products(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(0)));
  const Tensor a = Generator(1).normal({side, side}), b = Generator(2).normal({side, side});
  Tensor c = zeros({side, side});
  for (auto _ : state)
    for (std::int64_t i = 0; i < state.range(1); ++i) gemm(a, b, c, {.transpose_b = i % 3 == 0});
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  for (const int threads : {1, 2}) benchmark->Args({1, 25'000'000, threads});
  benchmark->Args({1, 100'000, 1})->Args({200, 100, 1})->Unit(benchmark::kMicrosecond);
}

BENCHMARK_TEMPLATE(fused, FusedAdam<false>)->Apply(sizes);
BENCHMARK_TEMPLATE(step, optim::Adam)->Apply(sizes);
BENCHMARK_TEMPLATE(fused, FusedAdam<true>)->Apply(sizes);
BENCHMARK_TEMPLATE(step, optim::AdamW)->Apply(sizes);
BENCHMARK_TEMPLATE(fused, FusedAdamax)->Apply(sizes);
BENCHMARK_TEMPLATE(step, optim::Adamax)->Apply(sizes);
BENCHMARK_TEMPLATE(fused, FusedMomentum)->Apply(sizes);
BENCHMARK_TEMPLATE(step, optim::SGD)->Apply(sizes);
BENCHMARK_TEMPLATE(step_dead, optim::Adam)->Args({1, 100'000, 1})->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(step_dead, optim::Adamax)->Args({1, 100'000, 1})->Unit(benchmark::kMicrosecond);
BENCHMARK(products)->Args({2, 15})->Args({2, 4})->Args({2, 8})->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(matrix_step, optim::Muon)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
#ifdef XGRAD_HAS_LINALG
BENCHMARK_TEMPLATE(matrix_step, optim::Shampoo)->Arg(2)->Iterations(20)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(matrix_step, optim::Soap)->Arg(2)->Iterations(20)->UseRealTime()->Unit(benchmark::kMillisecond);
#endif
BENCHMARK_TEMPLATE(table, optim::Adam, optim::SparseRows::dense)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(table, optim::Adam, optim::SparseRows::exact)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(table, optim::Adam, optim::SparseRows::lazy)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(table, optim::Adamax, optim::SparseRows::dense)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(table, optim::Adamax, optim::SparseRows::exact)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(table, optim::Adamax, optim::SparseRows::lazy)->Unit(benchmark::kMicrosecond);

}  // namespace
