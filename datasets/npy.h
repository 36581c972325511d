// Arrays in NumPy's files: numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <xgrad/core/file.h>
#include <xgrad/core/tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace xgrad::datasets {

/// An array as its file has it.
struct NpyArray {
  std::string source;     ///< as errors name it: the file, and in an archive the array's name
  std::string_view type;  ///< NumPy's name: "float16" to "float64", "int8" to "int64", "uint8" to "uint64", "bool"
  Shape shape;
  std::vector<std::uint8_t> bytes;  ///< of the elements, row-major, in the byte order of this machine

  /// Numbers of any type as real ones, rounded to Scalar; true is 1. DataError for a whole number that Scalar does not
  /// hold exactly, and for a finite one beyond its range.
  Tensor tensor() const;
  /// Whole numbers; true is 1. DataError for an array of real numbers, and for a number of 2^63 or more.
  IndexTensor indices() const;
};

/// Reads the versions 1.0, 2.0 and 3.0 of the format, in C or Fortran order and with either byte first. DataError, with
/// the file, what was expected and what came, for anything but one whole array of the types above (complex numbers,
/// texts, times, records and pickled objects are none), and where it takes more memory than the options allow. A
/// header's claim is not believed: memory is taken as data arrive.
NpyArray read_npy(const std::filesystem::path& file, LoadOptions options = {});

/// Writes version 1.0: float32 in xgrad::xgrad, float64 in xgrad::xgrad_f64, and int64. The file is there whole or not
/// at all: see ReplacementFile. DataError, with the system's reason, where it cannot be written; ValueError for more
/// than 32 dimensions, which NumPy does not read.
void write_npy(const std::filesystem::path& file, const Tensor& array);
void write_npy(const std::filesystem::path& file, const IndexTensor& array);

}  // namespace xgrad::datasets
