# What the library needs. Each is a Debian package; cmake/setup.sh installs them all, and with the word in
# xgrad_setup_word, where a folder sets one, what this folder needs besides.

macro(xgrad_require name package reason)
  find_package(${name} ${ARGN} QUIET)
  if(NOT ${name}_FOUND)
    string(STRIP "bash cmake/setup.sh ${xgrad_setup_word}" setup)
    message(FATAL_ERROR "xgrad needs ${name} (${reason}). On Debian: apt-get install ${package}, or run ${setup}")
  endif()
endmacro()

xgrad_require(xtensor libxtensor-dev "the array type")
xgrad_require(ZLIB zlib1g-dev "gzip files")
xgrad_require(Threads libc6-dev "the prefetching thread of the loader")

# Optional: single numbers take the place of SIMD registers, one thread that of several, and nothing that of checkpoints
# and of linear algebra.
option(XGRAD_USE_XSIMD "Compute in SIMD registers, with xsimd" ON)
option(XGRAD_USE_TBB "Split work over threads with oneTBB" ON)
option(XGRAD_USE_JSON "Save and load checkpoints, with nlohmann-json" ON)
if(XGRAD_USE_XSIMD)
  xgrad_require(xsimd libxsimd-dev "SIMD registers, or configure with -DXGRAD_USE_XSIMD=OFF")
endif()
if(XGRAD_USE_TBB)
  xgrad_require(TBB libtbb-dev "threads, or configure with -DXGRAD_USE_TBB=OFF")
endif()
if(XGRAD_USE_JSON)
  xgrad_require(nlohmann_json nlohmann-json3-dev "checkpoints, or configure with -DXGRAD_USE_JSON=OFF")
endif()

# On where it is found. Of the packages that are optional it alone is not small, and none of the layers needs it.
set(XGRAD_USE_BLAS AUTO CACHE STRING "Linear algebra, with xtensor-blas and LAPACK: ON, OFF, or AUTO for ON where they are found")
set_property(CACHE XGRAD_USE_BLAS PROPERTY STRINGS AUTO ON OFF)
if(XGRAD_USE_BLAS)  # in this order: without a LAPACK, xtensor-blas's own package file would end the configuration
  find_package(LAPACK QUIET)
  if(LAPACK_FOUND)
    find_package(xtensor-blas QUIET)
  endif()
  if(NOT XGRAD_USE_BLAS STREQUAL AUTO)
    set(reason "linear algebra, or configure with -DXGRAD_USE_BLAS=OFF")
    xgrad_require(LAPACK libopenblas-dev ${reason})
    xgrad_require(xtensor-blas libxtensor-blas-dev ${reason})
  elseif(LAPACK_FOUND AND xtensor-blas_FOUND)
    set(XGRAD_USE_BLAS ON)
  else()
    set(XGRAD_USE_BLAS OFF)
    message(NOTICE "The library is without linear algebra: LAPACK or xtensor-blas was not found. On Debian: apt-get install libopenblas-dev libxtensor-blas-dev")
  endif()
endif()
