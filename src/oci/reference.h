// Image references: [registry/]repository[:tag][@digest], normalised as Podman and Docker do.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "oci/image.h"

namespace minke::oci {

struct Reference {
  std::string registry;    // "docker.io", "localhost", "localhost:5000"; empty while unqualified
  std::string repository;  // "library/debian"
  std::string tag;         // may be empty
  Digest digest;           // may be empty

  // "docker.io/library/debian:12", with "@sha256:..." when there is a digest.
  std::string str() const;
  std::string name() const;  // without tag and digest
  bool qualified() const { return !registry.empty(); }

  // As typed. "debian" stays unqualified; "docker.io/debian" becomes docker.io/library/debian.
  // Errors in Podman's words ("invalid reference format", "repository name must be lowercase").
  static Result<Reference> parse(std::string_view text);
  // With "latest" for a missing tag (unless there is a digest) and `registry` for a missing
  // registry
  // ("localhost" for images made here, "docker.io" as the last resort of a look-up).
  Reference normalized(std::string_view registry) const;
};

}  // namespace minke::oci
