// push: images to registries, layouts and archives.
#include "base/str.h"
#include "cli/commands.h"
#include "cli/registry_flags.h"
#include "cli/transfer_report.h"
#include "engine/engine.h"
#include "engine/push.h"
#include "sys/fd.h"

namespace minke::cli {
namespace {

constexpr const char* kNoSigning = "signing is not there yet: sign what was pushed with cosign";
constexpr const char* kNoEncryption = "encrypted images are not supported";

struct PushOptions : RegistryFlags {
  bool compress = false, force_compression = false, quiet = false, content_trust = false,
       remove_signatures = false;
  std::string compression_format, digestfile, format;
  std::optional<std::int32_t> compression_level;
};
constexpr Option<PushOptions> kOptions[] = {
    {"authfile", 0, &PushOptions::authfile,
     "Path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to override"},
    {"cert-dir", 0, &PushOptions::cert_dir,
     "`Path` of a directory containing TLS certificates and keys"},
    {"compress", 0, &PushOptions::compress,
     "Compress tarball image layers when pushing to a directory using the 'dir' transport. "
     "(default is same compression type as source)"},
    {"compression-format", 0, &PushOptions::compression_format,
     "compression format to use (gzip or zstd)"},
    {"compression-level", 0, &PushOptions::compression_level, "compression level to use"},
    {"creds", 0, &PushOptions::creds,
     "`Credentials` (USERNAME:PASSWORD) to use for authenticating to a registry"},
    {"digestfile", 0, &PushOptions::digestfile,
     "Write the digest of the pushed image to the specified file"},
    {"disable-content-trust", 0, &PushOptions::content_trust,
     "This is a Docker specific option and is a NOOP"},
    {"encrypt-layer", 0, refused, kNoEncryption},
    {"encryption-key", 0, refused, kNoEncryption},
    {"force-compression", 0, &PushOptions::force_compression,
     "Use the specified compression algorithm even if the destination contains a "
     "differently-compressed variant already"},
    {"format", 'f', &PushOptions::format,
     "Manifest type (oci, v2s2) to use in the destination (default is manifest type of source, "
     "with fallbacks)"},
    {"quiet", 'q', &PushOptions::quiet, "Suppress output information when pushing images"},
    {"remove-signatures", 0, &PushOptions::remove_signatures,
     "Discard any pre-existing signatures in the image (none are kept)"},
    {"retry",
     0,
     &PushOptions::retry,
     "number of times to retry in case of failure when performing push",
     {.shown_default = "3"}},
    {"retry-delay", 0, &PushOptions::retry_delay, "delay between retries in case of push failures"},
    {"sign-by", 0, refused, kNoSigning},
    {"sign-by-sigstore", 0, refused, kNoSigning},
    {"sign-by-sigstore-private-key", 0, refused, kNoSigning},
    {"sign-by-sq-fingerprint", 0, refused, kNoSigning},
    {"sign-passphrase-file", 0, refused, kNoSigning},
    {"tls-verify",
     0,
     &PushOptions::tls_verify,
     "Require HTTPS and verify certificates when contacting registries",
     {.shown_default = "true"}},
};
constexpr OptionTable kTables[] = {option_table<PushOptions>(kOptions)};

Result<int> push(Invocation& call, PushOptions& options) {
  engine::PushRequest request;
  request.image = call.args[0];
  if (call.args.size() > 1) request.destination = call.args[1];
  request.format = options.format;
  request.compression_format = to_lower(options.compression_format);
  request.compression_level = options.compression_level;
  // Who names a format or a level wants it for all layers, as Podman has it.
  request.force_compression = options.force_compression || !options.compression_format.empty();
  request.compress = options.compress;
  request.access = TRY(registry_access(options));
  if (options.compress && !request.destination.starts_with("dir:"))
    return Error(
        Errc::invalid_argument,
        "--compress can be set only when pushing to a directory using the 'dir' transport");
  engine::Engine* engine = TRY(call.engine());
  TransferReport report(TransferReport::Way::push, options.quiet);
  request.watch = report.watch();
  auto digest = engine::push_image(*engine, request);
  report.settle();
  if (!digest) return std::move(digest.error());
  if (!options.digestfile.empty()) TRY(sys::write_file(options.digestfile, *digest, 0644));
  return 0;
}

}  // namespace

const constinit Command kPushCommand = make_command<PushOptions, push>(
    {.summary = "Push an image to a specified destination",
     .usage = "[options] IMAGE [DESTINATION]",
     .description = "Pushes an image to a specified location.\n"
                    "The DESTINATION has the form TRANSPORT:DETAILS; without a transport it is a "
                    "registry, and without a destination the one that the image is named after.",
     .examples = "imageID docker://registry.example.com/repository:tag\nimageID "
                 "oci-archive:/path/to/layout:image:tag",
     .args = {1, 2}},
    kTables);

}  // namespace minke::cli
