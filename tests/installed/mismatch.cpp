// Calls nothing whose name tells the configuration: only the headers' own symbols can refuse it.
#include <xgrad/core/random.h>
#ifdef WITH_REGISTERS
#include <xgrad/core/simd.h>
#endif

int main() { xgrad::seed(1); }
