#include <xgrad/autograd/print.h>
#include <xgrad/core/xtensor.h>

// GCC 12 takes an insertion into a text, in what xtensor prints with, for an overflow of its own.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wrestrict"
#endif

#if __has_include(<xtensor/io/xio.hpp>)
#include <xtensor/io/xio.hpp>
#else
#include <xtensor/xio.hpp>
#endif

#include <ostream>
#include <sstream>

namespace xgrad {

std::ostream& operator<<(std::ostream& out, const Variable& x) {
  if (!x) return out << "no gradient";
  std::ostringstream elements;
  elements << xt::print_options::line_width(100) << x.value();
  std::string text = elements.str();
  for (char& c : text) c = c == '{' ? '[' : c == '}' ? ']' : c;
  out << text << ' ' << to_string(x.shape());
  if (!x.operation().empty()) return out << ", from " << x.operation();
  return x.requires_grad() ? out << ", requires a gradient" : out;
}

}  // namespace xgrad
