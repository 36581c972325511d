// The numbers that an operation leaves in the graph, for those who read it: to_dot, ONNX.
#pragma once

#include <xgrad/autograd/variable.h>

#include <type_traits>

namespace xgrad {

namespace detail {
inline void add_attributes(Attributes&) {}
template <class Value, class... Rest>
void add_attributes(Attributes& all, const char* name, const Value& value, const Rest&... rest) {
  std::vector<double>& numbers = all[name];
  if constexpr (std::is_arithmetic_v<Value>)
    numbers.push_back(static_cast<double>(value));
  else
    numbers.assign(value.begin(), value.end());
  add_attributes(all, rest...);
}
}  // namespace detail

/// attributes("axes", axes, "keepdims", true), as record() takes them: names, each before its number or numbers. None
/// where nothing is recorded, so that they cost nothing there.
template <class... NamesAndValues>
Attributes attributes(const NamesAndValues&... all) {
  Attributes result;
  if (is_recording()) detail::add_attributes(result, all...);
  return result;
}

}  // namespace xgrad
