// Muon: momentum whose step is made orthogonal.
#pragma once

#include <xgrad/optim/rule_groups.h>

#include <cstdint>

namespace xgrad::optim {

/// How long the orthogonal step of a matrix (rows, columns) is made.
enum class MuonScale {
  original,  ///< times sqrt(max(1, rows / columns)): Jordan et al. 2024
  rms        ///< times 0.2 sqrt(max(rows, columns)), the length of AdamW's steps, whose lr suits it: Liu et al. 2025
};

struct MuonOptions {
  double lr = 0.02;                       ///< above 0; with MuonScale::rms take that of AdamW, such as 1e-3
  double momentum = 0.95;                 ///< in [0, 1): how much of the mean gradient each step keeps
  bool nesterov = true;                   ///< make the step that the next gradient would make if it were this one
  std::int64_t newton_schulz_steps = 5;   ///< at least 1
  double eps = 1e-7;                      ///< above 0; added to the norm that a matrix is divided by
  MuonScale scale = MuonScale::original;  ///< see there
  double weight_decay = 0;                ///< at least 0; decoupled
  bool maximize = false;
};

/// Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks". For the matrices of hidden layers:
/// vectors are refused, and embeddings and output layers are for another rule (see RuleGroups). A parameter is seen as
/// a matrix of rows, its first axis, and columns, all others together.
///
///   m = momentum m + (1 - momentum) g,  u = momentum m + (1 - momentum) g with nesterov, m without
///   X = u / (||u|| + eps), by the Frobenius norm
///   X = a X + b (X X^T) X + c (X X^T)^2 X, newton_schulz_steps times, (a, b, c) = (3.4445, -4.7750, 2.0315)
///   theta = (1 - lr weight_decay) theta - lr scale X
///
/// The polynomial brings each singular value of X near to 1, between 0.68 and 1.13 after five steps for those from 0.01
/// of the norm on; smaller ones are on their way. Where rows > columns, it is that of X^T X, from the right. State:
/// "momentum_buffer" (m), and while a step is made, memory for four more matrices at most. ValueError, at construction,
/// for fewer than two dimensions.
class MuonRule : public RuleOf<MuonOptions> {
 public:
  using RuleOf::RuleOf;
  std::string_view name() const override { return "Muon"; }
  void check() const override;
  bool whole() const override { return true; }
  bool decouples() const override { return true; }
  std::size_t dimensions() const override { return 2; }
  Slots slots() const override { return {"momentum_buffer"}; }
  OptionValues values() const override {
    return {{"momentum", options.momentum},
            {"nesterov", options.nesterov},
            {"newton_schulz_steps", static_cast<double>(options.newton_schulz_steps)},
            {"eps", options.eps},
            {"scale", static_cast<double>(options.scale)}};
  }
  void update(const Elements& elements) const override;
};
using Muon = OptimizerOf<MuonRule>;

}  // namespace xgrad::optim
