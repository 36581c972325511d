// How summary() learns what each module returned.
#pragma once

#include <xgrad/nn/module.h>

namespace xgrad::nn::detail {

struct Call {
  const Module* module;
  Shape output;
};

/// Where this thread's modules note their calls: nowhere if null.
std::vector<Call>*& call_log();

}  // namespace xgrad::nn::detail
