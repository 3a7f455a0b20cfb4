// What pull, push, run, create, build, login and search may be told about the way to a registry.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace minke::engine {

struct RegistryAccess {
  std::string authfile;             // --authfile; empty: the usual files
  std::string cert_dir;             // --cert-dir; empty: certs.d
  std::string creds;                // --creds USER[:PASSWORD]
  std::optional<bool> tls_verify;   // --tls-verify; none: as registries.conf says
  std::uint32_t retries = 3;        // --retry: of a transfer that failed for a reason that may pass
  std::int64_t retry_delay_ns = 0;  // --retry-delay; 0: doubling, from one second
};

// What happens while an image travels, in this order for each image. Called on the caller's thread.
struct TransferEvent {
  enum class Kind : std::uint8_t {
    resolved,  // `text`: why a short name stands for what is tried next
    trying,    // `text`: the full reference that is tried now
    started,   // its manifest is known
    blob,      // `digest`, `total` bytes: begins to travel
    skipped,   // `digest`: is there already
    progress,  // `digest`: `done` of `total` bytes
    finished,  // `digest`: has travelled and is verified
    config,    // `digest` of the config
    manifest,  // written
  };
  Kind kind = Kind::trying;
  std::string text, digest;
  std::uint64_t done = 0, total = 0;
};
using TransferWatch = std::function<void(const TransferEvent&)>;

}  // namespace minke::engine
