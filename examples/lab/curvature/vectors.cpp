#include "vectors.h"

#include <xgrad/core/errors.h>

#include <cmath>
#include <numeric>

namespace lab {

using namespace xgrad;

Vector flatten(const std::vector<Variable>& variables) {
  Vector all;
  for (const Variable& one : variables) all.insert(all.end(), one.value().begin(), one.value().end());
  return all;
}

Vector flatten(const NamedVariables& parameters) {
  Vector all;
  for (const auto& [name, one] : parameters) all.insert(all.end(), one.value().begin(), one.value().end());
  return all;
}

void assign(const NamedVariables& parameters, const Vector& point) {
  std::size_t count = 0, next = 0;
  for (const auto& [name, one] : parameters) count += one.size();
  if (count != point.size()) throw ShapeError(message("[assign] expected ", count, " numbers, got ", point.size()));
  for (const auto& [name, one] : parameters)
    for (Scalar& element : one.mutable_value()) element = static_cast<Scalar>(point[next++]);
}

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }
double norm(const Vector& a) { return std::sqrt(dot(a, a)); }

Vector along(Vector a, double scale, const Vector& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += scale * b[i];
  return a;
}

double value_at(const NamedVariables& parameters, const Vector& point, const Height& height) {
  const Vector here = flatten(parameters);
  assign(parameters, point);
  const double value = height();
  assign(parameters, here);
  return value;
}

}  // namespace lab
