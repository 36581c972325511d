#include <xgrad/core/simd.h>

namespace xgrad {

const char XGRAD_CONFIGURATION = 0;
template <>
const char BuiltFor<Register>::registers = 0;

}  // namespace xgrad
