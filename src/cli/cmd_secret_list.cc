// secret ls and secret inspect.
#include <algorithm>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/filter.h"
#include "engine/engine.h"
#include "view/secret.h"

namespace minke::cli {
namespace {

struct LsOptions {
  std::vector<std::string> filter;
  std::string format;
  bool no_heading = false, quiet = false;
};
constexpr Option<LsOptions> kLsOptions[] = {
    {"filter", 'f', &LsOptions::filter, "Filter secret output", {.csv = true}},
    {"format", 0, &LsOptions::format, "Format secret output using Go template"},
    {"noheading", 'n', &LsOptions::no_heading, "Do not print headers"},
    {"quiet", 'q', &LsOptions::quiet, "Print secret IDs only"},
};
constexpr OptionTable kLsTables[] = {option_table<LsOptions>(kLsOptions)};

constexpr Column kColumns[] = {
    {"ID"}, {"Name"}, {"Driver"}, {"CreatedAt", "CREATED"}, {"UpdatedAt", "UPDATED"}};
constexpr std::string_view kDefaultFormat =
    "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.CreatedAt}}\t{{.UpdatedAt}}";

struct SecretFilters {
  std::vector<Filter> filters;
  std::vector<Pattern> names;
  bool match(const engine::SecretConfig& secret) const {
    return any_pattern(names, secret.name) && labels_match(filters, secret.labels) &&
           any_value(filters, "id", [&](std::string_view value) {
             return std::string_view(secret.id).starts_with(value);
           });
  }
};

Result<SecretFilters> read_filters(const std::vector<std::string>& texts) {
  SecretFilters read;
  read.filters = TRY(parse_filters(texts));
  for (const Filter& filter : read.filters)
    if (filter.key != "name" && filter.key != "id" && filter.key != "label" &&
        filter.key != "label!")
      return Error(Errc::invalid_argument, concat("invalid filter ", quote(filter.key)));
  read.names = TRY(filter_patterns(read.filters, "name"));
  return read;
}

Result<int> ls(Invocation& call, LsOptions& options) {
  if (options.quiet && call.changed("format"))
    return Error(Errc::invalid_argument, "quiet and format flags cannot be used together");
  SecretFilters filters = TRY(read_filters(options.filter));
  engine::Engine* engine = TRY(call.engine());
  std::vector<engine::SecretConfig> found = TRY(engine::Secrets(engine->host()).list());
  std::erase_if(found, [&](const engine::SecretConfig& s) { return !filters.match(s); });
  if (options.quiet) {
    for (const engine::SecretConfig& secret : found) call.out.line(secret.id);
    return 0;
  }
  json::Array rows;
  TimeNs at = now();
  for (const engine::SecretConfig& secret : found) rows.emplace_back(view::secret_row(secret, at));
  Listing listing{"ls", kColumns, kDefaultFormat, {}, 4};
  TRY(write_rows(call.out, listing, {options.format, options.no_heading}, rows));
  return 0;
}

struct InspectOptions {
  std::string format;
  bool pretty = false, showsecret = false;
};
constexpr Option<InspectOptions> kInspectOptions[] = {
    {"format", 'f', &InspectOptions::format, "Format inspect output using Go template"},
    {"pretty", 0, &InspectOptions::pretty, "Print inspect output in human-readable format"},
    {"showsecret", 0, &InspectOptions::showsecret, "Display the secret"},
};
constexpr OptionTable kInspectTables[] = {option_table<InspectOptions>(kInspectOptions)};

constexpr std::string_view kPretty =
    "{{range .}}ID:              {{.ID}}\nName:              {{.Spec.Name}}\n"
    "{{- if .Spec.Labels }}\nLabels:\n{{- range $k, $v := .Spec.Labels }}\n - {{ $k }}{{if $v "
    "}}={{ "
    "$v }}{{ end }}\n{{- end }}{{ end }}\nDriver:            {{.Spec.Driver.Name}}\nCreated at:    "
    " "
    "   {{.CreatedAt}}\nUpdated at:        {{.UpdatedAt}}\n{{- if .SecretData}}\nSecret:           "
    " "
    "{{.SecretData}}\n{{- end}}\n{{end -}}";

Result<int> inspect(Invocation& call, InspectOptions& options) {
  if (options.pretty && !options.format.empty())
    return Error(Errc::invalid_argument, "pretty and format flags cannot be used together");
  engine::Engine* engine = TRY(call.engine());
  engine::Secrets secrets(engine->host());
  ErrorList errors;
  json::Array found;
  for (const std::string& name : call.args) {
    auto secret = secrets.find(name);
    if (!secret) {
      errors.add(std::move(secret.error()).wrap("inspecting secret"));
      continue;
    }
    std::optional<std::string> data;
    if (options.showsecret) data = TRY(secrets.data(*secret));
    found.emplace_back(view::inspect_secret(*secret, data));
  }
  if (options.pretty) {
    auto pretty = TRY(gotemplate::Template::parse(kPretty, "inspect"));
    call.out.text(TRY(pretty.execute(json::Value(std::move(found)), view::kSecretShape)));
  } else if (options.format.empty() || is_json_format(options.format)) {
    call.out.line(json::dump(json::Value(std::move(found)), 4));
  } else {
    TRY(write_inspect(call.out, options.format, found, view::kSecretShape));
  }
  return finish(std::move(errors));
}

}  // namespace

const constinit Command kSecretLsCommand =
    make_command<LsOptions, ls>({.summary = "List secrets",
                                 .usage = "[options]",
                                 .description = "Lists secrets; what they hold is not shown.",
                                 .args = ArgRule::none()},
                                kLsTables);

const constinit Command kSecretInspectCommand = make_command<InspectOptions, inspect>(
    {.summary = "Inspect a secret",
     .usage = "[options] SECRET [SECRET...]",
     .description = "Display detail information on one or more secrets",
     .examples = "MYSECRET",
     .args = ArgRule::at_least(1)},
    kInspectTables);

}  // namespace minke::cli
