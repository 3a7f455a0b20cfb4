// containers-policy.json(5): which images are accepted, and whose signatures they need.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/json.h"
#include "config/registries_conf.h"

namespace minke::config {

// What a signature has to be about.
struct SignedIdentity {
  enum class Match : std::uint8_t {
    match_exact,
    match_repo_digest_or_exact,  // the default
    match_repository,
    exact_reference,
    exact_repository,
    remap_identity,
  };
  Match match = Match::match_repo_digest_or_exact;
  std::string reference;  // exactReference: "quay.io/a/b:1"; exactRepository: "quay.io/a/b"
  std::string prefix, signed_prefix;  // remapIdentity
};

struct Requirement {
  enum class Type : std::uint8_t { accept_anything, reject, signed_by, sigstore_signed };
  Type type = Type::accept_anything;
  std::vector<std::string> key_paths;  // keyPath, keyPaths
  std::vector<std::string> key_data;   // keyData, keyDatas: base64
  SignedIdentity identity;
  std::string unsupported;  // what of it this engine cannot do ("fulcio"); refused when it is met
  std::string where;        // "FILE: KEY", for messages
};

struct Policy {
  std::vector<Requirement> default_requirements;
  // transport -> scope -> requirements; scope "" is the transport's own default
  std::map<std::string, std::map<std::string, std::vector<Requirement>>> transports;
  std::string path;  // empty: there is no policy file, and everything is accepted
};

// `named` (--signature-policy), else ~/.config/containers/policy.json, else
// /etc/containers/policy.json, else /usr/share/containers/policy.json. Where none is there anything
// is accepted (Podman fails then). Strict as the format asks: unknown keys are errors, which name
// file and key.
Result<Policy> load_policy(const RegistryPlaces& places, const std::string& named = "");
Result<Policy> parse_policy(std::string_view text, const std::string& path);

// What an image has to meet, every one of them. `transport` is "docker", "oci", "oci-archive",
// "docker-archive", "dir", "containers-storage" ...; `scope` "quay.io/team/app:1" (docker), a path
// (others). The longest scope that holds it counts: for docker the reference, the repository, its
// parents, the host, "*.example.com" ever shorter; for paths the path and its parents; then "".
const std::vector<Requirement>& requirements_for(const Policy& policy, std::string_view transport,
                                                 std::string_view scope);

// Reads the files of key_paths into key_data, for who cannot open them (the worker is confined).
Status load_keys(std::vector<Requirement>* requirements);

// True when none of them asks for a look at the image.
bool accepts_unseen(const std::vector<Requirement>& requirements);
// The error when one of them rejects outright, or asks for what is not supported. `image` as the
// user typed it. To be asked before anything is transferred.
Status check_outright(const std::vector<Requirement>& requirements, std::string_view image);

// For requests to the worker, which meets sigstore_signed; signed_by is met by the engine.
void bind(json::Binder& b, SignedIdentity& identity);
void bind(json::Binder& b, Requirement& requirement);

// Whether a signature about `signed_reference` ("quay.io/a/b:1", with its digest apart) is one for
// `wanted` ("quay.io/a/b:1" or "quay.io/a/b@sha256:..."). Both normalised.
bool identity_matches(const SignedIdentity& identity, std::string_view wanted,
                      std::string_view signed_reference);

}  // namespace minke::config
