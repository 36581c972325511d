// Layers one after another.
#pragma once

#include <xgrad/nn/module.h>

#include <concepts>
#include <cstddef>

namespace xgrad::nn {

/// Calls its layers in order. They are its children "0", "1", …; without any it returns its input.
///
///   nn::Sequential model{nn::Flatten(), nn::Linear(784, 128), nn::ReLU(), nn::Linear(128, 10)};
///
/// Braces construct the layers from left to right. With parentheses C++ leaves the order to the compiler, and with it
/// which layer draws its initial weights first.
class Sequential : public Module {
 public:
  Sequential() = default;
  template <std::derived_from<Module>... Layers>
  explicit Sequential(Layers&&... layers) {
    (push_back(std::forward<Layers>(layers)), ...);
  }

  Variable forward(const Variable& x) override;

  template <std::derived_from<Module> Layer>
  Layer& push_back(Layer&& layer) {
    return add<Layer>(std::to_string(size()), std::forward<Layer>(layer));
  }
  Module& push_back(std::unique_ptr<Module> layer);

  std::size_t size() const { return children().size(); }
  /// ValueError for an index that is not below size().
  Module& operator[](std::size_t index) const;
};

}  // namespace xgrad::nn
