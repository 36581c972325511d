// From images to rows.
#pragma once

#include <xgrad/nn/module.h>

namespace xgrad::nn {

/// (batch, …) to (batch, features). ShapeError for fewer than two dimensions.
struct Flatten : Module {
  Variable forward(const Variable& x) override;
};

}  // namespace xgrad::nn
