// What recording costs: a chain of 1,000 additions of one element, forward, backward and freed.
#include <benchmark/benchmark.h>
#include <xgrad/autograd/ops.h>

using namespace xgrad;

namespace {

void recorded_addition(benchmark::State& state) {
  const int length = 1000;
  const Variable one(ones({1}));
  for (auto _ : state) {
    const Variable x(ones({1}), true);
    Variable y = x;
    for (int i = 0; i < length; ++i) y = y + one;
    y.backward();
  }
  state.counters["per_operation"] =
      benchmark::Counter(length, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

BENCHMARK(recorded_addition);

}  // namespace
