// Volumes: ROOT/volumes/NAME/{config.json,_data}.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "codec/json.h"
#include "engine/host.h"

namespace minke::engine {

struct VolumeConfig {
  std::string name, driver = "local";
  TimeNs created = 0;
  std::map<std::string, std::string> labels, options;
  bool anonymous = false;
  std::int64_t uid = 0, gid = 0;
  bool needs_copy_up = true;  // nothing was ever put into it
};
void bind(json::Binder& b, VolumeConfig& v);

// What the options of a volume mean: type, device, o.
struct VolumeOptions {
  std::string fs_type;                     // of a volume that is a file system; else it is a folder
  std::string device;                      // of fs_type; bound instead of _data; empty: _data
  std::vector<std::string> mount_options;  // ro, noexec, ... of o=; with fs_type all of o=
  std::int64_t uid = -1, gid = -1;         // o=uid=,gid=
  bool nocopy = false;
};
// Unknown keys and quotas of folders are refused by name.
Result<VolumeOptions> parse_volume_options(const std::map<std::string, std::string>& options);

// [a-zA-Z0-9][a-zA-Z0-9_.-]*
Status check_volume_name(std::string_view name);

class Volumes {
 public:
  explicit Volumes(const Host& host);
  struct Create {
    std::string name;    // empty: 64 hex digits
    std::string driver;  // "" or local; others refused by name
    std::map<std::string, std::string> labels,
        options;  // type device o (uid, gid, size, nocopy, copy, noquota)
    bool anonymous = false, ignore_existing = false;
    std::int64_t uid = -1, gid = -1;
  };
  Result<VolumeConfig> create(const Create& request) const;
  // Exact name, or unambiguous prefix. not_found: `no volume with name "NAME" found: no such
  // volume`.
  Result<VolumeConfig> find(std::string_view name) const;
  Result<VolumeConfig> load(const std::string& name) const;  // the exact name alone
  Result<std::vector<VolumeConfig>> list() const;            // by name
  std::string mountpoint(const std::string& name) const;     // .../_data
  // The caller has checked that no container uses it.
  Status remove(const std::string& name) const;
  Status mark_copied(const std::string& name) const;
  std::string lock_path(const std::string& name) const;

 private:
  std::string dir(std::string_view name) const;
  const Host& host_;
};

}  // namespace minke::engine
