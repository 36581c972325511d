// Rprop, ASGD and FTRL: rules from before Adam that have kept their uses.
#pragma once

#include <xgrad/optim/rule_groups.h>

namespace xgrad::optim {

struct RpropOptions {
  double lr = 1e-2;        ///< above 0: the first step's length; later ones are the rule's own
  double eta_minus = 0.5;  ///< in (0, 1): what a step shrinks by where the gradient turns
  double eta_plus = 1.2;   ///< above 1: what it grows by where the gradient does not
  double step_min = 1e-6;  ///< above 0
  double step_max = 50;    ///< at least step_min
  bool maximize = false;
};

/// Riedmiller & Braun 1993, in the form of PyTorch (Igel & Hüsken 2000, iRprop-): only the sign of the gradient counts,
/// and each element has a step length of its own. Where g times the g before is above 0, the length grows; below 0, it
/// shrinks, and the element waits a step. theta -= sign(g) length. For full batches: noise turns signs. State:
/// "prev" (g), "step_size" (the length).
class RpropRule : public RuleOf<RpropOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "Rprop"; }
  void check() const override;
  Slots slots() const override { return {"prev", "step_size"}; }
  OptionValues values() const override {
    return {{"eta_minus", options.eta_minus},
            {"eta_plus", options.eta_plus},
            {"step_min", options.step_min},
            {"step_max", options.step_max}};
  }
  double bound() const override { return options.step_max; }
  void update(const Elements& elements) const override;
};
using Rprop = OptimizerOf<RpropRule>;

struct ASGDOptions {
  double lr = 1e-2;         ///< above 0
  double lambd = 1e-4;      ///< at least 0: how fast the rate falls, and a decay of theta
  double alpha = 0.75;      ///< at least 0: the power of that fall
  double t0 = 0;            ///< at least 0: averaging begins after so many steps; PyTorch has 1e6
  double weight_decay = 0;  ///< at least 0; added to the gradient
  bool maximize = false;
};

/// Polyak & Juditsky 1992, as in PyTorch, with s = t - 1 and eta = lr / (1 + lambd lr s)^alpha:
///
///   theta = (1 - lambd eta) theta - eta g,  average += (theta - average) / max(1, s - t0)
///
/// The weights to evaluate with are the average: use an EvaluationWeights. State: "ax" (the average).
class ASGDRule : public RuleOf<ASGDOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "ASGD"; }
  void check() const override;
  Slots slots() const override { return {"ax"}; }
  OptionValues values() const override {
    return {{"lambd", options.lambd}, {"alpha", options.alpha}, {"t0", options.t0}};
  }
  void update(const Elements& elements) const override;
  bool evaluates_elsewhere() const override { return true; }
  void evaluation_weights(const Elements& elements) const override;
};
using ASGD = OptimizerOf<ASGDRule>;

struct FTRLOptions {
  double lr = 0.1;  ///< above 0: the paper's alpha
  double beta = 1;  ///< at least 0: added to the root, so that early rates are not too high
  double l1 = 0;    ///< at least 0: lambda 1, which makes weights exactly 0
  double l2 = 0;    ///< at least 0: lambda 2
};

/// FTRL-Proximal: McMahan et al. 2013, Algorithm 1. For sparse linear models, whose useless weights it leaves at 0.
///
///   sigma = (sqrt(n + g^2) - sqrt(n)) / lr,  z += g - sigma theta,  n += g^2
///   theta = 0 where abs(z) <= l1, else -(z - sign(z) l1) / ((beta + sqrt(n)) / lr + l2)
///
/// z begins where theta is: the paper's begins with weights of 0. State: "z", "n".
class FTRLRule : public RuleOf<FTRLOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "FTRL"; }
  void check() const override;
  Slots slots() const override { return {"z", "n"}; }
  OptionValues values() const override { return {{"beta", options.beta}, {"l1", options.l1}, {"l2", options.l2}}; }
  void update(const Elements& elements) const override;
};
using FTRL = OptimizerOf<FTRLRule>;

}  // namespace xgrad::optim
