// Losses and steps of training, by their names in ONNX.
#pragma once

#include <xgrad/onnx/operators.h>

namespace xgrad::onnx {

Operators training_operators();

}  // namespace xgrad::onnx
