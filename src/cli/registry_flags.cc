#include "cli/registry_flags.h"

#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "cli/prompt.h"
#include "sys/fd.h"

namespace minke::cli {
Result<engine::RegistryAccess> registry_access(const RegistryFlags& flags) {
  engine::RegistryAccess access;
  access.authfile = flags.authfile;
  if (!flags.authfile.empty() && !sys::exists(flags.authfile))
    return Error(Errc::not_found,
                 concat("checking authfile: stat ", flags.authfile, ": no such file or directory"));
  access.cert_dir = flags.cert_dir;
  access.tls_verify = flags.tls_verify;
  access.creds = flags.creds;
  if (flags.creds.starts_with(':')) return Error(Errc::invalid_argument, "username can't be empty");
  if (!flags.creds.empty() && flags.creds.find(':') == std::string::npos) {
    Output terminal(STDERR_FILENO);
    std::string password =
        TRY_CTX(ask_secret(terminal, "Password: ", "give USERNAME:PASSWORD"), "--creds");
    access.creds = concat(flags.creds, ":", password);
  }
  if (flags.retry) access.retries = *flags.retry;
  if (!flags.retry_delay.empty()) {
    auto delay = parse_duration(flags.retry_delay);
    if (!delay || *delay < 0)
      return Error(Errc::invalid_argument,
                   concat("unable to parse value provided ", quote(flags.retry_delay),
                          " as retry delay: a duration like 2s is expected"));
    access.retry_delay_ns = *delay;
  }
  return access;
}

Status set_platform(const std::string& platform, const std::string& os, const std::string& arch,
                    const std::string& variant, engine::PullRequest* request) {
  request->os = os;
  request->arch = arch;
  request->variant = variant;
  if (platform.empty()) return {};
  if (!os.empty() || !arch.empty())
    return Error(Errc::invalid_argument,
                 "--platform option can not be specified with --arch or --os");
  std::vector<std::string_view> parts = split(platform, '/');
  if (parts.size() > 3 || parts[0].empty())
    return Error(Errc::invalid_argument,
                 concat("invalid platform syntax for --platform=", quote(platform)));
  request->os = parts[0];
  if (parts.size() > 1) request->arch = parts[1];
  if (parts.size() > 2) request->variant = parts[2];
  return {};
}

}  // namespace minke::cli
