// The graph as a picture.
#pragma once

#include <xgrad/autograd/variable.h>

#include <string>

namespace xgrad {

/// The graph behind a value in Graphviz's DOT language: operations with their shapes and attributes, and leaves by the
/// names given here (a model's parameters(), say). Render it with `dot -Tsvg`.
std::string to_dot(const Variable& output, const NamedVariables& names = {});

}  // namespace xgrad
