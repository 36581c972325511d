// The array type of the library and the names that go with it.
#pragma once

#include <xgrad/core/allocator.h>
#include <xgrad/core/xtensor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#ifndef XGRAD_SCALAR
#define XGRAD_SCALAR float
#endif

namespace xgrad {

/// float in xgrad::xgrad, double in xgrad::xgrad_f64.
using Scalar = XGRAD_SCALAR;
/// A dense row-major array that owns its elements. Tensor({1, 2, 3}) is data; Tensor::from_shape({1, 2, 3}) is a shape.
using Tensor = xt::xarray<Scalar, xt::layout_type::row_major, Allocator<Scalar>>;
/// Class labels and positions.
using IndexTensor = xt::xarray<std::int64_t>;
using Shape = Tensor::shape_type;

/// "(2, 3)", "(5,)" or "()", as Python prints a tuple.
std::string to_string(const Shape& shape);

/// The number of elements of an array of this shape: 1 for (), 0 where a dimension is 0. ShapeError, in the name of
/// `operation`, where their bytes are more than an address can count.
std::size_t element_count(const Shape& shape, std::string_view operation = "tensor");

/// An array of this shape, whose elements have no values yet. Errors are element_count()'s: xtensor's own from_shape()
/// lets the product of the dimensions overflow.
Tensor uninitialized(const Shape& shape, std::string_view operation = "tensor");
/// An array filled with one value.
Tensor full(const Shape& shape, Scalar value, std::string_view operation = "tensor");
inline Tensor zeros(const Shape& shape, std::string_view operation = "tensor") { return full(shape, 0, operation); }
inline Tensor ones(const Shape& shape) { return full(shape, 1); }

/// True where no element is NaN or infinite.
bool all_finite(const Tensor& tensor);

}  // namespace xgrad
