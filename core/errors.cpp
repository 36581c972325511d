#include <xgrad/core/errors.h>

#include <cmath>
#include <cstdio>

namespace xgrad::detail {

std::string text(double part) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.8g",
                part != part ? std::abs(part) : part);  // NaN has a sign, and means nothing
  return buffer;
}

}  // namespace xgrad::detail
