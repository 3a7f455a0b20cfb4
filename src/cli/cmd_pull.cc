// pull: images from registries, layouts and archives.
#include "base/str.h"
#include "cli/choose.h"
#include "cli/commands.h"
#include "cli/registry_flags.h"
#include "cli/transfer_report.h"
#include "engine/engine.h"
#include "engine/pull.h"

namespace minke::cli {
namespace {

struct PullOptions : RegistryFlags {
  bool all_tags = false, quiet = false, content_trust = false;
  std::string arch, os, platform, variant;
  std::string policy = "always";
};
constexpr Option<PullOptions> kOptions[] = {
    {"all-tags", 'a', &PullOptions::all_tags, "All tagged images in the repository will be pulled"},
    {"arch", 0, &PullOptions::arch,
     "Use `ARCH` instead of the architecture of the machine for choosing images"},
    {"authfile", 0, &PullOptions::authfile,
     "Path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to override"},
    {"cert-dir", 0, &PullOptions::cert_dir,
     "`Pathname` of a directory containing TLS certificates and keys"},
    {"creds", 0, &PullOptions::creds,
     "`Credentials` (USERNAME:PASSWORD) to use for authenticating to a registry"},
    {"decryption-key", 0, refused, "encrypted images are not supported"},
    {"disable-content-trust", 0, &PullOptions::content_trust,
     "This is a Docker specific option and is a NOOP"},
    {"os", 0, &PullOptions::os, "Use `OS` instead of the running OS for choosing images"},
    {"platform", 0, &PullOptions::platform,
     "Specify the platform for selecting the image.  (Conflicts with arch and os)"},
    {"policy", 0, &PullOptions::policy, "Pull image policy (always|missing|never|newer)"},
    {"quiet", 'q', &PullOptions::quiet, "Suppress output information when pulling images"},
    {"retry",
     0,
     &PullOptions::retry,
     "number of times to retry in case of failure when performing pull",
     {.shown_default = "3"}},
    {"retry-delay", 0, &PullOptions::retry_delay, "delay between retries in case of pull failures"},
    {"tls-verify",
     0,
     &PullOptions::tls_verify,
     "Require HTTPS and verify certificates when contacting registries",
     {.shown_default = "true"}},
    {"variant", 0, &PullOptions::variant,
     "Use VARIANT instead of the running architecture variant for choosing images"},
};
constexpr OptionTable kTables[] = {option_table<PullOptions>(kOptions)};

Result<int> pull(Invocation& call, PullOptions& options) {
  engine::PullRequest request;
  request.access = TRY(registry_access(options));
  request.policy = TRY(engine::parse_pull_policy(options.policy));
  TRY(set_platform(options.platform, options.os, options.arch, options.variant, &request));
  engine::Engine* engine = TRY(call.engine());
  ask_for_short_names();
  ErrorList errors;
  for (const std::string& name : call.args) {
    request.reference = name;
    TransferReport report(TransferReport::Way::pull, options.quiet);
    request.watch = report.watch();
    auto images = engine::pull_images(*engine, request, options.all_tags);
    report.settle();
    if (!images) {
      errors.add(std::move(images.error()));
      continue;
    }
    for (const store::Image& image : *images) call.out.line(image.id);
    TRY(call.out.flush());
  }
  return finish(std::move(errors));
}

}  // namespace

const constinit Command kPullCommand = make_command<PullOptions, pull>(
    {.summary = "Pull an image from a registry",
     .usage = "[options] IMAGE [IMAGE...]",
     .description = "Pulls an image from a registry and stores it locally.\n"
                    "An image can be pulled by tag or digest. If a tag is not specified, the image "
                    "with the 'latest' tag is pulled.",
     .examples = "fedora:latest\noci:/tmp/layout:name",
     .args = ArgRule::at_least(1)},
    kTables);

}  // namespace minke::cli
