// --filter of containers: what ps, rm, stop and others take.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/filter.h"
#include "engine/engine.h"

namespace minke::cli {

// Checks keys and values once (names of images and containers are looked up), then asks of each
// container. Keys: id name label label! status exited ancestor before since volume until network
// restart-policy command. pod, health and should-start-on-boot are refused by name; others are
// invalid.
class ContainerFilter {
 public:
  static Result<ContainerFilter> make(engine::Engine& engine,
                                      const std::vector<std::string>& texts);
  bool matches(const engine::ContainerSummary& container) const;
  // A filter on the state looks at containers that do not run as well.
  bool asks_for_state() const { return asks_for_state_; }

 private:
  struct Check {
    std::string key;
    std::vector<std::string> values;  // prefixes, names, states, ids: by key
    std::vector<Pattern> patterns;
    std::vector<std::int32_t> codes;
    TimeNs time = 0;
  };
  static Result<Check> make_check(engine::Engine& engine, const std::string& key,
                                  const std::vector<std::string_view>& values);
  static bool passes(const Check& check, const engine::ContainerSummary& container);
  std::vector<Filter> labels_;
  std::vector<Check> checks_;
  bool asks_for_state_ = false;
};

}  // namespace minke::cli
