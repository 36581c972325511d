// SOAP: Adam, in the eigenbasis of Shampoo's moments.
#pragma once

#include <xgrad/optim/rule_groups.h>

#include <cstdint>

namespace xgrad::optim {

struct SoapOptions {
  double lr = 3e-3;                          ///< above 0
  double beta1 = 0.95;                       ///< in [0, 1): how much of the first moment each step keeps
  double beta2 = 0.95;                       ///< in [0, 1): of the second
  double shampoo_beta = 0.95;                ///< in [0, 1): of L and R
  double eps = 1e-8;                         ///< at least 0; see Adam's
  std::int64_t precondition_frequency = 10;  ///< at least 1: how many steps are made in one basis
  double weight_decay = 1e-2;                ///< at least 0; decoupled
  bool maximize = false;
};

/// Vyas et al. 2024, Algorithm 3, with the correction of Adam's bias. A parameter is seen as a matrix of rows, its
/// first axis, and columns, all others together.
///
///   M = beta1 M + (1 - beta1) G,  G' = Q_L^T G Q_R,  M' = Q_L^T M Q_R,  V = beta2 V + (1 - beta2) G'^2
///   theta = (1 - lr weight_decay) theta - lr sqrt(1 - beta2^s) / (1 - beta1^s) Q_L (M' / (sqrt(V) + eps)) Q_R^T
///   L = shampoo_beta L + (1 - shampoo_beta) G G^T,  R = shampoo_beta R + (1 - shampoo_beta) G^T G
///   every precondition_frequency steps: Q_L = QR(L Q_L), Q_R = QR(R Q_R): Algorithm 4
///
/// As in the authors' own program, the first step finds L, R and, by their eigenvectors, the first Q_L and Q_R, and
/// does nothing else, but for weight decay: in the basis of the very gradient it comes from, G' is diagonal, and what
/// else Adam would divide by its own size is rounding error. s = t - 1 counts Adam's steps. And as there, a basis is
/// put in order before the QR, by what L and R are along its vectors, the largest first, and V with it; apart from that
/// V stays.
///
/// State: "exp_avg" (M), "exp_avg_sq" (V), "left" (L) and "left_basis" (Q_L), (rows, rows), "right" (R) and
/// "right_basis" (Q_R), (columns, columns). For layers, that is, and not for tables of 50,000 rows. Where L or R is not
/// finite, as after a gradient of NaN, theta becomes NaN. ValueError at construction for fewer than two dimensions, and
/// from step() where LAPACK finds no eigenvalues.
class SoapRule : public RuleOf<SoapOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "SOAP"; }
  void check() const override;
  bool whole() const override { return true; }
  bool decouples() const override { return true; }
  std::size_t dimensions() const override { return 2; }
  Slots slots() const override;
  OptionValues values() const override {
    return {{"beta1", options.beta1},
            {"beta2", options.beta2},
            {"shampoo_beta", options.shampoo_beta},
            {"eps", options.eps},
            {"precondition_frequency", static_cast<double>(options.precondition_frequency)}};
  }
  void update(const Elements& elements) const override;

 private:
  void adam(const Elements& elements, const Tensor& gradient) const;
  void find_basis(const Elements& elements) const;
  void turn_basis(const Elements& elements) const;
};
using Soap = OptimizerOf<SoapRule>;

}  // namespace xgrad::optim
