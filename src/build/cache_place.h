// Where --cache-to keeps the steps of a build, and --cache-from finds them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace minke::build {

// "HOST/REPOSITORY" (Podman's way: a tag for each step), "type=registry,ref=REPOSITORY[:TAG]"
// (the tags begin with TAG), "type=local,dest=FOLDER" (src=; an OCI layout for each stage).
struct CachePlace {
  std::string text;           // as typed
  std::string folder;         // local
  std::string repository;     // else: full, without a tag
  std::string tag_prefix;     // "TAG-" or nothing
  bool every_stage = true;    // mode=max; else the target's alone
  bool ignore_error = false;  // what cannot be kept is told, and no more
};
Result<CachePlace> parse_cache_place(const std::string& text, bool to);

}  // namespace minke::build
