// Products of a few rows, or columns, with a large matrix, as a network computes them that answers for a few samples or
// learns from small batches, and of the gradient of its weights: ours and OpenBLAS' in turns. Set OPENBLAS_NUM_THREADS
// to the number of threads that is compared.
#include <benchmark/benchmark.h>
#include <cblas.h>
#include <xgrad/core/gemm.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/random.h>

using namespace xgrad;

namespace {

// Arguments: m, n, k, which matrix is transposed, threads.
enum : std::int64_t { neither, transposed_a, transposed_b };
struct Product {
  explicit Product(const benchmark::State& state)
      : m(state.range(0)),
        n(state.range(1)),
        k(state.range(2)),
        ta(state.range(3) == transposed_a),
        tb(state.range(3) == transposed_b) {
    const auto size = [](std::int64_t rows, std::int64_t columns) {
      return Shape{static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)};
    };
    a = default_generator().normal(ta ? size(k, m) : size(m, k));
    b = default_generator().normal(tb ? size(n, k) : size(k, n));
    c = zeros(size(m, n));
  }
  std::int64_t m, n, k;
  bool ta, tb;
  Tensor a, b, c;
};

void report(benchmark::State& state, const Product& p) {
  state.counters["GFLOP/s"] = benchmark::Counter(static_cast<double>(2 * p.m * p.n * p.k * state.iterations()) / 1e9,
                                                 benchmark::Counter::kIsRate);
}

void product_xgrad(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(4)));
  Product p(state);
  for (auto _ : state) gemm(p.a, p.b, p.c, {.transpose_a = p.ta, .transpose_b = p.tb});
  report(state, p);
  state.SetLabel(gemm_backend());
}

void product_openblas(benchmark::State& state) {
  Product p(state);
  const int m = static_cast<int>(p.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k);
  const int pitch = p.tb ? k : n;
  for (auto _ : state) {
    if (m == 1)
      cblas_sgemv(CblasRowMajor, p.tb ? CblasNoTrans : CblasTrans, p.tb ? n : k, pitch, 1, p.b.data(), pitch,
                  p.a.data(), 1, 0, p.c.data(), 1);
    else
      cblas_sgemm(CblasRowMajor, p.ta ? CblasTrans : CblasNoTrans, p.tb ? CblasTrans : CblasNoTrans, m, n, k, 1,
                  p.a.data(), p.ta ? m : k, p.b.data(), pitch, 0, p.c.data(), n);
  }
  report(state, p);
  state.SetLabel(openblas_get_config());
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"m", "n", "k", "transposed", "threads"})->UseRealTime();
  for (const std::int64_t threads : {1, 2}) {
    for (const std::int64_t few : {1, 4, 8, 16, 64})
      for (const std::int64_t transposed : {neither, transposed_b})
        benchmark->Args({few, 1000, 1000, transposed, threads});
    for (const std::int64_t few : {1, 8}) benchmark->Args({1000, few, 1000, neither, threads});
    for (const std::int64_t samples : {16, 64, 512}) benchmark->Args({1000, 784, samples, transposed_a, threads});
  }
}

BENCHMARK(product_xgrad)->Apply(sizes);
BENCHMARK(product_openblas)->Apply(sizes);

}  // namespace
