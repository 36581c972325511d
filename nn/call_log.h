// How summary() learns what each module returned.
#pragma once

#include <xgrad/nn/module.h>

#include <typeinfo>

namespace xgrad::nn::detail {

struct Call {
  const Module* module;        // it may be gone: forward() may make modules
  const std::type_info* type;  // what it was
  Shape output;
};

/// Where this thread's modules note their calls: nowhere if null.
std::vector<Call>*& call_log();

}  // namespace xgrad::nn::detail
