// Shampoo: gradients times roots of their own second moments, of rows and of columns.
#pragma once

#include <xgrad/optim/rule_groups.h>

#include <cstdint>

namespace xgrad::optim {

/// How long a step is made whose direction is Shampoo's.
enum class Graft {
  none,    ///< as it is: Gupta et al. 2018
  sgd,     ///< as the gradient, or with momentum its mean
  adagrad  ///< as Adagrad's step would be: Anil et al. 2020, "Scalable second order optimization for deep learning"
};

struct ShampooOptions {
  double lr = 0.1;              ///< above 0; with a graft, what suits that rule
  double momentum = 0;          ///< in [0, 1): how much of the mean gradient each step keeps; with 0 there is none
  double beta2 = 1;             ///< in [0, 1]: how much of L and R each step keeps; with 1 they are sums, not means
  double eps = 1e-4;            ///< above 0; epsilon in the paper, which stands on the diagonals of L and R
  std::int64_t frequency = 20;  ///< at least 1: roots are taken at each of so many steps, and then once in so many
  Graft graft = Graft::none;    ///< see there
  double weight_decay = 0;      ///< at least 0; added to the gradient
  bool maximize = false;
};

/// Gupta, Koren & Singer 2018, Algorithm 1, where roots may be taken now and then, and the mean gradient may be stepped
/// along. At first they are taken at each step: those of few gradients stretch whatever the next gradient adds to them
/// by up to eps^(-1/2). A parameter is seen as a matrix of rows, its first axis, and columns, all others together. So
/// are those of more axes, for which the paper's Algorithm 2 has a factor for each axis.
///
///   L = L + G G^T,  R = R + G^T G, or beta2 L + (1 - beta2) G G^T, divided by 1 - beta2^t, and so R
///   M = momentum M + (1 - momentum) G, or G without
///   theta -= lr (L + eps I)^(-1/4) M (R + eps I)^(-1/4), times the length of the graft over its own
///
/// Roots are those of the eigenvalues. One below rows, or columns, times Scalar's epsilon of the largest is rounding
/// error and is taken to be as large as that; in float, of directions that no gradient has had, that is more than eps
/// where L is large.
///
/// State: "left" (L) and "left_root", (rows, rows), "right" (R) and "right_root", (columns, columns), and of the
/// parameter's shape "momentum_buffer" (M) with momentum and "sum" (of squares) with Graft::adagrad. For layers, that
/// is, and not for tables of 50,000 rows. Where L or R is not finite, as after a gradient of NaN, theta becomes NaN.
/// ValueError at construction for fewer than two dimensions, and from step() where LAPACK finds no eigenvalues.
class ShampooRule : public RuleOf<ShampooOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "Shampoo"; }
  void check() const override;
  bool whole() const override { return true; }
  std::size_t dimensions() const override { return 2; }
  Slots slots() const override;
  OptionValues values() const override {
    return {{"momentum", options.momentum},
            {"beta2", options.beta2},
            {"eps", options.eps},
            {"frequency", static_cast<double>(options.frequency)},
            {"graft", static_cast<double>(options.graft)}};
  }
  void update(const Elements& elements) const override;

 private:
  void take_roots(const Elements& elements) const;
  double graft_norm(const Elements& elements, const Tensor& gradient, const Tensor& mean) const;
};
using Shampoo = OptimizerOf<ShampooRule>;

}  // namespace xgrad::optim
