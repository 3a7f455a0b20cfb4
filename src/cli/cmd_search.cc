// search: what registries have by a name.
#include "base/str.h"
#include "cli/commands.h"
#include "cli/filter.h"
#include "cli/registry_flags.h"
#include "engine/engine.h"
#include "engine/pull_place.h"
#include "engine/registry_search.h"

namespace minke::cli {
namespace {

constexpr std::int64_t kDefaultLimit = 25;
constexpr std::size_t kShownDescription = 44;

struct SearchOptions : RegistryFlags {
  bool compatible = false, list_tags = false, no_trunc = false;
  std::vector<std::string> filter;
  std::string format;
  std::int32_t limit = 0;
};
constexpr Option<SearchOptions> kOptions[] = {
    {"authfile", 0, &SearchOptions::authfile,
     "Path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to override"},
    {"cert-dir", 0, &SearchOptions::cert_dir,
     "`Pathname` of a directory containing TLS certificates and keys"},
    {"compatible", 0, &SearchOptions::compatible,
     "List stars, official and automated columns (Docker compatibility)"},
    {"creds", 0, &SearchOptions::creds,
     "`Credentials` (USERNAME:PASSWORD) to use for authenticating to a registry"},
    {"filter",
     'f',
     &SearchOptions::filter,
     "Filter output based on conditions provided",
     {.csv = true}},
    {"format", 0, &SearchOptions::format, "Change the output format to JSON or a Go template"},
    {"limit", 0, &SearchOptions::limit, "Limit the number of results"},
    {"list-tags", 0, &SearchOptions::list_tags, "List the tags of the input registry"},
    {"no-trunc", 0, &SearchOptions::no_trunc, "Do not truncate the output"},
    {"tls-verify",
     0,
     &SearchOptions::tls_verify,
     "Require HTTPS and verify certificates when contacting registries",
     {.shown_default = "true"}},
};
constexpr OptionTable kTables[] = {option_table<SearchOptions>(kOptions)};

constexpr Column kColumns[] = {{"Index"},    {"Name"},      {"Description"}, {"Stars"},
                               {"Official"}, {"Automated"}, {"Tag"}};
constexpr Listing kHits{"search", kColumns, "table {{.Name}}\t{{.Description}}", {}, 4};
constexpr Listing kCompatibleHits{
    "search",
    kColumns,
    "table {{.Name}}\t{{.Description}}\t{{.Stars}}\t{{.Official}}\t{{.Automated}}",
    {},
    4};
constexpr Listing kTags{"search", kColumns, "table {{.Name}}\t{{.Tag}}", {}, 4};

struct Filters {
  std::int64_t stars = 0;
  std::optional<bool> official, automated;
  bool match(const engine::SearchHit& hit) const {
    return hit.stars >= stars && (!official || *official == hit.official) &&
           (!automated || *automated == hit.automated);
  }
};

// is-official and is-automated alone mean true.
Result<Filters> read_filters(const std::vector<std::string>& texts) {
  Filters out;
  for (const std::string& text : texts) {
    auto pair = split_once(text, '=');
    std::string key(pair ? pair->first : std::string_view(text));
    std::string value(pair ? pair->second : std::string_view("true"));
    if (key == "stars" && pair) {
      auto number = parse_int(value);
      if (!number)
        return Error(Errc::invalid_argument,
                     concat("incorrect value type for stars filter: strconv.Atoi: parsing ",
                            quote(value), ": invalid syntax"));
      out.stars = *number;
    } else if (key == "is-official" || key == "is-automated") {
      (key == "is-official" ? out.official : out.automated) = value == "true";
    } else {
      return Error(Errc::invalid_argument, concat("invalid filter type ", quote(text)));
    }
  }
  return out;
}

std::string shown(const std::string& description, bool whole) {
  std::string line;
  for (char c : description) line += c == '\n' || c == '\t' || c == '\r' ? ' ' : c;
  if (whole || line.size() <= kShownDescription) return line;
  return line.substr(0, kShownDescription) + "...";
}

// Registry and term: "quay.io/x" asks quay.io only, "x" all that are searched.
struct Question {
  std::vector<std::string> registries;
  std::string term;
};
Result<Question> question_of(engine::Registries& registries, const std::string& typed) {
  Question out;
  std::string text = typed.starts_with("docker://") ? typed.substr(9) : typed;
  if (auto parts = split_once(text, '/');
      parts &&
      (parts->first.find_first_of(".:") != std::string_view::npos || parts->first == "localhost")) {
    std::string name = TRY(engine::registry_name(parts->first));
    out.registries.push_back(std::move(name));
    out.term = parts->second;
    return out;
  }
  out.term = text;
  const config::RegistriesConf* conf = TRY(registries.conf());
  out.registries = conf->unqualified_search;
  if (conf->where.empty()) out.registries.emplace_back("docker.io");
  return out;
}

json::Object row_of(const std::string& index, const engine::SearchHit& hit, bool whole) {
  json::Object row;
  row.set("Index", index);
  row.set("Name", concat(index, "/", hit.name));
  row.set("Description", shown(hit.description, whole));
  row.set("Stars", hit.stars);
  row.set("Official", hit.official ? "[OK]" : "");
  row.set("Automated", hit.automated ? "[OK]" : "");
  row.set("Tag", "");
  return row;
}

Result<int> list_tags(Invocation& call, const SearchOptions& options,
                      engine::Registries& registries) {
  if (!options.filter.empty())
    return Error(Errc::invalid_argument, "filters are not applicable to list tags result");
  Question question = TRY(question_of(registries, call.args[0]));
  json::Array rows, grouped;
  ErrorList errors;
  for (const std::string& registry : question.registries) {
    oci::Reference name = TRY(oci::Reference::parse(concat(registry, "/", question.term)));
    name.tag.clear();
    auto tags = engine::list_remote_tags(registries, name);
    if (!tags) {
      errors.add(std::move(tags.error()).wrap("getting repository tags"));
      continue;
    }
    std::size_t limit = options.limit > 0 ? static_cast<std::size_t>(options.limit)
                                          : static_cast<std::size_t>(kDefaultLimit);
    if (tags->size() > limit) tags->resize(limit);
    json::Array list;
    for (const std::string& tag : *tags) {
      json::Object row;
      row.set("Name", name.name());
      row.set("Tag", tag);
      rows.emplace_back(std::move(row));
      list.emplace_back(tag);
    }
    json::Object group;
    group.set("Name", name.name());
    group.set("Tags", std::move(list));
    grouped.emplace_back(std::move(group));
  }
  TRY(write_rows(call.out, kTags, {options.format}, rows, &grouped));
  return finish(std::move(errors));
}

Result<int> search(Invocation& call, SearchOptions& options) {
  engine::RegistryAccess access = TRY(registry_access(options));
  Filters filters = TRY(read_filters(options.filter));
  engine::Engine* engine = TRY(call.engine());
  engine::Registries registries(engine->host(), access);
  if (options.list_tags) return list_tags(call, options, registries);
  Question question = TRY(question_of(registries, call.args[0]));
  std::size_t limit = static_cast<std::size_t>(options.limit > 0 ? options.limit : kDefaultLimit);
  json::Array rows;
  ErrorList errors;
  for (const std::string& registry : question.registries) {
    auto hits = engine::search_registry(registries, registry, question.term, limit);
    if (!hits) {
      errors.add(std::move(hits.error()));
      continue;
    }
    for (const engine::SearchHit& hit : *hits)
      if (filters.match(hit)) rows.emplace_back(row_of(registry, hit, options.no_trunc));
  }
  // A listing of nothing has no head, as Podman's.
  if (!rows.empty() || is_json_format(options.format))
    TRY(write_rows(call.out, options.compatible ? kCompatibleHits : kHits, {options.format}, rows));
  return finish(std::move(errors));
}

}  // namespace

const constinit Command kSearchCommand = make_command<SearchOptions, search>(
    {.summary = "Search registry for image",
     .usage = "[options] TERM",
     .description =
         "Search registries for a given image: by the registry's own search where it has one, else "
         "among the names of its catalogue. Can search all the default registries or a specific "
         "registry.",
     .examples = "--filter=is-official --limit 3 alpine\nregistry.fedoraproject.org/\n"
                 "--format \"table {{.Index}} {{.Name}}\" registry.fedoraproject.org/fedora",
     .args = ArgRule::exactly(1)},
    kTables);

}  // namespace minke::cli
