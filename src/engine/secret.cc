#include "engine/secret.h"

#include <fcntl.h>
#include <linux/fs.h>

#include <algorithm>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "engine/events.h"
#include "state/object_lock.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

using sys::DirFd;

constexpr std::size_t kIdLength = 25;
constexpr std::size_t kMaxData = 512000;
// No name ends like this below ROOT/secrets but that of a secret: "..", too, makes a plain folder.
constexpr std::string_view kSuffix = ".d";

Error no_such_secret(std::string_view name) {
  return {Errc::not_found, concat("no secret with name or id ", quote(name), ": no such secret")};
}

}  // namespace

void bind(json::Binder& b, SecretConfig& s) {
  b.required("id", s.id);
  b.required("name", s.name);
  b.required("driver", s.driver);
  b("driverOptions", s.driver_options);
  b("labels", s.labels);
  b("created", s.created);
  b("updated", s.updated);
}

Status check_secret_name(std::string_view name) {
  constexpr std::size_t kMaxName = 253;
  if (!name.empty() && name.size() <= kMaxName &&
      name.find_first_of(std::string_view("=/,\0", 4)) == std::string_view::npos)
    return {};
  return Error(Errc::invalid_argument,
               concat("secret name ", quote(name),
                      " can not include '=', '/', ',', or the NULL ('\\0') and be between 1 and "
                      "253 characters: invalid secret name"));
}

std::string Secrets::dir(std::string_view name) const {
  return concat(host_.root, "/secrets/", name, kSuffix);
}

Result<SecretConfig> Secrets::load(const std::string& folder) const {
  std::string path = folder + "/config.json";
  std::string text = TRY(sys::read_small_file(path, 1 << 20));
  auto secret = json::parse_struct<SecretConfig>(text);
  if (!secret) return std::move(secret.error()).wrap(path).as(Errc::corrupt);
  return secret;
}

Result<SecretConfig> Secrets::create(const Create& request) const {
  TRY(check_secret_name(request.name));
  SecretConfig secret;
  secret.name = request.name;
  secret.driver = request.driver.empty() ? "file" : request.driver;
  secret.labels = request.labels;
  secret.created = secret.updated = now();
  secret.id = random_hex(13).substr(0, kIdLength);
  TRY(sys::ensure_dirs(host_.root + "/secrets", 0700));
  TRY(clear_abandoned());
  // One maker at a time: who replaces one must know what the other left with its driver.
  sys::FileLock lock = TRY(state::lock_object(host_.runroot + "/secrets", "the secrets"));
  auto old = load(dir(request.name));
  if (!old && old.error().code() != Errc::not_found) return std::move(old.error());
  if (old && request.ignore_existing && !request.replace) return old;
  if (old && !request.replace)
    return Error(Errc::already_exists, concat(request.name, ": secret name in use"));
  if (request.data.empty() || request.data.size() >= kMaxData)
    return Error(Errc::invalid_argument,
                 "secret data must be larger than 0 and less than 512000 bytes");
  secret.driver_options = TRY(secret_driver_options(host_, secret.driver, request.driver_options));
  if (old) secret.created = old->created;

  const std::string staging = concat(host_.root, "/secrets/.new-", secret.id);
  TRY(sys::make_dir_at(DirFd::cwd(), staging.c_str(), 0700));
  Rollback undo;
  undo.add([&staging] {
    ignore(sys::remove_tree_at(DirFd::cwd(), staging.c_str()), "the next create removes it");
  });
  failpoint("engine.secret", 1);  // staged, empty
  // First the record: should the driver's data be stored and we die, the next create finds by it
  // what to delete.
  TRY(sys::write_file(staging + "/config.json", json::dump_struct(secret), 0600,
                      sys::Durability::data));
  failpoint("engine.secret", 2);  // the record is there
  TRY(store_secret_data(secret, staging, request.data));
  failpoint("engine.secret", 3);  // staged whole
  const std::string final_dir = dir(request.name);
  // Where there is an old one, both change places in one step; the old one is then in staging.
  TRY(sys::rename_at(DirFd::cwd(), staging.c_str(), DirFd::cwd(), final_dir.c_str(),
                     old ? RENAME_EXCHANGE : RENAME_NOREPLACE));
  failpoint("engine.secret", 4);  // it exists
  undo.dismiss();
  if (auto folder = sys::open_dir(host_.root + "/secrets")) TRY(sys::fsync_dir(*folder));
  if (old) {
    TRY(delete_secret_data(*old));
    TRY(sys::remove_tree_at(DirFd::cwd(), staging.c_str()));
  }
  emit_secret(host_, "create", secret.id);
  return secret;
}

