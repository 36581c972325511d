// The one place that needs threads.
#pragma once

#include <cstddef>
#include <functional>

namespace xgrad {

/// How many threads the library may use, from 1 to 1024; ValueError outside that. It starts at the number of cores, and
/// more than that are not started.
void set_num_threads(int count);
int num_threads();

/// Calls body(begin, end) on disjoint ranges that cover [0, count), one range a thread, subnormal numbers flushed to
/// zero. Ranges begin at multiples of `grain` and hold at least `grain` elements; where that leaves one, it runs on the
/// calling thread. Where the cuts fall depends on num_threads(): a body that is to give the same bits for any number of
/// threads must not sum across elements. The first exception of a body is thrown again here.
void parallel_for(std::size_t count, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body);

/// parallel_for for loops over elements, which are worth a thread by tens of thousands.
template <class Body>
void for_elements(std::size_t count, Body body) {
  constexpr std::size_t grain = std::size_t{1} << 15;
  if (count < 2 * grain) return body(std::size_t{0}, count);
  parallel_for(count, grain, body);
}

}  // namespace xgrad
