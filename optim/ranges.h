// The ranges that options must lie in. Each check throws a ValueError such as "[Adam] beta2 must be in [0, 1), got 1".
#pragma once

#include <xgrad/autograd/variable.h>

#include <cstdint>
#include <string_view>

namespace xgrad::optim {

void check_positive(std::string_view owner, std::string_view option, double value);      // above 0 and finite
void check_not_negative(std::string_view owner, std::string_view option, double value);  // at least 0 and finite
void check_below_one(std::string_view owner, std::string_view option, double value);     // in [0, 1)
void check_up_to_one(std::string_view owner, std::string_view option, double value);     // in [0, 1]
void check_count(std::string_view owner, std::string_view option, std::int64_t value);   // at least 1

/// ValueError for no parameters at all.
void check_some(std::string_view owner, const NamedVariables& parameters);
/// The same, and for a parameter or name that comes twice, an empty Variable, and the output of an operation.
void check_parameters(std::string_view owner, const NamedVariables& parameters);

}  // namespace xgrad::optim
