// The one place that knows where xtensor keeps its headers: 0.26 moved them into folders.
#pragma once

#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xarray.hpp>
#else
#include <xtensor/xarray.hpp>
#endif

// What is computed from an array whose shape is an svector is an xarray. Where a template's defaults count as its own
// parameters (g++, and newer versions of clang), xtensor 0.24 takes the svector in C++20 for an array of 4 sizes, and
// an evaluated expression of xarrays becomes an xtensor of 4 dimensions.
template <>
struct xt::detail::xtype_for_shape<xt::dynamic_shape<std::size_t>> {
  template <class T, layout_type layout>
  using type = xarray<T, layout>;
};
