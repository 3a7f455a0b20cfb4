// Names of containers and pods: ROOT/names/NAME is a symbolic link whose text is the ID, because
// symlinkat(2) makes and fills it in one step and fails when the name is taken.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::state {

// [a-zA-Z0-9][a-zA-Z0-9_.-]*, as Podman and Docker demand; invalid_argument with Podman's text
// otherwise.
Status check_name(std::string_view name);

class NameTable {
 public:
  explicit NameTable(const std::string& root) : dir_(root + "/names") {}

  Status reserve(const std::string& name,
                 const std::string& id) const;                // already_exists when taken
  Result<std::vector<std::string>> list() const;              // sorted
  Result<std::string> lookup(const std::string& name) const;  // the id; not_found
  Status release(const std::string& name,
                 const std::string& id) const;  // only while it points to `id`

 private:
  std::string path(const std::string& name) const { return dir_ + "/" + name; }
  std::string dir_;
};

}  // namespace minke::state
