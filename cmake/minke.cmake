# minke_module(NAME base DEPS ... LIBS ...): one static library per folder of src/, made of every *.cc
# beside the caller but the *_test.cc, and one test program of those when there are any.
# DEPS are other modules (the layering test checks them too), LIBS are third-party archives.
# NO_EXCEPTIONS builds the module with -fno-exceptions.
# With MINKE_UNITY eight files are compiled as one, which takes a third of the time from nothing (what a
# new user waits for) and more after a small change (so `dev` does without). ALONE names the files that
# share the name of a constant or helper with a neighbour, SEPARATE says that all of a module do.
function(minke_module)
  cmake_parse_arguments(M "NO_EXCEPTIONS;SEPARATE" "NAME" "DEPS;LIBS;ALONE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(NOT sources)  # headers only
    add_library(minke_${M_NAME} INTERFACE)
    foreach(dep ${M_DEPS})
      target_link_libraries(minke_${M_NAME} INTERFACE minke_${dep})
    endforeach()
    return()
  endif()
  add_library(minke_${M_NAME} STATIC ${sources})
  foreach(dep ${M_DEPS})
    target_link_libraries(minke_${M_NAME} PUBLIC minke_${dep})
  endforeach()
  target_link_libraries(minke_${M_NAME} PUBLIC ${M_LIBS})
  if(MINKE_UNITY AND NOT M_SEPARATE)
    set_target_properties(minke_${M_NAME} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    set_source_files_properties(${M_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    # GCC takes an included .cc for a header, whose classes should not hold a file's own types.
    target_compile_options(minke_${M_NAME} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
  if(M_NO_EXCEPTIONS)
    target_compile_options(minke_${M_NAME} PRIVATE -fno-exceptions)
  endif()
  if(tests)
    add_executable(minke_${M_NAME}_test ${tests})
    set_target_properties(minke_${M_NAME}_test PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
    target_link_libraries(minke_${M_NAME}_test PRIVATE minke_${M_NAME} GTest::gtest_main)
    target_precompile_headers(minke_${M_NAME}_test REUSE_FROM minke_test_header)
    add_test(NAME unit.${M_NAME} COMMAND minke_${M_NAME}_test)
  endif()
endfunction()

# minke_program(NAME minke-monitor SOURCES ... DEPS ... LIBS ... [STATIC]): one program of the package.
# libstdc++ and libgcc are always static; STATIC also links libc statically (sanitized builds never do).
function(minke_program)
  cmake_parse_arguments(M "STATIC" "NAME" "SOURCES;DEPS;LIBS" ${ARGN})
  add_executable(${M_NAME} ${M_SOURCES})
  add_dependencies(programs ${M_NAME})
  foreach(dep ${M_DEPS})
    target_link_libraries(${M_NAME} PRIVATE minke_${dep})
  endforeach()
  target_link_libraries(${M_NAME} PRIVATE ${M_LIBS})
  if(NOT MINKE_SANITIZE)
    target_link_options(${M_NAME} PRIVATE -static-libstdc++ -static-libgcc)
    if(M_STATIC)
      target_link_options(${M_NAME} PRIVATE -static)
    else()
      target_link_options(${M_NAME} PRIVATE -pie)
    endif()
  endif()
endfunction()

# What is installed, without any test: `./x install`, `./x demo` and `./x deb` build no more.
add_custom_target(programs)

find_package(GTest REQUIRED)
# GoogleTest's header is compiled once for all test programs (5 s each otherwise).
# An executable, because it has to be compiled as they are.
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/test_header.cc CONTENT "int main() {}\n")
add_executable(minke_test_header EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/test_header.cc)
set_target_properties(minke_test_header PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
target_link_libraries(minke_test_header PRIVATE GTest::gtest)
target_precompile_headers(minke_test_header PRIVATE <gtest/gtest.h>)
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
