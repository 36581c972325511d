// Subnormal numbers make each arithmetic instruction many times slower, and an optimizer's moments decay into them.
#pragma once

#include <cstdint>

namespace xgrad {

/// While it lives, this thread's floating-point unit treats subnormal numbers as zero. Guards nest.
class FlushToZero {
 public:
  FlushToZero();
  ~FlushToZero();
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;

 private:
  std::uint64_t previous_;
};

}  // namespace xgrad