// What a killed create left, also with its driver. Under the lock, so nobody is at work there.
Status Secrets::clear_abandoned() const {
  std::vector<std::string> names =
      TRY(sys::list_dir(DirFd::cwd(), (host_.root + "/secrets").c_str()));
  bool any = std::any_of(names.begin(), names.end(),
                         [](const std::string& name) { return !name.ends_with(kSuffix); });
  if (!any) return {};
  sys::FileLock lock = TRY(state::lock_object(host_.runroot + "/secrets", "the secrets"));
  for (const std::string& name : names) {
    if (name.ends_with(kSuffix)) continue;
    const std::string folder = concat(host_.root, "/secrets/", name);
    if (auto secret = load(folder))
      if (Status deleted = delete_secret_data(*secret); !deleted)
        log::debug(concat("secret ", secret->name, ": ", deleted.error().message()));
    TRY(sys::remove_tree_at(DirFd::cwd(), folder.c_str()));
  }
  return {};
}

Result<std::vector<SecretConfig>> Secrets::list() const {
  std::vector<SecretConfig> secrets;
  auto names = sys::list_dir(DirFd::cwd(), (host_.root + "/secrets").c_str());
  if (!names) {
    if (names.error().code() == Errc::not_found) return secrets;
    return std::move(names.error());
  }
  for (const std::string& name : *names) {
    if (!name.ends_with(kSuffix)) continue;
    auto secret = load(concat(host_.root, "/secrets/", name));
    if (secret)
      secrets.push_back(std::move(*secret));
    else if (secret.error().code() != Errc::not_found)
      // One that cannot be read does not hide the others.
      log::error(concat("secret ", name.substr(0, name.size() - kSuffix.size()), ": ",
                        secret.error().message()));
  }
  return secrets;
}

Result<SecretConfig> Secrets::find(std::string_view name_or_id) const {
  if (check_secret_name(name_or_id)) {
    auto exact = load(dir(name_or_id));
    if (exact || exact.error().code() != Errc::not_found) return exact;
  }
  if (!is_hex(name_or_id)) return no_such_secret(name_or_id);
  std::vector<SecretConfig> hits = TRY(list());
  std::erase_if(hits, [&](const SecretConfig& s) { return !s.id.starts_with(name_or_id); });
  if (hits.empty()) return no_such_secret(name_or_id);
  if (hits.size() > 1)
    return Error(Errc::conflict, concat("more than one result secret with prefix ", name_or_id));
  return std::move(hits[0]);
}

Result<std::string> Secrets::data(const SecretConfig& secret) const {
  return TRY_CTX(load_secret_data(secret, dir(secret.name)), concat("secret ", secret.name));
}

Status Secrets::remove(const SecretConfig& secret) const {
  sys::FileLock lock = TRY(state::lock_object(host_.runroot + "/secrets", "the secrets"));
  // The name goes last: while the driver still has the data, it can be removed again.
  TRY_CTX(delete_secret_data(secret), concat("secret ", secret.name));
  failpoint("engine.secret-rm", 1);
  const std::string gone = concat(host_.root, "/secrets/.gone-", secret.id);
  Status renamed =
      sys::rename_at(DirFd::cwd(), dir(secret.name).c_str(), DirFd::cwd(), gone.c_str());
  if (!renamed && renamed.error().code() == Errc::not_found) return no_such_secret(secret.name);
  TRY(std::move(renamed));
  failpoint("engine.secret-rm", 2);
  emit_secret(host_, "remove", secret.id);
  return sys::remove_tree_at(DirFd::cwd(), gone.c_str());
}

}  // namespace minke::engine
