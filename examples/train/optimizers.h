// The optimizers that can be chosen by name.
#pragma once

#include <xgrad/optim/optimizer.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace train {

struct OptimizerSettings {
  double lr, weight_decay;
  std::optional<double> momentum = {}, beta1 = {}, beta2 = {};  ///< the rule's own without them; unused if it has none
};

struct OptimizerKind {
  std::string_view name, about;  ///< about: a line
  double lr;                     ///< a good rate for a small network
  double weight_decay;           ///< its own default
  bool has_momentum, has_betas;
  std::unique_ptr<xgrad::optim::Optimizer> (*make)(const xgrad::optim::ParameterList&, const OptimizerSettings&);
};

std::span<const OptimizerKind> optimizer_kinds();
/// All of them, a line each, for people.
std::string optimizer_table();

}  // namespace train
