// secret create, exists and rm.
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/pairs.h"
#include "engine/engine.h"
#include "engine/secret.h"

namespace minke::cli {
namespace {

struct CreateOptions {
  std::string driver = "file";
  std::vector<std::string> driver_opts, label;
  bool env = false, ignore = false, replace = false;
};
constexpr Option<CreateOptions> kCreateOptions[] = {
    {"driver", 'd', &CreateOptions::driver, "Specify secret driver"},
    {"driver-opts",
     0,
     &CreateOptions::driver_opts,
     "Specify driver specific options",
     {.csv = true}},
    {"env", 0, &CreateOptions::env, "Read secret data from environment variable"},
    {"ignore", 0, &CreateOptions::ignore,
     "If a secret with the same name exists, ignore and do not create a new secret"},
    {"label", 'l', &CreateOptions::label, "Specify labels on the secret"},
    {"replace", 0, &CreateOptions::replace, "If a secret with the same name exists, replace it"},
};
constexpr OptionTable kCreateTables[] = {option_table<CreateOptions>(kCreateOptions)};

Result<std::string> read_data(const std::string& source, bool from_env) {
  if (from_env) {
    const char* value = ::getenv(source.c_str());
    if (value != nullptr) return std::string(value);
    return Error(
        Errc::invalid_argument,
        concat("cannot create store secret data: environment variable ", source, " is not set"));
  }
  constexpr std::size_t kMax = 1 << 20;  // the engine says how much is too much
  if (source != "-") {
    sys::UniqueFd file(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
      int err = errno;
      return Error(Errc::not_found,
                   concat("open ", source, ": ", to_lower(std::string(::strerror(err)))));
    }
    return sys::read_all(file.get(), kMax, source);
  }
  if (::isatty(STDIN_FILENO) == 1)
    return Error(Errc::invalid_argument, "if `-` is used, data must be passed into stdin");
  return sys::read_all(STDIN_FILENO, kMax, "standard input");
}

Result<int> create(Invocation& call, CreateOptions& options) {
  if (options.ignore && options.replace)
    return Error(Errc::invalid_argument, "ignore and replace flags cannot be used together");
  engine::Secrets::Create request;
  request.name = call.args[0];
  engine::Engine* engine = TRY(call.engine());
  const config::ContainersConf* defaults = TRY(engine->conf());
  if (!call.changed("driver") && !defaults->secrets_driver.empty()) {
    options.driver = defaults->secrets_driver;
    request.driver_options = defaults->secrets_opts;
  }
  request.driver = options.driver;
  for (auto& [key, value] : TRY(key_values(options.driver_opts, "driver-opt")))
    request.driver_options[key] = value;
  request.labels = TRY(key_values(options.label, "label"));
  request.replace = options.replace;
  request.ignore_existing = options.ignore;
  request.data = TRY(read_data(call.args[1], options.env));
  engine::SecretConfig secret = TRY(engine::Secrets(engine->host()).create(request));
  call.out.line(secret.id);
  return 0;
}

struct NoOptions {};
Result<int> exists(Invocation& call, NoOptions&) {
  engine::Engine* engine = TRY(call.engine());
  auto found = engine::Secrets(engine->host()).find(call.args[0]);
  if (found) return 0;
  if (found.error().code() == Errc::not_found) return 1;
  return std::move(found.error());
}

struct RmOptions {
  bool all = false, ignore = false;
};
constexpr Option<RmOptions> kRmOptions[] = {
    {"all", 'a', &RmOptions::all, "Remove all secrets"},
    {"ignore", 'i', &RmOptions::ignore, "Ignore errors when a specified secret is missing"},
};
constexpr OptionTable kRmTables[] = {option_table<RmOptions>(kRmOptions)};

Result<int> rm(Invocation& call, RmOptions& options) {
  if (options.all && !call.args.empty())
    return Error(Errc::invalid_argument,
                 concat("`", call.full_path(), " --all` takes no arguments"));
  if (!options.all && call.args.empty())
    return Error(Errc::invalid_argument,
                 concat("`", call.full_path(), "` requires one argument, or the --all flag"));
  engine::Engine* engine = TRY(call.engine());
  engine::Secrets secrets(engine->host());
  ErrorList errors;
  std::vector<engine::SecretConfig> doomed;
  if (options.all) doomed = TRY(secrets.list());
  for (const std::string& name : call.args) {
    auto found = secrets.find(name);
    if (found)
      doomed.push_back(std::move(*found));
    else if (!options.ignore || found.error().code() != Errc::not_found)
      errors.add(std::move(found));
  }
  for (const engine::SecretConfig& secret : doomed) {
    Status removed = secrets.remove(secret);
    if (removed)
      call.out.line(secret.id);
    else
      errors.add(std::move(removed));
  }
  return finish(std::move(errors));
}

}  // namespace

const constinit Command kSecretCreateCommand = make_command<CreateOptions, create>(
    {.summary = "Create a new secret",
     .usage = "[options] NAME FILE|-",
     .description = "Create a secret. Input can be a path to a file or \"-\" (read from stdin). "
                    "Default driver is file (unencrypted); pass keeps it in a password store "
                    "encrypted by gpg, shell where your own commands put it.",
     .examples = "mysecret /path/to/secret\n--env mysecret VARIABLE",
     .args = ArgRule::exactly(2)},
    kCreateTables);

const constinit Command kSecretExistsCommand = make_command<NoOptions, exists>(
    {.summary = "Check if a secret exists",
     .usage = "SECRET",
     .description = "If the given secret exists, the command exits with 0, otherwise the exit code "
                    "will be 1.",
     .examples = "ID",
     .args = ArgRule::exactly(1)});

const constinit Command kSecretRmCommand = make_command<RmOptions, rm>(
    {.summary = "Remove one or more secrets",
     .usage = "[options] SECRET [SECRET...]",
     .description = "Removes secrets. Containers that were made with one keep their files of it.",
     .examples = "mysecret1 mysecret2"},
    kRmTables);

}  // namespace minke::cli
