// The whole loop: evaluate, differentiate, step, until a condition holds.
#pragma once

#include <xgrad/optim/optimizer.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace xgrad::optim {

/// When minimize() ends: at the first of these that holds, tested in this order. A condition without a value is not
/// tested. Norms are Euclidean, over all parameters together.
struct Until {
  std::optional<double> gradient_norm = {};   ///< the gradient is at most this, at least 0
  std::optional<double> step_size = {};       ///< the last step moved the parameters by at most this, at least 0
  std::optional<std::int64_t> patience = {};  ///< the loss has not improved for so many steps in a row, at least 1
  double improvement = 1e-4;                  ///< a smaller fall than this share of abs(the least loss) is none
  std::int64_t max_steps = 10000;             ///< the budget, at least 0
};

enum class EndedBy { gradient_norm, step_size, plateau, budget };
/// "gradient norm", "step size", "plateau" or "budget".
std::string_view to_string(EndedBy ended_by);

struct Minimum {
  EndedBy ended_by;
  std::int64_t steps = 0;
  double loss = 0, gradient_norm = 0;  ///< where the parameters are now
  /// How far the last step moved the parameters; 0 where there was none. Rows of a table that wait for their steps
  /// (SparseRows::exact) make them, and count, only where until.step_size is given: each step then reads all rows.
  double step_size = 0;
};

/// Steps down the closure's loss, and says where it came and which condition ended it. Each step is preceded by one
/// call of the closure, and the last one is followed by another: the result is about the parameters as it leaves them.
/// The optimizer keeps its state: zeros if it is new, and a second call goes on. Refused, with the number of the step,
/// and then the parameters stay where the loss or gradient came up: ValueError where one is NaN or infinite (the first
/// operation, or the parameter, is named) or where a condition is out of range; GraphError where the loss depends on no
/// parameter.
/// An optimizer that needs_closure() calls it itself besides, as often as a step asks for; a step of its that leaves
/// the parameters where they are ends it in any case.
Minimum minimize(Optimizer& optimizer, const Closure& closure, Until until = {});

}  // namespace xgrad::optim
