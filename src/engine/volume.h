// Volumes: ROOT/volumes/NAME/{config.json,_data}.
#pragma once

#include <map>
#include <string>
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
  bool needs_copy_up = true;     // nothing was ever put into it
};
void bind(json::Binder& b, VolumeConfig& v);

class Volumes {
 public:
  explicit Volumes(const Host& host);
  struct Create {
    std::string name;                                // empty: 64 hex digits
    std::string driver;                              // "" or local; others refused by name
    std::map<std::string, std::string> labels, options;  // type device o (uid, gid, size, nocopy, copy, noquota)
    bool anonymous = false, ignore_existing = false;
    std::int64_t uid = -1, gid = -1;
  };
  Result<VolumeConfig> create(const Create& request) const;
  Result<VolumeConfig> find(std::string_view name) const;   // exact name, or unambiguous prefix; "no such volume NAME" as Podman says
  Result<std::vector<VolumeConfig>> list() const;
  std::string mountpoint(const std::string& name) const;    // .../_data
  // The caller has checked that no container uses it.
  Status remove(const std::string& name) const;
  Status mark_copied(const std::string& name) const;
  std::string lock_path(const std::string& name) const;

 private:
  const Host& host_;
};

}  // namespace minke::engine
