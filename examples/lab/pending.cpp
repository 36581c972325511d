// Stands in for sections that are still being written.
#include "context.h"

namespace lab {

#define PENDING(function, name) \
  __attribute__((weak)) Section function(const Context&) { return {#function, name, {}}; }
PENDING(break_it, "Break it")

}  // namespace lab
