// The one type for everything that must survive a restart: parameters, buffers, optimizer state, counters.
#pragma once

#include <xgrad/core/tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace xgrad {

/// Named arrays and named numbers, in the order in which they were added.
struct StateDict {
  std::vector<std::pair<std::string, Tensor>> tensors;
  std::vector<std::pair<std::string, double>> scalars;

  /// The array of that name, or nullptr.
  const Tensor* find(const std::string& name) const {
    for (const auto& [key, tensor] : tensors)
      if (key == name) return &tensor;
    return nullptr;
  }
};

}  // namespace xgrad
