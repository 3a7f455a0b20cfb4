// What the parts of `check` share.
#pragma once

#include <string>

#include "engine/check.h"

namespace minke::engine {

struct Checker {
  Engine& engine;
  const CheckOptions& options;
  CheckReport report;
  const std::string& root() const { return engine.host().root; }
  void found(std::string what, std::string fault, std::string mended = "") {
    report.findings.push_back({std::move(what), std::move(fault), std::move(mended)});
  }
  // Does `mend` when asked to, and says what came of it.
  template <typename F>
  void found_and(std::string what, std::string fault, const char* done, F mend) {
    std::string mended;
    if (options.repair || options.force) {
      Status status = mend();
      if (status)
        mended = done;
      else
        fault += " (could not be mended: " + status.error().message() + ")";
    }
    found(std::move(what), std::move(fault), std::move(mended));
  }
  bool old_enough(const std::string& path) const;  // by max_age_s
};

Status check_images(Checker* c);      // index, blobs, layers
Status check_containers(Checker* c);  // records, folders, names
Status check_volumes(Checker* c);     // volumes and secrets
Status check_networks(Checker* c);    // records, leases, ports
Status check_leftovers(Checker* c);   // staging, trash, run folders, modes

// Chain ids of layers that containers stand on, whatever became of their images.
std::vector<std::string> layers_of_containers(const Engine& engine);

}  // namespace minke::engine
