// What minke-transfer gives up before it speaks with anybody.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sys/landlock.h"

namespace minke::transfer {

// no_new_privs; Landlock: besides `reachable` only what looking up names and checking certificates
// reads; no capability; no program can be started. Before the first thread.
Status confine(std::vector<sys::PathAccess> reachable, const std::vector<std::string>& cert_files,
               std::vector<std::string>* notes);

}  // namespace minke::transfer
