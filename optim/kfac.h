// K-FAC: natural gradient, with the Fisher matrix of each layer in two factors.
#pragma once

#include <xgrad/optim/rule_groups.h>

#include <cstdint>

namespace xgrad::optim {

struct KFACOptions {
  double lr = 1e-3;                ///< above 0
  double momentum = 0.9;           ///< in [0, 1): how much of the last step each step keeps
  double damping = 1e-2;           ///< above 0; lambda in the paper
  double kl_clip = 1e-3;           ///< at least 0; the longest step, as a squared norm by the Fisher; 0 for any length
  double stat_decay = 0.95;        ///< in [0, 1): how much of A and G each estimate keeps
  std::int64_t update_every = 10;  ///< at least 1: A and G are estimated at steps 1, 1 + update_every, …
  std::int64_t inverse_every = 100;  ///< at least 1: and their inverses taken at steps 1, 1 + inverse_every, …
  bool empirical = false;            ///< the Fisher of the data's labels, and not of the model's predictions; see below
  std::uint32_t seed = 0;            ///< of the predictions that are drawn, which are those of the step for each seed
  double weight_decay = 0;           ///< at least 0; decoupled
};

/// Martens & Grosse 2015, of weights that linear() or conv2d() reads, which it finds in the graph of the loss: a step
/// needs the closure. a is what an operation multiplies the weight with, for each sample (of a convolution for each
/// patch, and of more dimensions for each position), and g the gradient of that sample's loss with respect to what
/// comes out there.
///
///   A = mean of a a^T,  G = sum of g g^T over positions, mean over samples, where A and G go on as means: section 5
///   pi = sqrt(mean of A's diagonal / mean of G's): section 6.3
///   D = (G + sqrt(damping) / pi I)^-1 dtheta (A + pi sqrt(damping) I)^-1
///   nu = min(1, sqrt(kl_clip / (lr^2 sum of D * dtheta over all parameters of the group))): Ba, Grosse & Martens 2017
///   M = momentum M + nu D,  theta = (1 - lr weight_decay) theta - lr M
///
/// Of a convolution these are Omega / |T| and |T| Gamma of Grosse & Martens 2016: the product is theirs, and pi makes D
/// so too. Where several operations read one weight, their positions are taken together (the "expand" setting of
/// Eschenhagen et al. 2023). A bias is another rule's, not a column of the weight as in the paper:
///
///   RuleGroups optimizer(RuleGroup(matrices, KFACRule()), RuleGroup(others, AdamWRule()));
///
/// The loss is taken to be a mean over samples. Where its graph has one cross_entropy, or it is a sum of
/// square(prediction - target) that may be divided by a number, as mse_loss() is, g is that of labels drawn from the
/// model's own predictions: that is the Fisher. Of any other loss, and with `empirical`, it is that of the data's own
/// labels: the empirical Fisher, which is no approximation of the Hessian, and becomes small or large with the
/// residuals where the Fisher does not: Kunstner, Balles & Hennig 2019. The drawn labels cost a second backward pass at
/// the steps that estimate.
///
/// State: "a" and "a_inverse", (columns, columns), "g" and "g_inverse", (rows, rows), and of the parameter's shape
/// "direction" (D) and with momentum "momentum_buffer" (M). For layers, that is, and not for tables of 50,000 rows.
/// Where A or G is not finite, theta becomes NaN. ValueError at construction for fewer than two dimensions, and from
/// step() for a weight in the graph of the loss that neither operation reads, or that a convolution in groups does.
class KFACRule : public RuleOf<KFACOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "KFAC"; }
  void check() const override;
  bool whole() const override { return true; }
  bool decouples() const override { return true; }
  std::size_t dimensions() const override { return 2; }
  Slots slots() const override;
  OptionValues values() const override {
    return {{"momentum", options.momentum},
            {"damping", options.damping},
            {"kl_clip", options.kl_clip},
            {"stat_decay", options.stat_decay},
            {"update_every", static_cast<double>(options.update_every)},
            {"inverse_every", static_cast<double>(options.inverse_every)},
            {"empirical", options.empirical},
            {"seed", options.seed}};
  }
  Needs needs(double t) const override;
  std::vector<SlotTensors> observe(const LossGraph& graph, const std::vector<Elements>& parameters) const override;
  Over over() const override { return Over::group; }
  std::size_t sum_count() const override { return 1; }
  void sum(const Elements& elements, Sums& sums) const override;
  void update(const Elements& elements) const override;

 private:
  void invert(const Elements& elements) const;
};
using KFAC = OptimizerOf<KFACRule>;

}  // namespace xgrad::optim
