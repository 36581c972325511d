#include <xgrad/core/errors.h>
#include <xgrad/nn/targets.h>

namespace xgrad::nn::detail {

void check_targets(std::string_view operation, const Shape& scores, const IndexTensor& targets,
                   std::optional<std::int64_t> ignored) {
  if (scores.size() != 2)
    throw ShapeError(message("[", operation, "] expected scores of shape (samples, classes), got ", scores));
  if (targets.shape() != Shape{scores[0]})
    throw ShapeError(message("[", operation, "] targets ", targets.shape(), " do not match scores ", scores,
                             ": expected one target a row"));
  if (scores[0] == 0) throw ValueError(message("[", operation, "] expected one sample or more, got scores ", scores));
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const std::int64_t target = targets.data()[i];
    if (target == ignored) continue;
    if (target < 0) throw ValueError(message("[", operation, "] target ", target, " at position ", i, " is negative"));
    if (static_cast<std::size_t>(target) >= scores[1])
      throw ValueError(message("[", operation, "] target ", target, " at position ", i,
                               " is not below the class count ", scores[1]));
  }
}

}  // namespace xgrad::nn::detail
