// registries.conf, auth.json, policy.json, registries.d: whatever stands there is read or refused
// in one line that names the file; what was read answers every question.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "codec/yaml.h"
#include "config/auth_file.h"
#include "config/policy_json.h"
#include "config/registries_conf.h"

using namespace minke;

static void one_line_of(const Error& error) {
  const std::string& said = error.message();
  if (said.find('\n') != std::string::npos) __builtin_trap();
}

static void read_conf(std::string_view text) {
  config::RegistriesConf conf;
  std::vector<std::string> notes;
  Status read = config::merge_registries_conf(text, "r.conf", &conf, &notes);
  if (!read) {
    one_line_of(read.error());
    if (read.error().message().find("r.conf") == std::string::npos) __builtin_trap();
    return;
  }
  for (const char* host : {"docker.io", "a.b", "localhost:5000"})
    for (bool by_digest : {false, true}) {
      auto places = config::resolve(conf, host, "a/b", by_digest);
      if (places && places->empty()) __builtin_trap();
      if (!places) continue;
      for (const config::Endpoint& place : *places)
        if (place.host.empty() || place.repository.empty()) __builtin_trap();
      if (places->back().mirror) __builtin_trap();
    }
  auto names = config::short_name_candidates(conf, "debian", false);
  if (names && names->candidates.empty()) __builtin_trap();
}

static void read_policy(std::string_view text) {
  auto policy = config::parse_policy(text, "p.json");
  if (!policy) return one_line_of(policy.error());
  for (const char* scope : {"docker.io/library/debian:12", "a.b:5000/c@sha256:00", "/srv/x"}) {
    const auto& asked = config::requirements_for(*policy, "docker", scope);
    if (asked.empty()) __builtin_trap();
    for (const config::Requirement& one : asked) {
      // What goes to the worker comes back as it was.
      auto back = json::parse_struct<config::Requirement>(json::dump_struct(one));
      if (!back || back->type != one.type || back->identity.match != one.identity.match)
        __builtin_trap();
      (void)config::identity_matches(one.identity, "a.b/c:1", scope);
    }
  }
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  read_conf(text);
  read_policy(text);
  for (bool legacy : {false, true})
    if (auto file = config::parse_auth_file(text, "auth.json", legacy); !file)
      one_line_of(file.error());
  if (auto tree = yaml::parse(text); !tree) one_line_of(tree.error());
  return 0;
}
