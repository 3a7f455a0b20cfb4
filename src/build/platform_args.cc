#include "build/platform_args.h"

#include <algorithm>
#include <set>

#include "base/str.h"

namespace minke::build {
namespace {

struct ArchitectureName {
  std::string_view alias, architecture, variant;
};
constexpr ArchitectureName kAliases[] = {
    {"x86_64", "amd64", ""},  {"x86-64", "amd64", ""}, {"i386", "386", ""},
    {"i486", "386", ""},      {"i586", "386", ""},     {"i686", "386", ""},
    {"aarch64", "arm64", ""}, {"armhf", "arm", "v7"},  {"armel", "arm", "v6"},
};
constexpr std::string_view kArchitectures[] = {"386",   "amd64",   "arm",     "arm64",    "loong64",
                                               "mips",  "mipsle",  "mips64",  "mips64le", "ppc",
                                               "ppc64", "ppc64le", "riscv64", "s390x",    "wasm"};
constexpr std::string_view kSystems[] = {"linux", "windows", "darwin", "freebsd", "wasi", "js"};

template <std::size_t N>
bool is_one_of(std::string_view text, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

void normalise(oci::Platform* platform) {
  platform->os = to_lower(platform->os);
  if (platform->os == "macos") platform->os = "darwin";
  platform->architecture = to_lower(platform->architecture);
  platform->variant = to_lower(platform->variant);
  for (const ArchitectureName& row : kAliases) {
    if (row.alias != platform->architecture) continue;
    platform->architecture = row.architecture;
    if (platform->variant.empty()) platform->variant = row.variant;
  }
  std::string& variant = platform->variant;
  if (platform->architecture == "arm64" && (variant == "8" || variant == "v8")) variant.clear();
  if (platform->architecture == "amd64" && variant == "v1") variant.clear();
  if (platform->architecture == "arm") {
    if (variant.empty()) variant = "v7";
    if (variant.size() == 1) variant.insert(0, "v");
  }
}

void put(std::map<std::string, std::string>* out, const std::string& prefix,
         const oci::Platform& platform) {
  (*out)[prefix + "PLATFORM"] = platform_text(platform);
  (*out)[prefix + "OS"] = platform.os;
  (*out)[prefix + "OSVERSION"] = platform.os_version;
  (*out)[prefix + "ARCH"] = platform.architecture;
  (*out)[prefix + "VARIANT"] = platform.variant;
}

std::optional<std::string> find_in(const std::map<std::string, std::string>& map,
                                   std::string_view name) {
  auto it = map.find(std::string(name));
  if (it == map.end()) return std::nullopt;
  return it->second;
}

}  // namespace

std::map<std::string, std::string> platform_args(const oci::Platform& build,
                                                 const oci::Platform& target,
                                                 std::string_view target_stage) {
  std::map<std::string, std::string> out;
  put(&out, "BUILD", build);
  put(&out, "TARGET", target);
  out["TARGETSTAGE"] = target_stage.empty() ? "default" : target_stage;
  return out;
}

bool is_proxy_arg(std::string_view name) {
  const std::string lower = to_lower(name);
  if (name != lower && name != to_upper(name)) return false;
  return lower == "http_proxy" || lower == "https_proxy" || lower == "ftp_proxy" ||
         lower == "no_proxy" || lower == "all_proxy";
}

Result<oci::Platform> parse_platform(std::string_view text) {
  auto bad = [&] {
    return Error(Errc::invalid_argument,
                 concat("invalid platform ", quote(text), " (OS/ARCH or OS/ARCH/VARIANT)"));
  };
  std::vector<std::string_view> parts = split(text, '/');
  if (parts.size() > 3) return bad();
  for (std::string_view part : parts) {
    if (part.empty()) return bad();
    for (char c : part)
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '_' || c == '-' || c == '.'))
        return bad();
  }
  oci::Platform platform;
  const oci::Platform host = oci::host_platform();
  if (parts.size() == 1) {
    platform.os = "linux";
    platform.architecture = parts[0];
    normalise(&platform);
    if (is_one_of(platform.architecture, kArchitectures)) return platform;
    platform = {};
    platform.os = parts[0];
    platform.architecture = host.architecture;
    platform.variant = host.variant;
    normalise(&platform);
    if (!is_one_of(platform.os, kSystems)) return bad();
    return platform;
  }
  platform.os = parts[0];
  platform.architecture = parts[1];
  if (parts.size() == 3) platform.variant = parts[2];
  normalise(&platform);
  return platform;
}

std::string platform_text(const oci::Platform& platform) {
  std::string text = concat(platform.os, "/", platform.architecture);
  if (!platform.variant.empty()) text += concat("/", platform.variant);
  return text;
}

Result<std::map<std::string, std::string>> resolve_globals(
    const Containerfile& file, const std::map<std::string, std::string>& build_args,
    const std::map<std::string, std::string>& platform) {
  std::map<std::string, std::string> globals;
  const Lookup lookup = [&](std::string_view name) {
    if (auto value = find_in(globals, name)) return value;
    return find_in(platform, name);
  };
  for (const Instruction& instruction : file.globals) {
    // One by one: each may use those before it in the same line.
    for (const node::Arg::Item& item : instruction.as<node::Arg>()->items) {
      Instruction one{node::Arg{{item}}, instruction.keyword, instruction.original,
                      instruction.lines};
      if (Status done = expand_instruction(&one, lookup, file.escape); !done)
        return at_line(std::move(done.error()), file, instruction.lines);
      const node::Arg::Item& arg = one.as<node::Arg>()->items[0];
      if (auto given = find_in(build_args, arg.name))
        globals[arg.name] = *given;
      else if (arg.value)
        globals[arg.name] = *arg.value;
      else if (auto known = find_in(platform, arg.name))
        globals[arg.name] = *known;
    }
  }
  return globals;
}

std::vector<std::string> unused_build_args(const Containerfile& file,
                                           const std::map<std::string, std::string>& build_args) {
  std::set<std::string> declared;
  auto note = [&](const Instruction& instruction) {
    if (const auto* arg = instruction.as<node::Arg>())
      for (const node::Arg::Item& item : arg->items) declared.insert(item.name);
  };
  for (const Instruction& instruction : file.globals) note(instruction);
  for (const Stage& stage : file.stages)
    for (const Instruction& instruction : stage.instructions) note(instruction);
  std::vector<std::string> unused;
  for (const auto& [name, value] : build_args)
    if (!declared.contains(name) && !is_proxy_arg(name)) unused.push_back(name);
  return unused;
}

}  // namespace minke::build
