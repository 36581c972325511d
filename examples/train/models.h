// The networks that can be chosen by name.
#pragma once

#include <xgrad/nn/sequential.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace train {

struct ModelKind;

constexpr std::size_t widest = 16384;  ///< hidden layer of an mlp

struct Architecture {
  const ModelKind* kind;
  std::vector<std::size_t> hidden;  ///< the widths between the pixels and the classes of an mlp
  xgrad::Shape image_shape;         ///< (channels, height, width)
  std::size_t classes;
  bool sees_pictures = true;  ///< or else rows of a table, of as many features

  /// With weights drawn from the default generator. UsageError for images that are too small.
  xgrad::nn::Sequential make() const;
  std::string name() const;  ///< "784-128-10" for an mlp
};

struct ModelKind {
  std::string_view name;
  std::size_t least_side;  ///< the fewest pixels in height and width that its layers leave something of
  xgrad::nn::Sequential (*make)(const Architecture&);
};

/// The default comes first.
std::span<const ModelKind> model_kinds();

}  // namespace train
