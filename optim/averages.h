// Averages of weights over the steps, which often generalize better than the last weights.
#pragma once

#include <xgrad/optim/optimizer.h>

#include <optional>

namespace xgrad::optim {

struct WeightAverageOptions {
  /// In [0, 1): how much of the average each update keeps, as beta2 does in Kingma & Ba 2015, section 7.2. Not given,
  /// all updates count the same: Polyak & Juditsky 1992.
  std::optional<double> decay = {};
};

/// average = decay average + (1 - decay) theta, used as average / (1 - decay^t); or the plain mean. It begins with the
/// first update, and takes a copy of the parameters' memory.
///
///   WeightAverage average(model.parameters(), {.decay = 0.999});
///   … optimizer.step(); average.update(); …
///   { const EvaluationWeights guard(average); evaluate(model); }  // the parameters are the average meanwhile
class WeightAverage : public WeightSource {
 public:
  /// ValueError for a decay out of range or an empty list.
  explicit WeightAverage(ParameterList parameters, WeightAverageOptions options = {});

  /// To be called after each step, or at the end of each epoch. GraphError while an EvaluationWeights of it lives;
  /// ShapeError, here and at an EvaluationWeights, before anything changes, where a parameter was given another shape.
  void update();
  std::int64_t updates() const { return updates_; }

  /// The averages. GraphError before the first update.
  WeightValues evaluation_weights() const override;
  using Swap = EvaluationWeights;

  /// "fc1.weight.average" (the average, its bias not corrected) and "updates".
  StateDict state_dict() const;
  /// DataError, before anything changes, that lists what is missing, unexpected or of another shape.
  void load_state_dict(const StateDict& dict);

 private:
  void check_shapes() const;

  ParameterList parameters_;
  WeightAverageOptions options_;
  std::vector<Tensor> averages_;
  std::int64_t updates_ = 0;
};

}  // namespace xgrad::optim
