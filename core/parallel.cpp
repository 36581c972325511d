#include <xgrad/core/errors.h>
#include <xgrad/core/flush_to_zero.h>
#include <xgrad/core/parallel.h>

#include <algorithm>

#ifdef XGRAD_HAS_TBB
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <memory>
#include <mutex>
#endif

namespace xgrad {

#ifdef XGRAD_HAS_TBB
namespace {

// Work-stealing, not a fixed share for each thread: where another program holds a core, the others take its ranges.
// With a barrier (OpenMP's) an epoch on a busy machine took 30 times as long.
struct Pool {
  int threads = tbb::this_task_arena::max_concurrency();
  std::shared_ptr<tbb::task_arena> arena = std::make_shared<tbb::task_arena>(threads);
};

std::mutex pool_mutex;

Pool& pool() {
  static Pool instance;
  return instance;
}

Pool current_pool() {
  const std::lock_guard lock(pool_mutex);
  return pool();
}

}  // namespace

int num_threads() { return current_pool().threads; }

static void set_pool(int threads) {
  const std::lock_guard lock(pool_mutex);
  // More workers than cores are not to be had, but the work is cut for as many as were asked for.
  const int workers = std::min(threads, tbb::this_task_arena::max_concurrency());
  pool() = {threads, std::make_shared<tbb::task_arena>(workers)};
}

static void run_ranges(std::size_t ranges, const std::function<void(std::size_t)>& run) {
  // The thread sanitizer does not see how oneTBB's threads wait for each other. This tells it that a range begins after
  // what came before the loop, and that all ranges have ended when the loop has.
  std::atomic<int> order{0};
  struct End {  // of a range, or of the loop, on every way out
    std::atomic<int>& order;
    ~End() { order.fetch_add(1, std::memory_order_acq_rel); }
  };
  const auto body = [&](std::size_t range) {
    order.load(std::memory_order_acquire);
    const End end{order};
    run(range);
  };
  order.store(1, std::memory_order_release);
  const End end_of_loop{order};
  current_pool().arena->execute([&] { tbb::parallel_for(std::size_t{0}, ranges, body, tbb::simple_partitioner()); });
}

#else

int num_threads() { return 1; }
static void set_pool(int) {}
static void run_ranges(std::size_t, const std::function<void(std::size_t)>&) {}

#endif

void set_num_threads(int count) {
  if (count < 1 || count > 1024) throw ValueError(message("[set_num_threads] expected 1 to 1024 threads, got ", count));
  set_pool(count);
}

void parallel_for(std::size_t count, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body) {
  const std::size_t grains = count / grain;
  const std::size_t ranges = grains < 2 ? 1 : std::min(grains, static_cast<std::size_t>(num_threads()));
  const auto run = [&](std::size_t range) {
    const FlushToZero guard;  // a guard of the caller does not reach its workers
    const bool last = range + 1 == ranges;
    body(grains * range / ranges * grain, last ? count : grains * (range + 1) / ranges * grain);
  };
  if (count == 0) return;
  ranges == 1 ? run(0) : run_ranges(ranges, run);
}

}  // namespace xgrad
