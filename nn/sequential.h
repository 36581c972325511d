// Layers in a row.
#pragma once

#include <xgrad/nn/module.h>

#include <concepts>
#include <cstddef>

namespace xgrad::nn {

/// Any number of layers, as its children "0", "1", …. A std::vector of layers would compile too, but nobody would know
/// of their parameters.
///
///   nn::ModuleList& cells = add<nn::ModuleList>("cells");
///   …
///   for (nn::Module& cell : cells) h = cell(h);
///
/// Braces construct the layers from left to right. With parentheses C++ leaves the order to the compiler, and with it
/// which layer draws its initial weights first.
class ModuleList : public Module {
 public:
  class Iterator {
   public:
    using value_type = Module;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(Children::const_iterator at = {}) : at_(at) {}
    Module& operator*() const { return *at_->second; }
    Iterator& operator++() { return ++at_, *this; }
    Iterator operator++(int) { return Iterator(at_++); }
    bool operator==(const Iterator&) const = default;

   private:
    Children::const_iterator at_;
  };

  ModuleList() = default;
  template <std::derived_from<Module>... Layers>
  explicit ModuleList(Layers&&... layers) {
    (push_back(std::forward<Layers>(layers)), ...);
  }

  /// ValueError: what to do with the layers is for the module to say that has the list.
  Variable forward(const Variable& x) override;

  template <std::derived_from<Module> Layer>
  Layer& push_back(Layer&& layer) {
    return add<Layer>(std::to_string(size()), std::forward<Layer>(layer));
  }
  Module& push_back(std::unique_ptr<Module> layer);

  std::size_t size() const { return children().size(); }
  /// ValueError for an index that is not below size().
  Module& operator[](std::size_t index) const;
  Iterator begin() const { return Iterator(children().begin()); }
  Iterator end() const { return Iterator(children().end()); }
};

/// A list whose forward() calls its layers in order; without any it returns its input.
///
///   nn::Sequential model{nn::Flatten(), nn::Linear(784, 128), nn::ReLU(), nn::Linear(128, 10)};
struct Sequential : ModuleList {
  using ModuleList::ModuleList;
  Variable forward(const Variable& x) override;
};

}  // namespace xgrad::nn
