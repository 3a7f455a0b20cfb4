#include <sys/utsname.h>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/version.h"

namespace minke::cli {
namespace {

struct VersionOptions {
  std::string format;
};
constexpr Option<VersionOptions> kOptions[] = {
    {"format", 'f', &VersionOptions::format, "Change the output format to JSON or a Go template"},
};
constexpr OptionTable kTables[] = {option_table<VersionOptions>(kOptions)};

// As Go calls machines.
std::string go_arch(std::string_view machine) {
  struct Row {
    std::string_view machine, arch;
  };
  constexpr Row kRows[] = {{"x86_64", "amd64"},    {"aarch64", "arm64"}, {"armv7l", "arm"},
                           {"ppc64le", "ppc64le"}, {"i686", "386"},      {"s390x", "s390x"},
                           {"riscv64", "riscv64"}};
  for (const Row& row : kRows)
    if (row.machine == machine) return std::string(row.arch);
  return std::string(machine);
}

}  // namespace

json::Object client_version(std::string_view program) {
  struct utsname host = {};
  ::uname(&host);
  std::string_view version =
      program == "minke" ? std::string_view(MINKE_VERSION) : kPodmanApiVersion;
  json::Object client;
  client.set("APIVersion", kPodmanApiVersion);
  client.set("Version", version);
  client.set("GoVersion", "");
  client.set("GitCommit", "");
  client.set("BuiltTime", "Thu Jan  1 00:00:00 1970");
  client.set("Built", 0);
  client.set("OsArch", concat("linux/", go_arch(host.machine)));
  client.set("Os", "linux");
  return client;
}

namespace {

constexpr gotemplate::FieldShape kFields[] = {{"Server", gotemplate::FieldKind::pointer}};
constexpr gotemplate::Shape kShape = {"*define.Version", kFields};

Result<int> version(Invocation& call, VersionOptions& options) {
  json::Object client = client_version(call.program);
  if (!call.changed("format")) {
    std::string text =
        concat("Client:\tMinke Engine\nVersion:\t", *client.find("Version")->as_string(),
               "\nAPI Version:\t", kPodmanApiVersion, "\nOS/Arch:\t",
               *client.find("OsArch")->as_string(), "\n");
    call.out.text(align_columns(text));
    return 0;
  }
  json::Object both;
  both.set("Client", client);
  Status status = write_object(call.out, "version", options.format, both, kShape, 0);
  if (status) return 0;
  // There is no server, but scripts ask for its version: what is said of one is true of the other,
  // and older scripts name neither.
  std::string format = options.format;
  constexpr std::string_view kServer = ".Server.";
  for (std::size_t at = format.find(kServer); at != std::string::npos;
       at = format.find(kServer, at + 1))
    format.replace(at, kServer.size(), ".");
  if (write_object(call.out, "version", format, json::Value(client), kShape, 0)) return 0;
  return std::move(status.error());
}

}  // namespace

const constinit Command kVersionCommand = make_command<VersionOptions, version>(
    {.summary = "Display the version information", .usage = "[options]", .args = ArgRule::none()},
    kTables);

}  // namespace minke::cli
