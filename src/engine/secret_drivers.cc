// The drivers of secrets, with Podman's options: "file" keeps the data beside the record, "pass" in
// a password store of pass(1), encrypted by gpg, "shell" where the user's own commands put it.
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/str.h"
#include "engine/secret.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace minke::engine {
namespace {

using Options = std::map<std::string, std::string>;
constexpr std::array<const char*, 4> kShellCommands = {"delete", "list", "lookup", "store"};
constexpr std::size_t kMaxData = 512000;

std::string option(const SecretConfig& secret, const char* key) {
  auto it = secret.driver_options.find(key);
  return it == secret.driver_options.end() ? std::string() : it->second;
}

// Runs a program with `input` on its standard input; its standard output.
Result<std::string> run(sys::SpawnOptions program, std::string_view input, std::string_view what) {
  sys::UniqueFd data = TRY(sys::make_memfd("secret", input));
  auto [reader, writer] = TRY(sys::make_pipe());
  program.stdio[0] = data.get();
  program.stdio[1] = writer.get();
  sys::Spawned child = TRY_CTX(sys::spawn(program), what);
  writer.reset();
  std::string out = TRY(sys::read_all(reader.get(), kMaxData, what));
  int status = sys::exit_code_of(TRY(sys::wait_pid(child.pid)));
  if (status == 0) return out;
  return Error(Errc::io, concat(what, ": exit status ", status));
}

Result<std::string> run_shell(const SecretConfig& secret, const char* verb,
                              std::string_view input = {}) {
  sys::SpawnOptions shell;
  shell.path = "/bin/sh";
  shell.argv = {"/bin/sh", "-c", option(secret, verb)};
  shell.env.emplace();
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry)
    shell.env->emplace_back(*entry);
  shell.env->push_back("SECRET_ID=" + secret.id);
  return run(std::move(shell), input, concat("the shell driver's ", verb, " command"));
}

Result<std::string> run_gpg(const SecretConfig& secret, std::vector<std::string> words,
                            std::string_view input = {}) {
  sys::SpawnOptions gpg;
  for (const char* path : {"/usr/bin/gpg", "/usr/local/bin/gpg", "/bin/gpg"})
    if (gpg.path.empty() && ::access(path, X_OK) == 0) gpg.path = path;
  if (gpg.path.empty())
    return Error(Errc::unsupported, "the pass driver needs gpg: install the package gnupg");
  gpg.argv = {"gpg"};
  if (std::string home = option(secret, "gpghomedir"); !home.empty())
    gpg.argv.insert(gpg.argv.end(), {"--homedir", home});
  gpg.argv.insert(gpg.argv.end(), words.begin(), words.end());
  return run(std::move(gpg), input, "gpg");
}

std::string pass_file(const SecretConfig& secret) {
  return concat(option(secret, "root"), "/", secret.id, ".gpg");
}

Error missing_value(std::string_view driver, std::string_view key) {
  return {Errc::invalid_argument,
          concat("driver option ", key, " of the ", driver, " driver: missing config value")};
}

Result<Options> pass_options(Options options) {
  if (!options.contains("root")) {
    const char* home = ::getenv("HOME");
    std::string store = concat(home != nullptr ? home : "", "/.password-store");
    if (auto key = sys::read_small_file(store + "/.gpg-id", 4096)) {
      options["root"] = store;
      options.try_emplace("key", std::string(trim(*key)));
    }
  }
  for (const char* key : {"root", "key"})
    if (options[key].empty()) return missing_value("pass", key);
  return options;
}

Status check_keys(std::string_view driver, const Options& given,
                  std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : given) {
    bool found = false;
    for (std::string_view name : known) found = found || name == key;
    if (!found)
      return Error(Errc::invalid_argument, concat("driver option ", key, ": the ", driver,
                                                  " driver has none of that name"));
  }
  return {};
}

}  // namespace

Result<Options> secret_driver_options(const Host& host, std::string_view driver,
                                      const Options& given) {
  Options options = given;
  if (driver == "file") {
    TRY(check_keys(driver, given, {"path"}));
    const std::string path = host.root + "/secrets";
    if (auto it = given.find("path"); it != given.end() && it->second != path)
      return Error(Errc::unsupported,
                   concat("driver option path=", it->second,
                          " is not supported: the file driver keeps its data in ", path));
    options["path"] = path;
    return options;
  }
  if (driver == "pass") {
    TRY(check_keys(driver, given, {"root", "key", "gpghomedir"}));
    return pass_options(std::move(options));
  }
  if (driver == "shell") {
    TRY(check_keys(driver, given, {"delete", "list", "lookup", "store"}));
    for (const char* key : kShellCommands)
      if (options[key].empty()) return missing_value("shell", key);
    return options;
  }
  return Error(Errc::invalid_argument, concat(quote(driver), ": invalid driver"));
}

Status store_secret_data(const SecretConfig& secret, const std::string& folder,
                         std::string_view data) {
  if (secret.driver == "file")
    return sys::write_file(folder + "/data", data, 0600, sys::Durability::data);
  if (secret.driver == "shell") {
    TRY(run_shell(secret, "store", data));
    return {};
  }
  TRY(run_gpg(secret,
              {"--encrypt", "--batch", "-r", option(secret, "key"), "-o", pass_file(secret)},
              data));
  return {};
}

Result<std::string> load_secret_data(const SecretConfig& secret, const std::string& folder) {
  if (secret.driver == "file") return sys::read_small_file(folder + "/data", kMaxData);
  if (secret.driver == "shell") return run_shell(secret, "lookup");
  return run_gpg(secret, {"--decrypt", "--quiet", pass_file(secret)});
}

Status delete_secret_data(const SecretConfig& secret) {
  if (secret.driver == "file") return {};  // it goes with the folder
  if (secret.driver == "shell") {
    TRY(run_shell(secret, "delete"));
    return {};
  }
  Status gone = sys::unlink_at(sys::DirFd::cwd(), pass_file(secret).c_str());
  if (!gone && gone.error().code() == Errc::not_found) return {};
  return gone;
}

}  // namespace minke::engine
