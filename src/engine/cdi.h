// Devices described by their makers (Container Device Interface): "vendor.com/class=name" stands
// for nodes, mounts, variables and hooks that a JSON file in /etc/cdi or /var/run/cdi lists.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/spec.h"

namespace minke::engine {

// True for VENDOR/CLASS=NAME.
bool is_cdi_device(std::string_view text);

struct CdiNode {
  std::string path, host_path, access = "rwm";
};
struct CdiEdits {
  std::vector<std::string> env;
  std::vector<CdiNode> nodes;
  std::vector<oci::Mount> mounts;
  oci::Hooks hooks;
  std::vector<std::uint32_t> groups;
};

// The folders in which descriptions lie when none were named; a later one wins.
std::vector<std::string> default_cdi_folders();

// What all of `names` ask for, each description's common edits once. Errors: a device that nobody
// describes, a description that cannot be read (unless no device of it is meant).
Result<CdiEdits> find_cdi_devices(const std::vector<std::string>& names,
                                  const std::vector<std::string>& folders);

}  // namespace minke::engine
