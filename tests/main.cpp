#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <xgrad/core/gemm.h>

#include <cstdio>

int main(int argc, char** argv) {
  const int status = doctest::Context(argc, argv).run();
  std::fprintf(stderr, "products: %s\n", xgrad::gemm_backend().c_str());
  return status;
}
