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

# Optional: single numbers take the place of SIMD registers, one thread that of several, and nothing that of checkpoints,
# of linear algebra, of pictures in PNG and JPEG, of networks in ONNX, and of NumPy's archives.
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

# On where they are found: none of the layers needs them. What is said to be ON, and is missing, is an error.
macro(xgrad_choice option what)
  set(${option} AUTO CACHE STRING "${what}: ON, OFF, or AUTO for ON where it is found")
  set_property(CACHE ${option} PROPERTY STRINGS AUTO ON OFF)
endmacro()
macro(xgrad_settle option needed reason packages)  # and the names of variables that are false where something is missing
  set(found ON)
  foreach(name ${ARGN})
    if(NOT ${name})
      set(found OFF)
    endif()
  endforeach()
  if(${option} STREQUAL AUTO AND NOT found)
    message(NOTICE "The library is without ${reason}: ${needed} was not found. On Debian: apt-get install ${packages}")
  elseif(NOT found)
    message(FATAL_ERROR "xgrad needs ${needed} (${reason}, or configure with -D${option}=OFF). On Debian: apt-get install ${packages}")
  endif()
  set(${option} ${found})
endmacro()

xgrad_choice(XGRAD_USE_BLAS "Linear algebra, with xtensor-blas and LAPACK")
if(XGRAD_USE_BLAS)  # in this order: without a LAPACK, xtensor-blas's own package file would end the configuration
  find_package(LAPACK QUIET)
  if(LAPACK_FOUND)
    find_package(xtensor-blas QUIET)
  endif()
  xgrad_settle(XGRAD_USE_BLAS "LAPACK or xtensor-blas" "linear algebra" "libopenblas-dev libxtensor-blas-dev" LAPACK_FOUND xtensor-blas_FOUND)
endif()

xgrad_choice(XGRAD_USE_PICTURES "Pictures in PNG and JPEG, with libpng and libturbojpeg")
if(XGRAD_USE_PICTURES)
  find_package(PNG QUIET)
  find_library(XGRAD_TURBOJPEG turbojpeg)  # Debian's own package file ends the configuration where a part is missing
  find_path(XGRAD_TURBOJPEG_INCLUDE turbojpeg.h)
  xgrad_settle(XGRAD_USE_PICTURES "libpng or libturbojpeg" "PNG and JPEG" "libpng-dev libturbojpeg0-dev" PNG_FOUND XGRAD_TURBOJPEG
               XGRAD_TURBOJPEG_INCLUDE)
endif()

xgrad_choice(XGRAD_USE_ONNX "Networks in ONNX's files, with protobuf and ONNX's schema")
if(XGRAD_USE_ONNX)
  find_library(XGRAD_PROTOBUF protobuf)  # ONNX's own package file ends the configuration where protobuf is missing
  find_library(XGRAD_ONNX_PROTO onnx_proto)
  find_path(XGRAD_PROTOBUF_INCLUDE google/protobuf/message.h)
  find_path(XGRAD_ONNX_INCLUDE onnx/onnx_pb.h)
  xgrad_settle(XGRAD_USE_ONNX "protobuf or ONNX's schema" "ONNX" "libprotobuf-dev libonnx-dev" XGRAD_PROTOBUF XGRAD_ONNX_PROTO
               XGRAD_PROTOBUF_INCLUDE XGRAD_ONNX_INCLUDE)
endif()

xgrad_choice(XGRAD_USE_ZIP "NumPy's .npz archives, with libzip")
if(XGRAD_USE_ZIP)
  find_library(XGRAD_LIBZIP zip)  # its own package file ends the configuration where its programs are missing
  find_path(XGRAD_LIBZIP_INCLUDE zip.h)
  xgrad_settle(XGRAD_USE_ZIP "libzip" ".npz archives" "libzip-dev" XGRAD_LIBZIP XGRAD_LIBZIP_INCLUDE)
endif()

xgrad_choice(XGRAD_USE_MPI "Training in several processes, with MPI")
if(XGRAD_USE_MPI)
  set(MPI_CXX_SKIP_MPICXX ON)  # its old interface of classes is not used
  find_package(MPI QUIET COMPONENTS CXX)
  xgrad_settle(XGRAD_USE_MPI "MPI" "several processes" "libopenmpi-dev openmpi-bin" MPI_CXX_FOUND)
endif()
mark_as_advanced(XGRAD_TURBOJPEG XGRAD_TURBOJPEG_INCLUDE XGRAD_PROTOBUF XGRAD_ONNX_PROTO XGRAD_PROTOBUF_INCLUDE XGRAD_ONNX_INCLUDE
                 XGRAD_LIBZIP XGRAD_LIBZIP_INCLUDE)
