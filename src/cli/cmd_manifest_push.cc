// manifest push.
#include <cstdio>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/registry_flags.h"
#include "engine/engine.h"
#include "engine/manifest_list.h"
#include "sys/fd.h"

namespace minke::cli {
namespace {

constexpr const char* kAsTheyAre = "the images of a list are pushed as they are";
constexpr const char* kNoSigning = "signing is not supported";

struct PushOptions : RegistryFlags {
  bool all = true, quiet = false, remove_signatures = false, rm = false;
  std::string digestfile, format;
};
constexpr Option<PushOptions> kOptions[] = {
    {"add-compression", 0, refused, kAsTheyAre},
    {"all", 0, &PushOptions::all, "also push the images in the list", {.shown_default = "true"}},
    {"authfile", 0, &PushOptions::authfile,
     "path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to override"},
    {"cert-dir", 0, &PushOptions::cert_dir,
     "use certificates at the specified path to access the registry"},
    {"compression-format", 0, refused, kAsTheyAre},
    {"compression-level", 0, refused, kAsTheyAre},
    {"creds", 0, &PushOptions::creds, "use `[username[:password]]` for accessing the registry"},
    {"digestfile", 0, &PushOptions::digestfile,
     "after copying the image, write the digest of the resulting digest to the file"},
    {"force-compression", 0, refused, kAsTheyAre, {.no_value = "true"}},
    {"format", 'f', &PushOptions::format,
     "manifest type (oci or v2s2) to attempt to use when pushing the manifest list (default is "
     "manifest type of source)"},
    {"quiet", 'q', &PushOptions::quiet, "don't output progress information when pushing lists"},
    {"remove-signatures", 0, &PushOptions::remove_signatures,
     "don't copy signatures when pushing images (they are never copied)"},
    {"rm", 0, &PushOptions::rm, "remove the manifest list if push succeeds"},
    {"sign-by", 0, refused, kNoSigning},
    {"sign-by-sigstore", 0, refused, kNoSigning},
    {"sign-by-sigstore-private-key", 0, refused, kNoSigning},
    {"sign-by-sq-fingerprint", 0, refused, kNoSigning},
    {"sign-passphrase-file", 0, refused, kNoSigning},
    {"tls-verify",
     0,
     &PushOptions::tls_verify,
     "require HTTPS and verify certificates when accessing the registry",
     {.shown_default = "true"}},
};
constexpr OptionTable kTables[] = {option_table<PushOptions>(kOptions)};

Result<engine::ListFormat> format_of(const std::string& text) {
  if (text.empty()) return engine::ListFormat::as_needed;
  if (text == "oci") return engine::ListFormat::oci;
  if (text == "v2s2" || text == "docker") return engine::ListFormat::docker;
  return Error(Errc::invalid_argument, concat("unknown format ", quote(text),
                                              ". Choose one of the supported formats: "
                                              "'oci' or 'v2s2'"));
}

Result<int> push(Invocation& call, PushOptions& options) {
  engine::PushList request;
  request.list = call.args[0];
  // With one argument the list's own name says where.
  request.destination = call.args.back();
  request.all = options.all;
  request.format = TRY(format_of(options.format));
  request.access = TRY(registry_access(options));
  if (!options.quiet)
    request.watch = [](const engine::TransferEvent& event) {
      (void)std::fprintf(stderr, "%s\n", event.text.c_str());
    };
  engine::Engine* engine = TRY(call.engine());
  if (call.args.size() == 1) {
    store::Image list = TRY(engine::find_list(*engine, call.args[0]));
    if (list.names.empty())
      return Error(Errc::invalid_argument,
                   concat(call.args[0], ": the list has no name: say where"));
    request.destination = list.names.front();
  }
  std::string digest = TRY(engine::push_list(*engine, request));
  if (!options.digestfile.empty())
    TRY_CTX(sys::write_file(options.digestfile, digest, 0644), "--digestfile");
  if (options.rm) TRY_CTX(engine->remove_image(call.args[0], {}), "removing manifest after push");
  return 0;
}

}  // namespace

const constinit Command kManifestPushCommand = make_command<PushOptions, push>(
    {.summary = "Push a manifest list or image index to a registry",
     .usage = "[options] LIST [DESTINATION]",
     .description = "Pushes a manifest list or image index, and the images in it, to a registry. "
                    "An image that is not in the store is fetched from where it was added from.",
     .examples = "mylist:v1.11 docker://quay.io/myuser/image:v1.11",
     .args = {1, 2}},
    kTables);

}  // namespace minke::cli
