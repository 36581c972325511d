# The targets xgrad::xgrad (float) and xgrad::xgrad_f64 (double), from the same sources, and their installation.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# <xgrad/core/tensor.h> inside and outside: in the build folder through links, installed as copies.
set(include_dir ${CMAKE_CURRENT_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${include_dir}/xgrad)
foreach(folder core autograd nn optim datasets onnx)
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${folder} ${include_dir}/xgrad/${folder} SYMBOLIC)
endforeach()
list(TRANSFORM headers REPLACE "(.+)" "#include <xgrad/\\1>" OUTPUT_VARIABLE include_lines)
list(JOIN include_lines "\n" include_lines)
file(CONFIGURE OUTPUT ${include_dir}/xgrad/xgrad.h CONTENT "// The whole library.\n#pragma once\n\n@include_lines@\n" @ONLY)

# Warnings, for our own code only. GCC 12's own AVX-512 header trips its -Wuninitialized (GCC bug 105593).
add_library(xgrad_warnings INTERFACE)
target_compile_options(xgrad_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                                "$<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized;-Wno-maybe-uninitialized>"
                                                $<$<BOOL:${XGRAD_WERROR}>:-Werror>)

# Where neither a build type nor flags say how far to optimize, a compiler does not at all, and all is 50 times slower.
string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
set(optimize "")
if(NOT CMAKE_CONFIGURATION_TYPES AND NOT build_type STREQUAL DEBUG AND NOT "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${build_type}}" MATCHES "(^| )-O")
  set(optimize -O3)
endif()

function(xgrad_add_library name scalar)
  add_library(${name} STATIC ${sources})
  add_library(xgrad::${name} ALIAS ${name})
  # One header a library says what it was built for, so that both can be installed side by side.
  set(configuration built_for_${scalar}_without_xsimd)
  set(XGRAD_HAS_XSIMD ${XGRAD_USE_XSIMD})
  set(XGRAD_HAS_LINALG ${XGRAD_USE_BLAS})
  set(XGRAD_HAS_PICTURES ${XGRAD_USE_PICTURES})
  set(XGRAD_HAS_ONNX ${XGRAD_USE_ONNX})
  if(XGRAD_USE_XSIMD)
    set(configuration built_for_${scalar}_with_xsimd)
    target_link_libraries(${name} PUBLIC xsimd)
  endif()
  set(folder xgrad-${scalar})
  configure_file(cmake/configuration.h.in ${include_dir}/${folder}/xgrad/configuration.h @ONLY)
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${include_dir}/${folder}>
                                            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/${folder}>)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${include_dir}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  # These change the code of templates, so they are the same in whatever includes the headers.
  target_compile_definitions(${name} PUBLIC $<$<BOOL:${XGRAD_ASSERTIONS}>:XTENSOR_ENABLE_ASSERT>)
  target_compile_options(${name} PUBLIC $<$<BOOL:${XGRAD_NATIVE}>:-march=native>)
  # One program holds one of the two: CMake refuses to link both.
  set_target_properties(${name} PROPERTIES INTERFACE_XGRAD_SCALAR ${scalar} POSITION_INDEPENDENT_CODE ON)
  set_property(TARGET ${name} APPEND PROPERTY COMPATIBLE_INTERFACE_STRING XGRAD_SCALAR)
  target_link_libraries(${name} PUBLIC xtensor PRIVATE ZLIB::ZLIB Threads::Threads $<BUILD_INTERFACE:xgrad_warnings>)
  target_compile_options(${name} PRIVATE ${optimize})
  target_precompile_headers(${name} PRIVATE core/simd.h)  # a second less for each source
  if(XGRAD_USE_TBB)
    target_compile_definitions(${name} PRIVATE XGRAD_HAS_TBB)
    target_link_libraries(${name} PRIVATE TBB::tbb)
  endif()
  if(XGRAD_USE_JSON)  # one source includes it: an installed library does not need it
    target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
  endif()
  if(XGRAD_USE_BLAS)  # the same of xtensor-blas, but not of what it calls
    target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:xtensor-blas> LAPACK::LAPACK)
  endif()
  if(XGRAD_USE_PICTURES)
    target_link_libraries(${name} PRIVATE PNG::PNG turbojpeg)
  endif()
  if(XGRAD_USE_ONNX)  # a program that neither writes nor reads networks does not load them
    target_link_libraries(${name} PRIVATE -Wl,--as-needed onnx_proto protobuf)
  endif()
  if(XGRAD_USE_MPI)  # no header includes it, and a program that trains alone does not load it
    target_link_libraries(${name} PRIVATE -Wl,--as-needed MPI::MPI_CXX)
  endif()
  if(XGRAD_USE_ZIP)
    target_link_libraries(${name} PRIVATE zip)
  endif()
endfunction()

xgrad_add_library(xgrad float)
xgrad_add_library(xgrad_f64 double)
# The headers that these include are for them alone, and so is what these link.
set_source_files_properties(autograd/factors.cpp core/processes.cpp datasets/pictures.cpp datasets/npz.cpp onnx/graph_file.cpp onnx/save.cpp onnx/read_tensor.cpp onnx/load.cpp
                            PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
set_source_files_properties(core/processes.cpp PROPERTIES COMPILE_DEFINITIONS
                            "XGRAD_VERSION=\"${PROJECT_VERSION}\"$<$<BOOL:${XGRAD_USE_MPI}>:;XGRAD_HAS_MPI>")
set_source_files_properties(${portable_sources} PROPERTIES COMPILE_OPTIONS -ffp-contract=off)

if(NOT XGRAD_INSTALL)  # a part of another project: what nobody links is not built
  set_target_properties(xgrad_f64 PROPERTIES EXCLUDE_FROM_ALL ON)
  return()
endif()

install(TARGETS xgrad xgrad_f64 EXPORT xgradTargets)
install(EXPORT xgradTargets NAMESPACE xgrad:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/xgrad)
foreach(header ${headers} ${private_headers})
  cmake_path(GET header PARENT_PATH folder)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/xgrad/${folder})
endforeach()
install(FILES ${include_dir}/xgrad/xgrad.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/xgrad)
install(DIRECTORY ${include_dir}/xgrad-float ${include_dir}/xgrad-double DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
configure_package_config_file(cmake/xgradConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/xgradConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/xgrad)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/xgradConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/xgradConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/xgradConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/xgrad)
