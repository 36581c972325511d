// All parameters of a model as one vector, in double.
#pragma once

#include <xgrad/autograd/variable.h>

#include <functional>
#include <vector>

namespace lab {

using Vector = std::vector<double>;

/// Their elements one after the other, in order.
Vector flatten(const std::vector<xgrad::Variable>& variables);
/// Moves the parameters there. ShapeError where the counts of elements differ.
void assign(const xgrad::NamedVariables& parameters, const Vector& point);
Vector flatten(const xgrad::NamedVariables& parameters);

double dot(const Vector& a, const Vector& b);
double norm(const Vector& a);
/// a + scale b.
Vector along(Vector a, double scale, const Vector& b);

/// A function of the parameters as they are.
using Height = std::function<double()>;
/// Its value at a point; the parameters are where they were afterwards.
double value_at(const xgrad::NamedVariables& parameters, const Vector& point, const Height& height);

}  // namespace lab
