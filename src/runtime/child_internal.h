// Steps on the process itself: child_process.cc.
#pragma once

#include "runtime/child.h"

namespace minke::runtime {

// Writes below the procfs that was checked before the clone (never a path of the container's:
// CVE-2019-16884).
int child_write_proc(ChildState& c, const char* path, const char* text);
int child_sysctl(ChildState& c, const char* name, const char* value);
int child_own_files(ChildState& c, const Step& s);
int child_rlimits(ChildState& c, const Step& s);
int child_groups(ChildState& c, const Step& s);
int child_drop_bounding(std::uint64_t keep);
int child_capabilities(const CapSets& sets, bool ambient);
int child_change_directory(ChildState& c, const Step& s);
int child_find_program(ChildState& c);
int child_descriptors(ChildState& c, const Step& s);
int child_reset_signals();

}  // namespace minke::runtime
