// linux.intelRdt: a class of service of the resctrl file system (cache and memory bandwidth).
// https://docs.kernel.org/arch/x86/resctrl.html
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "oci/spec.h"

namespace minke::runtime {

inline constexpr const char* kResctrlRoot = "/sys/fs/resctrl";

struct ResctrlGroup {
  std::string path;
  bool made = false;  // by us: it goes with the container
};
// The group that `rdt` asks for: its closID, or one named after the container, made and filled when
// there is none. One that is there already is never changed: another schema than asked for is an
// error.
Result<ResctrlGroup> open_resctrl_group(const oci::IntelRdt& rdt, const std::string& id,
                                        const std::string& root = kResctrlRoot);
// Gives the class of service at `path`, which was made for one container, other schemata; an error
// when there is none.
Status update_resctrl_group(const oci::IntelRdt& rdt, const std::string& path);
// Children are born in the group of their parent.
Status enter_resctrl_group(const std::string& path, pid_t pid);
// The group that a process is in ("" when the kernel has no resctrl): where exec goes.
std::string resctrl_group_of(pid_t pid);
void remove_resctrl_group(const std::string& path);

}  // namespace minke::runtime
