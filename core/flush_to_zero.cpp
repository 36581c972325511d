#include <xgrad/core/flush_to_zero.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace xgrad {

#if defined(__SSE2__)
namespace {
constexpr unsigned flush_results = 0x8000, flush_operands = 0x0040;  // MXCSR's FTZ and DAZ bits
}
FlushToZero::FlushToZero() : previous_(_mm_getcsr()) {
  _mm_setcsr(static_cast<unsigned>(previous_) | flush_results | flush_operands);
}
FlushToZero::~FlushToZero() { _mm_setcsr(static_cast<unsigned>(previous_)); }
#elif defined(__aarch64__)
FlushToZero::FlushToZero() {
  asm volatile("mrs %0, fpcr" : "=r"(previous_));
  asm volatile("msr fpcr, %0" : : "r"(previous_ | (std::uint64_t{1} << 24)));  // FPCR's FZ bit
}
FlushToZero::~FlushToZero() { asm volatile("msr fpcr, %0" : : "r"(previous_)); }
#else
FlushToZero::FlushToZero() : previous_(0) {}
FlushToZero::~FlushToZero() {}
#endif

}  // namespace xgrad
