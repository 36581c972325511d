// The optimizers that can be chosen by name.
#pragma once

#include <xgrad/optim/optimizer.h>

#include <memory>
#include <span>
#include <string_view>

namespace train {

struct OptimizerKind {
  std::string_view name;
  double lr;            ///< a good rate for a small network
  double weight_decay;  ///< its own default
  std::unique_ptr<xgrad::optim::Optimizer> (*make)(const xgrad::optim::ParameterList&, double lr, double weight_decay);
};

std::span<const OptimizerKind> optimizer_kinds();

}  // namespace train
