// The program file of whoever enters containers.
#pragma once

#include "base/result.h"

namespace minke::runtime {

// A container whose program is /proc/self/exe gets a descriptor of the entering program's file, and
// could write to it once nobody runs it (CVE-2019-5736). So the program runs from a read-only mount
// of its own file: this call, before anything else was done, executes the same command line again
// from there, and returns in the second life. Nothing is done where the file cannot be written by
// us anyway. Costs one exec. /proc/self/exe has no path then: sys::own_program() knows it.
Status protect_own_binary();

}  // namespace minke::runtime
