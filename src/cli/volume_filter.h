// --filter of volume ls and volume prune.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "cli/filter.h"
#include "engine/volume.h"

namespace minke::cli {

class VolumeFilters {
 public:
  static Result<VolumeFilters> read(const engine::Volumes& volumes,
                                    const std::vector<std::string>& texts);
  // `used`: volumes of any container, for "dangling".
  bool match(const engine::VolumeConfig& volume, const std::set<std::string>& used) const;
  bool needs_users() const { return !dangling_.empty(); }
  Result<bool> asks_for_all() const;  // all=true

 private:
  std::vector<Filter> filters_;
  std::vector<Pattern> names_;
  std::vector<TimeNs> until_, since_;
  std::vector<bool> dangling_, anonymous_;
};

}  // namespace minke::cli
