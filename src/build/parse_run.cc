// RUN and its mounts.
#include <algorithm>

#include "base/str.h"
#include "build/parse.h"
#include "build/parse_internal.h"
#include "codec/units.h"

namespace minke::build {
namespace {

struct TypeName {
  std::string_view name;
  RunMount::Type type;
};
constexpr TypeName kTypes[] = {{"bind", RunMount::Type::bind},
                               {"cache", RunMount::Type::cache},
                               {"tmpfs", RunMount::Type::tmpfs},
                               {"secret", RunMount::Type::secret},
                               {"ssh", RunMount::Type::ssh}};
struct SharingName {
  std::string_view name;
  RunMount::Sharing sharing;
};
constexpr SharingName kSharings[] = {{"shared", RunMount::Sharing::shared},
                                     {"private", RunMount::Sharing::exclusive},
                                     {"locked", RunMount::Sharing::locked}};

// Which keys a type of mount takes, one bit a type.
constexpr unsigned bit(RunMount::Type type) { return 1U << static_cast<unsigned>(type); }
constexpr unsigned kBind = bit(RunMount::Type::bind), kCache = bit(RunMount::Type::cache),
                   kTmpfs = bit(RunMount::Type::tmpfs), kSecret = bit(RunMount::Type::secret),
                   kSsh = bit(RunMount::Type::ssh), kAll = kBind | kCache | kTmpfs | kSecret | kSsh;

enum class Key {
  type,
  from,
  source,
  target,
  id,
  env,
  sharing,
  read_only,
  read_write,
  required,
  mode,
  uid,
  gid,
  size,
  label
};
struct KeyRow {
  std::string_view name;
  Key key;
  unsigned types;
  bool may_stand_alone = false;
};
constexpr KeyRow kKeys[] = {
    {"type", Key::type, kAll},
    {"from", Key::from, kBind | kCache},
    {"source", Key::source, kBind | kCache | kSecret},
    {"src", Key::source, kBind | kCache | kSecret},
    {"target", Key::target, kAll},
    {"dst", Key::target, kAll},
    {"destination", Key::target, kAll},
    {"id", Key::id, kCache | kSecret | kSsh},
    {"env", Key::env, kSecret},
    {"sharing", Key::sharing, kCache},
    {"readonly", Key::read_only, kBind | kCache | kTmpfs, true},
    {"ro", Key::read_only, kBind | kCache | kTmpfs, true},
    {"readwrite", Key::read_write, kBind | kCache | kTmpfs, true},
    {"rw", Key::read_write, kBind | kCache | kTmpfs, true},
    {"required", Key::required, kSecret | kSsh, true},
    {"mode", Key::mode, kCache | kSecret | kSsh},
    {"uid", Key::uid, kCache | kSecret | kSsh},
    {"gid", Key::gid, kCache | kSecret | kSsh},
    {"size", Key::size, kTmpfs},
    // Labels of SELinux, as podman takes them; there is none to set here.
    {"z", Key::label, kBind | kCache, true},
    {"Z", Key::label, kBind | kCache, true},
    {"relabel", Key::label, kBind | kCache},
};

std::string_view type_name(RunMount::Type type) { return kTypes[static_cast<int>(type)].name; }

// Fields divided by commas; one in double quotes may hold some ("" is a quote).
Result<std::vector<std::string>> split_fields(std::string_view text) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
      fields.back() += text[i++];
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += text[i];
    }
  }
  if (quoted) return wrong("a double quote is not closed");
  return fields;
}

const KeyRow* find_key(std::string_view name) {
  for (const KeyRow& row : kKeys)
    if (row.name == name) return &row;
  const std::string lower = to_lower(name);
  for (const KeyRow& row : kKeys)
    if (row.name == lower) return &row;
  return nullptr;
}

Result<bool> read_bool(std::string_view key, const std::optional<std::string>& value) {
  if (!value) return true;
  auto parsed = parse_bool(*value);
  if (!parsed) return wrong(concat(key, "=", *value, ": expected true or false"));
  return *parsed;
}

