// The array type of the library and the names that go with it.
#pragma once

#include <xgrad/configuration.h>
#include <xgrad/core/allocator.h>
#include <xgrad/core/xtensor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace xgrad {

/// The library defines the one that it was built for, and every program that includes a header asks for the one that it
/// was compiled for: a program for another scalar type, or without the library's SIMD registers, does not link.
extern const char XGRAD_CONFIGURATION;
[[gnu::used]] static const char* const required_configuration = &XGRAD_CONFIGURATION;

/// float in xgrad::xgrad, double in xgrad::xgrad_f64.
using Scalar = XGRAD_SCALAR;
using Shape = xt::svector<std::size_t, 4, std::allocator<std::size_t>, true>;
/// What xt::xarray is, spelled out: XTENSOR_USE_XSIMD, XTENSOR_DEFAULT_LAYOUT and the like change xt::xarray, and a
/// program may define them.
template <class T, class A>
using Array = xt::xarray_container<xt::uvector<T, A>, xt::layout_type::row_major, Shape>;
/// A dense row-major array that owns its elements. Tensor({1, 2, 3}) is data; Tensor::from_shape({1, 2, 3}) is a shape.
using Tensor = Array<Scalar, Allocator<Scalar>>;
/// Class labels and positions.
using IndexTensor = Array<std::int64_t, std::allocator<std::int64_t>>;

/// "(2, 3)", "(5,)" or "()", as Python prints a tuple; of more than 32 sizes, the first 32 and "…".
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
