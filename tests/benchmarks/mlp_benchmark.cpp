// One epoch of 784-128-10 (batch 64, Adam) on 60,000 images, against the same work with no framework.
// Set OPENBLAS_NUM_THREADS=1 for the floor on one thread.
#include <benchmark/benchmark.h>
#include <cblas.h>
#include <xgrad/xgrad.h>

#include "bare_mlp.h"
#include "training.h"

using namespace xgrad;

namespace {

const datasets::Dataset& data() {
  static const datasets::Dataset train = benchmark_data().train;
  return train;
}

void epoch_bare(benchmark::State& state) {
  const auto pixels = data().images();
  std::vector<float> images(pixels.begin(), pixels.end());
  for (float& x : images) x /= 255;
  BareMlp mlp(std::move(images), std::vector<std::int64_t>(data().labels().begin(), data().labels().end()));
  for (auto _ : state) state.counters["loss"] = static_cast<double>(mlp.epoch());
  state.SetLabel(openblas_get_config());
}

void epoch_xgrad(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(0)));
  seed(1);
  Training mlp(networks[0], data(), state.range(1) != 0);
  for (auto _ : state) state.counters["loss"] = mlp.epoch();
  state.SetLabel(gemm_backend());
}

BENCHMARK(epoch_bare)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);
BENCHMARK(epoch_xgrad)
    ->ArgNames({"threads", "prefetch"})
    ->Args({1, 0})
    ->Args({1, 1})
    ->Args({2, 0})
    ->Args({2, 1})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->Iterations(1);

}  // namespace
