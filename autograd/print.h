// What std::cout << x writes.
#pragma once

#include <xgrad/autograd/variable.h>

#include <iosfwd>

namespace xgrad {

/// The elements as NumPy prints them, in brackets, and of more than a thousand the first and last three of each axis;
/// then the shape, and what made it:
///
///   [[1., 2.], [3., 4.]] (2, 2), from multiply
///
/// "requires a gradient" stands for a leaf, and nothing where there is none to speak of. An empty one is "no gradient".
std::ostream& operator<<(std::ostream& out, const Variable& x);

}  // namespace xgrad