Result<std::uint32_t> read_number(std::string_view key, std::string_view value, int base,
                                  std::uint64_t most) {
  auto parsed = parse_uint(value, base);
  if (!parsed || *parsed > most)
    return wrong(concat(key, "=", value, ": expected ", base == 8 ? "an octal number" : "a number",
                        " up to ", base == 8 ? "7777" : "4294967294"));
  return static_cast<std::uint32_t>(*parsed);
}

Status set_type(std::string_view value, RunMount* mount) {
  const std::string lower = to_lower(value);
  std::vector<std::string_view> names;
  for (const TypeName& row : kTypes) {
    if (row.name == lower) {
      mount->type = row.type;
      return {};
    }
    names.push_back(row.name);
  }
  return wrong(concat("type=", value, ": no such type of mount (bind, cache, tmpfs, secret, ssh)",
                      did_you_mean(lower, names)));
}

Status set_sharing(std::string_view value, RunMount* mount) {
  const std::string lower = to_lower(value);
  for (const SharingName& row : kSharings) {
    if (row.name != lower) continue;
    mount->sharing = row.sharing;
    return {};
  }
  return wrong(concat("sharing=", value, ": expected shared, private or locked"));
}

Status set_value(const KeyRow& row, const std::optional<std::string>& value, RunMount* mount) {
  const std::string text = value.value_or("");
  switch (row.key) {
    case Key::type:
      return set_type(text, mount);
    case Key::from:
      mount->from = text;
      return {};
    case Key::source:
      mount->source = text;
      return {};
    case Key::target:
      mount->target = text;
      return {};
    case Key::id:
      mount->id = text;
      return {};
    case Key::env:
      if (text.empty()) return wrong("env= wants the name of a variable");
      mount->env = text;
      return {};
    case Key::sharing:
      return set_sharing(text, mount);
    case Key::read_only:
      mount->read_only = TRY(read_bool(row.name, value));
      return {};
    case Key::read_write:
      mount->read_only = !TRY(read_bool(row.name, value));
      return {};
    case Key::required:
      mount->required = TRY(read_bool(row.name, value));
      return {};
    case Key::mode:
      mount->mode = TRY(read_number(row.name, text, 8, 07777));
      return {};
    case Key::uid:
      mount->uid = TRY(read_number(row.name, text, 10, UINT32_MAX - 1));
      return {};
    case Key::gid:
      mount->gid = TRY(read_number(row.name, text, 10, UINT32_MAX - 1));
      return {};
    case Key::size: {
      auto bytes = units::parse_ram(text);
      if (!bytes || *bytes < 0) return wrong(concat("size=", text, ": expected bytes, as in 64m"));
      mount->size = static_cast<std::uint64_t>(*bytes);
      return {};
    }
    case Key::label:
      if (row.name == "relabel" && text != "shared" && text != "private")
        return wrong(concat("relabel=", text, ": expected shared or private"));
      return {};
  }
  return {};
}

std::string base_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path.substr(path.rfind('/') + 1));
}

// What follows from the rest, once all is known.
Status complete(RunMount* mount) {
  switch (mount->type) {
    case RunMount::Type::secret:
      if (!mount->source.empty() && !mount->id.empty())
        return wrong("a secret has either id or source, not both");
      if (mount->id.empty()) mount->id = mount->source;
      if (mount->id.empty()) mount->id = base_name(mount->target);
      if (mount->id.empty()) return wrong("a secret needs id=, source= or target=");
      if (mount->env.empty() && mount->target.empty())
        mount->target = concat("/run/secrets/", base_name(mount->id));
      return {};
    case RunMount::Type::ssh:
      if (mount->id.empty()) mount->id = "default";
      return {};
    case RunMount::Type::cache:
      if (mount->target.empty()) return wrong("a cache needs target=");
      if (mount->id.empty()) mount->id = mount->target;
      return {};
    case RunMount::Type::bind:
    case RunMount::Type::tmpfs:
      if (mount->target.empty())
        return wrong(concat("a mount of type ", type_name(mount->type), " needs target="));
      return {};
  }
  return {};
}

// The command is nothing but one heredoc.
bool is_plain_heredoc(const node::Run& run) {
  return run.command.shell_form && run.heredocs.size() == 1 && run.command.words.size() == 1 &&
         parse_heredoc_word(run.command.words[0]).has_value();
}

}  // namespace

