// login and logout.
#include <unistd.h>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/prompt.h"
#include "cli/registry_flags.h"
#include "engine/engine.h"
#include "engine/registry_login.h"
#include "engine/secret.h"
#include "sys/fd.h"

namespace minke::cli {
namespace {

constexpr const char* kAuthfileHelp =
    "path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to override";
constexpr const char* kCompatHelp = "path of a Docker-compatible config file to update instead";

struct LoginOptions {
  std::string authfile, cert_dir, compat_auth_file, password, secret, username;
  bool get_login = false, password_stdin = false, verbose = false;
  std::optional<bool> tls_verify;
};
constexpr Option<LoginOptions> kLoginOptions[] = {
    {"authfile", 0, &LoginOptions::authfile, kAuthfileHelp},
    {"cert-dir", 0, &LoginOptions::cert_dir,
     "use certificates at the specified path to access the registry"},
    {"compat-auth-file", 0, &LoginOptions::compat_auth_file, kCompatHelp},
    {"get-login", 0, &LoginOptions::get_login, "Return the current login user for the registry"},
    {"password", 'p', &LoginOptions::password, "Password for registry"},
    {"password-stdin", 0, &LoginOptions::password_stdin, "Take the password from stdin"},
    {"secret", 0, &LoginOptions::secret, "Retrieve password from the named secret"},
    {"tls-verify", 0, &LoginOptions::tls_verify,
     "Require HTTPS and verify certificates when contacting registries"},
    {"username", 'u', &LoginOptions::username, "Username for registry"},
    {"verbose", 'v', &LoginOptions::verbose, "Write more detailed information to stdout"},
};
constexpr OptionTable kLoginTables[] = {option_table<LoginOptions>(kLoginOptions)};

struct LogoutOptions {
  std::string authfile, compat_auth_file;
  bool all = false;
};
constexpr Option<LogoutOptions> kLogoutOptions[] = {
    {"all", 'a', &LogoutOptions::all,
     "Remove the cached credentials for all registries in the auth file"},
    {"authfile", 0, &LogoutOptions::authfile, kAuthfileHelp},
    {"compat-auth-file", 0, &LogoutOptions::compat_auth_file, kCompatHelp},
};
constexpr OptionTable kLogoutTables[] = {option_table<LogoutOptions>(kLogoutOptions)};

// Configuration and the file that is read and written; the file need not be there.
struct Place {
  engine::Registries registries;
  config::AuthStore auth;
};
Result<Place> place_of(Invocation& call, const std::string& authfile, const std::string& compat,
                       engine::RegistryAccess access) {
  if (!authfile.empty() && !compat.empty())
    return Error(Errc::invalid_argument,
                 "options for paths to the credential file and to the Docker-compatible credential "
                 "file can not be set simultaneously");
  engine::Engine* engine = TRY(call.engine());
  access.authfile = authfile;
  engine::Registries registries(engine->host(), access);
  const config::AuthStore* known = TRY(registries.auth());
  config::AuthStore auth = *known;
  if (!compat.empty()) auth.use_docker_format(compat);
  return Place{std::move(registries), std::move(auth)};
}

Result<std::string> registry_of(Invocation& call, Place& place) {
  if (call.args.empty()) return engine::default_registry(place.registries);
  return engine::registry_name(call.args[0]);
}

// As Podman reads it: all lines as one.
Result<std::string> password_from_stdin() {
  constexpr std::size_t kMax = 1 << 20;
  std::string text = TRY(sys::read_all(STDIN_FILENO, kMax, "standard input"));
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
  return text;
}

Result<std::string> password_from_secret(Invocation& call, const std::string& name) {
  engine::Engine* engine = TRY(call.engine());
  engine::Secrets secrets(engine->host());
  engine::SecretConfig secret = TRY(secrets.find(name));
  return secrets.data(secret);
}

Status check_flags(const LoginOptions& options) {
  if (options.password_stdin && !options.password.empty())
    return Error(Errc::invalid_argument, "Can't specify both --password-stdin and --password");
  if (!options.secret.empty() && (options.password_stdin || !options.password.empty()))
    return Error(Errc::invalid_argument, "--secret can not be used with --password options");
  if (options.password_stdin && options.username.empty())
    return Error(Errc::invalid_argument, "Must provide --username with --password-stdin");
  return {};
}

// What is asked for is what was not given; `known` is who one was so far.
Status complete(Invocation& call, const std::string& known, config::Credentials* creds) {
  if (creds->username.empty()) {
    std::string question = known.empty() ? "Username: " : concat("Username (", known, "): ");
    creds->username = std::string(trim(TRY_CTX(ask_line(call.out, question), "reading username")));
    if (creds->username.empty()) creds->username = known;
  }
  if (creds->password.empty())
    creds->password = TRY(ask_secret(call.out, "Password: ", "use --password-stdin"));
  return {};
}

Result<int> login(Invocation& call, LoginOptions& options) {
  TRY(check_flags(options));
  engine::RegistryAccess access;
  access.cert_dir = options.cert_dir;
  access.tls_verify = options.tls_verify;
  Place place = TRY(place_of(call, options.authfile, options.compat_auth_file, access));
  std::string registry = TRY(registry_of(call, place));
  config::Credentials known = TRY_CTX(place.auth.find(registry), "get credentials");
  if (options.get_login) {
    if (known.username.empty()) return Error(Errc::not_found, concat("not logged into ", registry));
    call.out.line(known.username);
    return 0;
  }
  if (!known.identity_token.empty())
    return Error(Errc::unsupported, "currently logged in, auth file contains an Identity token");
  config::Credentials creds;
  creds.username = options.username;
  creds.password = options.password;
  if (options.password_stdin) creds.password = TRY(password_from_stdin());
  if (!options.secret.empty()) {
    creds.password = TRY(password_from_secret(call, options.secret));
    if (creds.username.empty()) creds.username = options.secret;
  }
  auto check = [&](const config::Credentials& given) -> Result<bool> {
    auto works = engine::credentials_work(place.registries, registry, given);
    if (!works)
      return std::move(works.error()).wrap(concat("authenticating creds for ", quote(registry)));
    return works;
  };
  if (creds.username.empty() && creds.password.empty() && !known.username.empty() &&
      !known.password.empty()) {
    call.out.line(concat("Authenticating with existing credentials for ", registry));
    if (TRY(check(known))) {
      call.out.line(concat("Existing credentials are valid. Already logged in to ", registry));
      return 0;
    }
    call.out.line("Existing credentials are invalid, please enter valid username and password");
  }
  TRY_CTX(complete(call, known.username, &creds), "getting username and password");
  if (!TRY(check(creds)))
    return Error(Errc::permission,
                 concat("logging into ", quote(registry), ": invalid username/password"));
  std::string where = TRY(place.auth.store(registry, creds));
  if (options.verbose) call.out.line(concat("Used:  ", where));
  call.out.line("Login Succeeded!");
  return 0;
}

Result<int> logout(Invocation& call, LogoutOptions& options) {
  if (options.all && !call.args.empty())
    return Error(Errc::invalid_argument, "--all takes no arguments");
  Place place = TRY(place_of(call, options.authfile, options.compat_auth_file, {}));
  if (place.auth.was_named() && !sys::exists(place.auth.path()))
    return Error(Errc::not_found, concat("checking authfile: stat ", place.auth.path(),
                                         ": no such file or directory"));
  if (options.all) {
    TRY(place.auth.erase_all());
    call.out.line("Removed login credentials for all registries");
    return 0;
  }
  std::string registry = TRY(registry_of(call, place));
  if (TRY(place.auth.erase(registry))) {
    call.out.line(concat("Removed login credentials for ", registry));
    return 0;
  }
  config::Credentials other = TRY_CTX(place.auth.find(registry), "get credentials");
  if (other.empty()) return Error(Errc::not_found, concat("not logged into ", registry));
  call.out.line(concat("Not logged into ", registry,
                       " with current tool. Existing credentials were established via docker "
                       "login. Please use docker logout instead. (",
                       other.where, ")"));
  return 0;
}

}  // namespace

const constinit Command kLoginCommand = make_command<LoginOptions, login>(
    {.summary = "Log in to a container registry",
     .usage = "[options] [REGISTRY]",
     .description =
         "Log in to a container registry on a specified server. The credentials are tried at the "
         "registry, and kept in the authentication file, or by the credential helper that the "
         "files name for it. Without a registry, the first of unqualified-search-registries.",
     .examples = "quay.io\n--username ... --password ... quay.io\n--authfile dir/auth.json quay.io",
     .args = ArgRule::at_most(1)},
    kLoginTables);

const constinit Command kLogoutCommand = make_command<LogoutOptions, logout>(
    {.summary = "Log out of a container registry",
     .usage = "[options] [REGISTRY]",
     .description = "Remove the cached username and password for the registry.",
     .examples = "quay.io\n--authfile dir/auth.json quay.io\n--all",
     .args = ArgRule::at_most(1)},
    kLogoutTables);

}  // namespace minke::cli
