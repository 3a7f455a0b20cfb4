// Images from where they live into the store: registries, layouts and archives.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/registry_access.h"
#include "store/store.h"
#include "store/transfer.h"

namespace minke::engine {

class Engine;

enum class PullPolicy : std::uint8_t {
  always,   // asks the registry; layers that are there are not fetched again
  missing,  // only when the image is not in the store
  never,    // only from the store
  newer,    // when the registry has another image than the store; its silence is no error then
};
// "always missing never newer", and "true", "false", "ifnotpresent", "ifmissing". Errors:
// `unsupported pull policy "x"`.
Result<PullPolicy> parse_pull_policy(std::string_view text);

struct PullRequest {
  // As typed: NAME[:TAG][@DIGEST], short (registries.conf says where it may live) or full, or with
  // a transport: docker://, oci:PATH[:NAME], oci-archive:PATH[:NAME], docker-archive:PATH[:NAME],
  // dir:PATH. containers-storage: and the others are refused by name.
  std::string reference;
  PullPolicy policy = PullPolicy::always;
  std::string os, arch, variant;  // of the image wanted; empty: of this host
  RegistryAccess access;
  TransferWatch watch;  // may be empty
};

// The image in the store, whole and named; when this returns it survives a power cut. With policy
// missing or newer an image in the store is taken when its platform is the one asked for.
// Errors: not_found `NAME: image not known` (never); in Podman's words `initializing source
// docker://NAME: ...` for all that a registry answers, `short-name resolution enforced ...` and the
// like of short names, `Source image rejected: ...` of policy.json. Rootless: enters the user's
// namespaces.
Result<store::Image> pull_image(Engine& engine, const PullRequest& request);

// --all-tags, and archives with several images: every one of them, in the order of the source.
// `all_tags` takes a name without tag and digest.
Result<std::vector<store::Image>> pull_images(Engine& engine, const PullRequest& request,
                                              bool all_tags);

// What is at NAME@DIGEST of a registry, for as long as the result lives: no image comes of it.
Result<store::Fetched> borrow_image(Engine& engine, const PullRequest& request);

}  // namespace minke::engine
