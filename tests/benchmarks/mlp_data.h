// The training set of the MLP benchmarks: the folder in XGRAD_DATA (MNIST's layout), or digits drawn by the library.
#pragma once

#include <xgrad/datasets/digits.h>
#include <xgrad/datasets/mnist.h>

#include <cstdlib>

inline xgrad::datasets::Split benchmark_data() {
  if (const char* folder = std::getenv("XGRAD_DATA")) return xgrad::datasets::mnist(folder);
  return {xgrad::datasets::digits(60000, 1), xgrad::datasets::digits(10000, 2)};
}
