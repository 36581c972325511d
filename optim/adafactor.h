// Adafactor: a second moment in the memory of a row and a column.
#pragma once

#include <xgrad/optim/rule_groups.h>

namespace xgrad::optim {

struct AdafactorOptions {
  double lr = 1e-2;         ///< above 0; of relative steps, the most
  bool relative = true;     ///< steps are as large as the parameter allows, and shrink with time
  double decay_rate = 0.8;  ///< above 0 and finite: the second moment keeps 1 - t^-decay_rate of itself
  double clip = 1;          ///< above 0: d in the paper, the largest root mean square of a step before its rate
  double eps1 = 1e-30;      ///< above 0; added to squared gradients
  double eps2 = 1e-3;       ///< above 0; the least size that a parameter is taken to have, with `relative`
  double beta1 = 0;         ///< in [0, 1): how much of the first moment each step keeps; with 0 there is none
  double weight_decay = 0;  ///< at least 0; decoupled
  bool maximize = false;
};

/// Shazeer & Stern 2018, Algorithm 4 for matrices and Algorithm 5 for vectors, with the schedules of Algorithm 6.
/// A parameter of two dimensions or more is seen as a matrix of rows, its first axis, and columns, all others together.
///
///   b = 1 - t^-decay_rate
///   r = b r + (1 - b) mean of g^2 + eps1 along each row,  c = b c + (1 - b) mean of g^2 + eps1 along each column
///   v = r c / mean(r) of a matrix, where the paper has sums for means, which is the same; of a vector v = r
///   u = g / sqrt(v),  u = u / max(1, RMS(u) / clip)
///   m = beta1 m + (1 - beta1) u, and u = m, where beta1 > 0
///   theta = (1 - lr weight_decay) theta - alpha u
///
/// alpha = max(eps2, RMS(theta)) min(lr, 1 / sqrt(t)) where `relative`, with the decay in theta, and lr otherwise.
/// State: "row_mean_sq" (r), of a vector as many numbers as it has, "column_mean_sq" (c), of a vector one 0, and
/// "exp_avg" (m) where beta1 > 0. While a step is made, it takes memory for another gradient.
class AdafactorRule : public RuleOf<AdafactorOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "Adafactor"; }
  void check() const override;
  bool whole() const override { return true; }
  bool decouples() const override { return true; }
  Slots slots() const override;
  OptionValues values() const override {
    return {{"relative", options.relative}, {"decay_rate", options.decay_rate},
            {"clip", options.clip},         {"eps1", options.eps1},
            {"eps2", options.eps2},         {"beta1", options.beta1}};
  }
  void update(const Elements& elements) const override;
};
using Adafactor = OptimizerOf<AdafactorRule>;

}  // namespace xgrad::optim
