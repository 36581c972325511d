// What losses and metrics on class labels check first.
#pragma once

#include <xgrad/core/tensor.h>

#include <optional>
#include <string_view>

namespace xgrad::nn::detail {

/// ShapeError, in the name of `operation`, unless the scores are (N, C) and the targets (N,); ValueError unless N > 0
/// and all targets are in [0, C), or the one that is to be ignored.
void check_targets(std::string_view operation, const Shape& scores, const IndexTensor& targets,
                   std::optional<std::int64_t> ignored = {});

}  // namespace xgrad::nn::detail
