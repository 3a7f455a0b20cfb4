#include "config/credential_helper.h"

#include <algorithm>

#include "base/str.h"
#include "codec/json.h"
#include "config/toml_file.h"
#include "sys/capture.h"

namespace minke::config {
namespace {

// What every helper says of a server that it does not know (docker-credential-helpers).
constexpr std::string_view kNotFound = "credentials not found in native keychain";

struct Answer {
  bool known = true;
  std::string text;
};

Result<Answer> ask(const CredentialHelper& helper, const char* verb, std::string_view input) {
  if (helper.name.empty() ||
      std::any_of(helper.name.begin(), helper.name.end(), [](unsigned char c) {
        return !std::isalnum(c) && c != '-' && c != '_' && c != '.';
      }))
    return Error(Errc::invalid_argument,
                 concat("credential helper ", quote(helper.name), " is no name of a program"));
  std::string program = "docker-credential-" + helper.name;
  auto path = sys::find_in_path(program);
  if (!path)
    return Error(Errc::unavailable, concat("credential helper ", program, ": not found in PATH"));
  sys::SpawnOptions options;
  options.path = *path;
  options.argv = {program, verb};
  options.die_with_parent = true;
  std::string what = concat("credential helper ", program, " ", verb);
  sys::Captured said =
      TRY(sys::capture(std::move(options), input, what, {.timeout_ms = helper.timeout_ms}));
  if (said.exit_code == 0) return Answer{true, std::move(said.out)};
  // The protocol says standard output; some say it on standard error.
  for (const std::string* text : {&said.out, &said.err})
    if (text->find(kNotFound) != std::string::npos) return Answer{false, ""};
  std::string_view reason = trim(said.out);
  if (reason.empty()) reason = trim(said.err);
  return Error(Errc::unavailable, concat(what, ": exit status ", said.exit_code,
                                         reason.empty() ? "" : ": ", one_line(reason)));
}

}  // namespace

Result<Credentials> CredentialHelper::get(std::string_view server) const {
  Answer answer = TRY(ask(*this, "get", concat(server, "\n")));
  Credentials creds;
  if (!answer.known) return creds;
  auto value = json::parse(answer.text, {.max_depth = 8, .max_size = 1 << 20});
  std::string what = concat("credential helper docker-credential-", name, " get");
  // Not the parser's words: they may quote a secret.
  if (!value || value->as_object() == nullptr)
    return Error(Errc::invalid_argument, concat(what, ": the answer is no JSON object"));
  auto text = [&](const char* key) {
    const json::Value* member = value->find(key);
    return std::string(member != nullptr ? member->string_or("") : std::string_view());
  };
  std::string username = text("Username"), secret = text("Secret");
  if (username == "<token>")
    creds.identity_token = std::move(secret);
  else {
    creds.username = std::move(username);
    creds.password = std::move(secret);
  }
  creds.where = "docker-credential-" + name;
  return creds;
}

Status CredentialHelper::store(std::string_view server, const Credentials& creds) const {
  json::Object record;
  record.set("ServerURL", std::string(server));
  bool token = !creds.identity_token.empty();
  record.set("Username", token ? std::string("<token>") : creds.username);
  record.set("Secret", token ? creds.identity_token : creds.password);
  TRY(ask(*this, "store", json::dump(std::move(record))));
  return {};
}

Result<bool> CredentialHelper::erase(std::string_view server) const {
  // Most helpers erase what they do not have without a word, so it is asked for first.
  Credentials known = TRY(get(server));
  if (known.empty()) return false;
  Answer answer = TRY(ask(*this, "erase", concat(server, "\n")));
  return answer.known;
}

Result<std::vector<std::string>> CredentialHelper::list() const {
  Answer answer = TRY(ask(*this, "list", ""));
  std::vector<std::string> servers;
  if (!answer.known || trim(answer.text).empty()) return servers;
  auto value = json::parse(answer.text, {.max_depth = 8, .max_size = 1 << 20});
  if (!value || value->as_object() == nullptr)
    return Error(Errc::invalid_argument, concat("credential helper docker-credential-", name,
                                                " list: the answer is no JSON object"));
  for (const auto& [server, user] : *value->as_object()) servers.push_back(server);
  std::sort(servers.begin(), servers.end());
  return servers;
}

}  // namespace minke::config
