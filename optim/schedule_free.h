// Schedule-Free SGD and AdamW: averages of the weights take the place of a schedule.
#pragma once

#include <xgrad/optim/rule_groups.h>

#include <cstdint>

namespace xgrad::optim {

struct ScheduleFreeSGDOptions {
  double lr = 1;             ///< above 0: gamma; the paper's are 10 to 50 times those of SGD with momentum 0.9
  double beta = 0.9;         ///< in (0, 1): how near to the average gradients are taken
  double weight_decay = 0;   ///< at least 0; added to the gradient
  std::int64_t warm_up = 0;  ///< at least 0: the steps on which the rate rises
};

/// Defazio et al. 2024, Algorithm 1 without its second moment: the gradient is taken at y, which is what is trained.
/// With gamma_t = lr min(1, t / warm_up) and c = gamma_t^2 / (the sum of all gamma^2 so far),
///
///   y = (1 - beta) z + beta x,  z -= gamma_t g(y),  x = (1 - c) x + c z
///
/// The weights to evaluate with are x: use an EvaluationWeights. A model with BatchNorm has running means of y. x is
/// not kept, but found from y and z. State: "z", and the number "weight_sum".
class ScheduleFreeSGDRule : public RuleOf<ScheduleFreeSGDOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "ScheduleFreeSGD"; }
  void check() const override;
  Slots slots() const override { return {"z"}; }
  OptionValues values() const override {
    return {{"beta", options.beta}, {"warm_up", static_cast<double>(options.warm_up)}};
  }
  NumberNames numbers() const override { return {Number{"weight_sum", 0}}; }
  void conclude(Numbers& numbers, const Sums&, double t, double loss) const override;
  void update(const Elements& elements) const override;
  bool evaluates_elsewhere() const override { return true; }
  void evaluation_weights(const Elements& elements) const override;
};
using ScheduleFreeSGD = OptimizerOf<ScheduleFreeSGDRule>;

struct ScheduleFreeAdamWOptions {
  double lr = 2.5e-3;        ///< above 0: gamma
  double beta1 = 0.9;        ///< in (0, 1): how near to the average gradients are taken
  double beta2 = 0.999;      ///< in [0, 1): how much of the second moment each step keeps
  double eps = 1e-8;         ///< at least 0; added to the root
  double weight_decay = 0;   ///< at least 0: lambda
  std::int64_t warm_up = 0;  ///< at least 0: the steps on which the rate rises
};

/// Defazio et al. 2024, Algorithm 1: as ScheduleFreeSGD, with gamma_t = lr sqrt(1 - beta2^t) min(1, t / warm_up) and
///
///   v = beta2 v + (1 - beta2) g^2,  z -= gamma_t (g / (sqrt(v) + eps) + lambda y)
///
/// State: "z", "exp_avg_sq" (v), and the number "weight_sum".
class ScheduleFreeAdamWRule : public RuleOf<ScheduleFreeAdamWOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "ScheduleFreeAdamW"; }
  void check() const override;
  Slots slots() const override { return {"z", "exp_avg_sq"}; }
  bool decays_itself() const override { return true; }
  OptionValues values() const override {
    return {{"beta1", options.beta1},
            {"beta2", options.beta2},
            {"eps", options.eps},
            {"warm_up", static_cast<double>(options.warm_up)}};
  }
  NumberNames numbers() const override { return {Number{"weight_sum", 0}}; }
  void conclude(Numbers& numbers, const Sums&, double t, double loss) const override;
  void update(const Elements& elements) const override;
  bool evaluates_elsewhere() const override { return true; }
  void evaluation_weights(const Elements& elements) const override;
};
using ScheduleFreeAdamW = OptimizerOf<ScheduleFreeAdamWRule>;

}  // namespace xgrad::optim
