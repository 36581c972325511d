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

# Optional: single numbers take the place of SIMD registers, one thread that of several, and nothing that of checkpoints.
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
