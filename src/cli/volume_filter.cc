#include "cli/volume_filter.h"

#include <algorithm>

#include "base/str.h"

namespace minke::cli {
namespace {

bool has_option(std::string_view text, const std::map<std::string, std::string>& options) {
  auto parts = split_once(text, '=');
  auto found = options.find(std::string(parts ? parts->first : text));
  return found != options.end() && (!parts || found->second == parts->second);
}

}  // namespace

Result<VolumeFilters> VolumeFilters::read(const engine::Volumes& volumes,
                                          const std::vector<std::string>& texts) {
  VolumeFilters read;
  read.filters_ = TRY(parse_filters(texts));
  TRY(check_filters(read.filters_,
                    {"name", "driver", "scope", "label", "label!", "opt", "dangling", "until",
                     "since", "after", "all", "anonymous"},
                    "volume"));
  read.names_ = TRY(filter_patterns(read.filters_, "name"));
  for (std::string_view value : filter_values(read.filters_, "until"))
    read.until_.push_back(TRY(filter_time("until", value)));
  for (const char* key : {"since", "after"})
    for (std::string_view value : filter_values(read.filters_, key)) {
      engine::VolumeConfig volume = TRY(volumes.find(value));
      read.since_.push_back(volume.created);
    }
  for (std::string_view value : filter_values(read.filters_, "dangling"))
    read.dangling_.push_back(TRY(filter_bool("dangling", value)));
  for (std::string_view value : filter_values(read.filters_, "anonymous"))
    read.anonymous_.push_back(TRY(filter_bool("anonymous", value)));
  TRY(read.asks_for_all());
  return read;
}

Result<bool> VolumeFilters::asks_for_all() const {
  bool all = false;
  for (std::string_view value : filter_values(filters_, "all"))
    all = TRY(filter_bool("all", value)) || all;
  return all;
}

bool VolumeFilters::match(const engine::VolumeConfig& volume,
                          const std::set<std::string>& used) const {
  if (!any_pattern(names_, volume.name) || !labels_match(filters_, volume.labels)) return false;
  auto too_new = [&](TimeNs time) { return volume.created >= time; };
  auto too_old = [&](TimeNs time) { return volume.created <= time; };
  if (std::any_of(until_.begin(), until_.end(), too_new) ||
      std::any_of(since_.begin(), since_.end(), too_old))
    return false;
  for (bool unused : dangling_)
    if (used.contains(volume.name) == unused) return false;
  for (bool anonymous : anonymous_)
    if (volume.anonymous != anonymous) return false;
  return any_value(filters_, "driver",
                   [&](std::string_view value) { return volume.driver == value; }) &&
         any_value(filters_, "scope", [](std::string_view value) { return value == "local"; }) &&
         any_value(filters_, "opt",
                   [&](std::string_view value) { return has_option(value, volume.options); });
}

}  // namespace minke::cli
