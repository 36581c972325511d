// A schedule that listens: the learning rate falls when a metric stops improving.
#pragma once

#include <xgrad/optim/optimizer.h>

#include <cstdint>
#include <limits>

namespace xgrad::optim {

struct ReduceLROnPlateauOptions {
  bool maximize = false;       ///< a higher metric is better (an accuracy, not a loss)
  double factor = 0.1;         ///< above 0, below 1: what the rates are multiplied by
  std::int64_t patience = 10;  ///< at least 0: so many bad steps in a row are put up with, the next one is not
  double threshold = 1e-4;     ///< at least 0: a smaller improvement is none
  bool relative = true;        ///< the threshold is a share of abs(best)
  std::int64_t cooldown = 0;   ///< at least 0: the steps after a reduction on which bad ones are not counted
  double min_lr = 0;           ///< at least 0: no rate is brought below it
};

/// Reduces the rates of an optimizer, which must outlive it, as PyTorch's ReduceLROnPlateau does with eps 0. One thing
/// is different: where the metric is negative, a relative threshold still asks for an improvement.
class ReduceLROnPlateau {
 public:
  /// ValueError for options out of range.
  explicit ReduceLROnPlateau(Optimizer& optimizer, ReduceLROnPlateauOptions options = {});
  /// Takes the metric of an epoch, say. ValueError where it is NaN or infinite, and then nothing changes: what has
  /// diverged is no plateau.
  void step(double metric);

  /// The best metric, the bad steps and the steps left to cool down, and each group's rate as "lr.0", "lr.1", …
  StateDict state_dict() const;
  /// Takes the place of all that, the optimizer's rates included. DataError, before anything changes, that lists what
  /// is missing, unexpected or out of range.
  void load_state_dict(const StateDict& dict);

 private:
  Optimizer& optimizer_;
  ReduceLROnPlateauOptions options_;
  double best_;
  std::int64_t bad_steps_ = 0, cooldown_left_ = 0;
};

}  // namespace xgrad::optim
