#include "view/secret.h"

#include "base/str.h"
#include "view/json_make.h"

namespace minke::view {
namespace {
using gotemplate::FieldKind;
constexpr gotemplate::FieldShape kFields[] = {
    {"CreatedAt", FieldKind::time},          {"UpdatedAt", FieldKind::time},
    {"Spec.Driver.Options", FieldKind::map}, {"Spec.Labels", FieldKind::map},
    {"SecretData", FieldKind::text},
};
}  // namespace

const gotemplate::Shape kSecretShape = {"*entities.SecretInfoReport", kFields};

json::Object inspect_secret(const engine::SecretConfig& secret,
                            const std::optional<std::string>& data) {
  json::Object driver, spec, out;
  driver.set("Name", secret.driver);
  driver.set("Options", to_object(secret.driver_options));
  spec.set("Name", secret.name);
  spec.set("Driver", std::move(driver));
  spec.set("Labels", to_object(secret.labels));
  out.set("ID", secret.id);
  out.set("CreatedAt", format_rfc3339(secret.created, -1, true));
  out.set("UpdatedAt", format_rfc3339(secret.updated, -1, true));
  out.set("Spec", std::move(spec));
  if (data) out.set("SecretData", *data);
  return out;
}

json::Object secret_row(const engine::SecretConfig& secret, TimeNs at) {
  json::Object row;
  row.set("ID", secret.id);
  row.set("Name", secret.name);
  row.set("Driver", secret.driver);
  row.set("CreatedAt", human_duration(at - secret.created) + " ago");
  row.set("UpdatedAt", human_duration(at - secret.updated) + " ago");
  return row;
}

}  // namespace minke::view
