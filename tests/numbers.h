// Numbers that tests give where an ordinary one is expected.
#pragma once

#include <limits>

constexpr double infinity = std::numeric_limits<double>::infinity(),
                 not_a_number = std::numeric_limits<double>::quiet_NaN();