Result<RunMount> parse_mount(std::string_view text, const ExpandText* expand) {
  RunMount mount;
  mount.text = text;
  struct Field {
    const KeyRow* row;
    std::optional<std::string> value;
  };
  std::vector<Field> fields;
  bool variable_type = false;
  for (const std::string& field : TRY(split_fields(text))) {
    const std::size_t equals = field.find('=');
    const std::string name = field.substr(0, equals);
    const KeyRow* row = find_key(name);
    if (row == nullptr) {
      std::vector<std::string_view> names;
      for (const KeyRow& known : kKeys) names.push_back(known.name);
      return wrong(concat("unknown key ", quote(name), did_you_mean(name, names)));
    }
    std::optional<std::string> value;
    if (equals != std::string::npos) {
      value = field.substr(equals + 1);
      if (expand != nullptr) value = TRY((*expand)(*value));
    } else if (!row->may_stand_alone) {
      return wrong(concat(name, " wants a value (", name, "=...)"));
    }
    if (row->key == Key::type) {
      variable_type = expand == nullptr && value->find('$') != std::string::npos;
      if (!variable_type) TRY(set_type(*value, &mount));
    } else {
      fields.push_back({row, std::move(value)});
    }
  }
  if (mount.type == RunMount::Type::cache || mount.type == RunMount::Type::tmpfs)
    mount.read_only = false;
  for (const Field& field : fields) {
    if (!variable_type && (field.row->types & bit(mount.type)) == 0)
      return wrong(
          concat("a mount of type ", type_name(mount.type), " takes no ", field.row->name));
    const bool later = expand == nullptr && field.value &&
                       field.value->find('$') != std::string::npos && field.row->key != Key::from;
    if (later) continue;
    TRY(set_value(*field.row, field.value, &mount));
  }
  if (expand != nullptr || text.find('$') == std::string_view::npos) TRY(complete(&mount));
  return mount;
}

Result<Node> parse_run(const ScannedLine& line) {
  node::Run run;
  std::vector<std::string> mounts;
  TRY(read_flags(line,
                 {{"mount", &mounts}, {"network", &run.network}, {"security", &run.security}}));
  for (const std::string& text : mounts)
    run.mounts.push_back(TRY_CTX(parse_mount(text, nullptr), concat("--mount=", text)));
  if (!run.network.empty() && run.network != "default" && run.network != "none" &&
      run.network != "host")
    return wrong(concat("--network=", run.network, ": expected default, none or host"));
  if (!run.security.empty() && run.security != "sandbox" && run.security != "insecure")
    return wrong(concat("--security=", run.security, ": expected sandbox or insecure"));
  run.command = TRY(parse_command(line.rest, line.keyword));
  if (run.command.words.empty()) return wrong("RUN wants a command");
  run.heredocs = line.heredocs;
  return Node(std::move(run));
}

std::vector<std::string> command_vector(const CommandLine& command,
                                        const std::vector<std::string>& shell) {
  if (!command.shell_form) return command.words;
  std::vector<std::string> out = shell;
  out.insert(out.end(), command.words.begin(), command.words.end());
  return out;
}

Result<RunCommand> run_command(const node::Run& run, const std::vector<std::string>& shell) {
  RunCommand out;
  CommandLine command = run.command;
  if (is_plain_heredoc(run)) {
    const Heredoc& only = run.heredocs[0];
    if (only.content.starts_with("#!")) {
      if (only.name.find('/') != std::string::npos || only.name == "." || only.name == "..")
        return wrong(concat("<<", only.name, ": a script cannot have this name"));
      out.script = only.content;
      out.script_name = only.name;
      command.words = {concat("/dev/pipes/", only.name)};
    } else {
      command.words = {only.content};
    }
  } else if (!run.heredocs.empty()) {
    // The shell reads them.
    for (const Heredoc& heredoc : run.heredocs)
      command.words[0] += concat("\n", heredoc.content, heredoc.name);
  }
  out.argv = command_vector(command, shell);
  return out;
}

}  // namespace minke::build
