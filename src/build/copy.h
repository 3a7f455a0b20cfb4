// COPY and ADD into a tree.
#pragma once

#include <string>

#include "base/result.h"
#include "build/context.h"
#include "build/instruction.h"

namespace minke::build {

struct CopyPlan {
  const node::Copy* copy = nullptr;  // expanded
  Context* context = nullptr;        // its sources are in a context,
  int tree = -1;                     // or in this tree (COPY --from of a stage or an image),
                                     // or in its heredocs
  std::string workdir;               // what relative destinations start from; empty: /
  // Ids of the files when --chown says nothing: 0:0; of a tree those that they have.
  bool rootless = false;  // no devices
  // Podman's rule: files of the main context get no setuid and no setgid, --chmod apart.
  bool strip_ids = false;
  const store::Store* store = nullptr;
  std::string scratch;  // a folder of ours for what is downloaded
  GitAccess git;
};

// What the result depends on besides the layers below: names, modes and contents of the sources and
// all that `copy` says. Downloads what ADD names by URL without a checksum, for perform_copy().
Result<std::string> copy_digest(const CopyPlan& plan);

// Writes below `root`, which is mounted for writing: links in it are followed inside of it alone.
// Owner names are looked up in its /etc/passwd and /etc/group. not_found names the source that
// nothing matches.
Status perform_copy(const CopyPlan& plan, int root);

}  // namespace minke::build
