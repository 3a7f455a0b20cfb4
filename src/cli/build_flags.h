// The options of build, and what they mean as one request.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "build/build.h"
#include "cli/container_flags.h"

namespace minke::cli {

// What a RUN shares with run is in ContainerFlags.
struct BuildFlags : ContainerFlags {
  std::vector<std::string> file, tag, build_arg, build_arg_file, build_context, ssh, output,
      unsetlabel, unsetannotation, layer_label, cache_from, cache_to, platforms;
  std::vector<std::string> build_secret;
  std::string manifest, target, from, format, iidfile, iidfile_raw, ignorefile, isolation, logfile,
      metadata_file, cache_ttl, os_version, build_pull;
  std::optional<std::int64_t> timestamp, source_date_epoch;
  std::optional<std::uint32_t> jobs;
  std::optional<bool> layers;
  bool no_cache = false, squash = false, squash_all = false, force_rm = true, remove = true,
       omit_history = false, inherit_labels = true, inherit_annotations = true,
       created_annotation = true, rewrite_timestamp = false, disable_compression = true,
       compress = false;
};

extern const OptionTable kBuildTables[1];

Result<build::BuildOptions> build_options(const Invocation& call, BuildFlags& flags);

}  // namespace minke::cli
