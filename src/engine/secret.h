// Secrets: ROOT/secrets/NAME.d/{config.json,data}, readable by their owner alone. Drivers other
// than "file" keep the data elsewhere; it is only ever handed out by data().
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "codec/json.h"
#include "engine/host.h"

namespace minke::engine {

struct SecretConfig {
  std::string id, name;  // 25 hex digits; anything but '=', '/', ',' and NUL
  std::string driver = "file";
  std::map<std::string, std::string> driver_options, labels;
  TimeNs created = 0, updated = 0;
};
void bind(json::Binder& b, SecretConfig& s);

Status check_secret_name(std::string_view name);

class Secrets {
 public:
  explicit Secrets(const Host& host) : host_(host) {}
  struct Create {
    std::string name, driver;  // "" or file; pass, shell
    std::map<std::string, std::string> driver_options, labels;
    std::string data;  // 1 to 511,999 bytes
    bool replace = false, ignore_existing = false;
  };
  Result<SecretConfig> create(const Create& request) const;
  // Exact name, id, or unambiguous prefix of an id. not_found: `no secret with name or id "x": no
  // such secret`.
  Result<SecretConfig> find(std::string_view name_or_id) const;
  Result<std::vector<SecretConfig>> list() const;  // by name; one that cannot be read is logged
  Result<std::string> data(const SecretConfig& secret) const;
  Status remove(const SecretConfig& secret) const;

 private:
  std::string dir(std::string_view name) const;
  Result<SecretConfig> load(const std::string& folder) const;
  Status clear_abandoned() const;
  const Host& host_;
};

// Where the data of a secret lies: the driver's words on one id (secret_drivers.cc). "file" keeps
// it in `folder`, which is the secret's own.
Result<std::map<std::string, std::string>> secret_driver_options(
    const Host& host, std::string_view driver, const std::map<std::string, std::string>& given);
Status store_secret_data(const SecretConfig& secret, const std::string& folder,
                         std::string_view data);
Result<std::string> load_secret_data(const SecretConfig& secret, const std::string& folder);
Status delete_secret_data(const SecretConfig& secret);

}  // namespace minke::engine
