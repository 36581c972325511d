// Random numbers that are the same on every platform for the same seed. The engine is std::mt19937_64, whose sequence
// the standard fixes; what it leaves open (the distributions, the shuffle) is done here with exactly rounded
// arithmetic.
#pragma once

#include <xgrad/core/state_dict.h>

#include <cstdint>
#include <random>

namespace xgrad {

class Generator {
 public:
  /// A seed has many unrelated sequences: an epoch's order is one of its own, say.
  explicit Generator(std::uint64_t seed = 0, std::uint64_t stream = 0);

  std::uint64_t bits() { return engine_(); }
  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Standard normal: Marsaglia & Bray 1964, the polar method.
  double normal();
  /// Uniform in {0, …, bound - 1}, without bias. ValueError for a bound of 0.
  std::uint64_t below(std::uint64_t bound);

  Tensor uniform(const Shape& shape, double low, double high);
  Tensor normal(const Shape& shape, double mean = 0, double standard_deviation = 1);
  /// 0 … count - 1 in random order: Fisher & Yates.
  IndexTensor permutation(std::size_t count);

  /// Where it stands: the engine's own text, and the second number of a pair that normal() has not given yet.
  StateDict state_dict() const;
  /// Goes on from there. DataError, before anything changes, for what is not a generator's state.
  void load_state_dict(const StateDict& state);

 private:
  std::mt19937_64 engine_;
  double spare_ = 0;
  bool has_spare_ = false;
};

/// This thread's generator, from which initializers, dropout and shuffles draw. The main thread's starts with seed 0. A
/// thread that does not call seed() itself gets a sequence of its own from the seed that was last given to seed() and
/// its number: threads are numbered from 1 after each seed(), in the order in which they first draw. Where it matters
/// which thread gets which sequence, let each call seed().
Generator& default_generator();
/// Starts this thread's generator anew, and fixes the sequences of the threads that are to come.
void seed(std::uint64_t value);

}  // namespace xgrad
