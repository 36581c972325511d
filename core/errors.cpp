#include <xgrad/core/errors.h>

#include <cstdio>

namespace xgrad::detail {

std::string text(double part) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.8g", part);
  return buffer;
}

}  // namespace xgrad::detail
