// Checks of gradients against differences, for the library's operations and for yours.
#pragma once

#include <xgrad/autograd/variable.h>

#include <functional>
#include <vector>

namespace xgrad {

using Function = std::function<Variable(const std::vector<Variable>&)>;

struct CheckOptions {
  double step = 0;  ///< of the differences; 0 means the cube root of the machine epsilon
  /// |analytic - numeric| <= tolerance (1 + |numeric|), and what rounding the output may add to that; 0 means 1e-7 in
  /// double, 2e-2 in float
  double tolerance = 0;
  std::size_t exhaustive =
      64;  ///< inputs of up to so many elements are checked one by one, larger ones along random directions
};

/// Compares the gradients of sum(w * function(inputs)), w random, with central differences in every input that requires
/// a gradient. An input may be a parameter of a layer that the function calls: it is moved in place, and moved back.
/// ValueError where they disagree, with the operation, an element and both values: the worst element of an input that
/// is checked one by one. Where a larger one disagrees along a direction, half of the elements is left out again and
/// again, the half that disagrees less: some 2 log2(size) evaluations, and if no single element is wrong by itself in
/// the end, the direction is reported.
void check_gradients(const Function& function, const std::vector<Variable>& inputs, CheckOptions options = {});

/// The same for the gradients of the gradients.
void check_second_gradients(const Function& function, const std::vector<Variable>& inputs, CheckOptions options = {});

}  // namespace xgrad
